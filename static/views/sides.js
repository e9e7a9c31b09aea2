import { session, store } from "../page.js";
import { hashOf } from "../route.js";
import { button, byId, el, follow, nickClass, span } from "./dom.js";

const lists = { room: byId("room-list"), direct: byId("direct-list") };
const list = byId("people-list");

for (const drawer of [byId("rooms"), byId("people")]) {
	drawer.onclick = ({ target }) => target.closest("a, .nick") && drawer.hidePopover();
}

const makeLink = () => el("li", {}, el("a", {}, span("name"), span("badge")));

function update(link, there) {
	const { name, unread, mentions } = there;
	const [label, badge] = link.children;
	link.href = hashOf(there);
	link.ariaCurrent = there === store.current ? "page" : null;
	label.textContent = name;
	badge.hidden = !unread;
	badge.classList.toggle("mentions", mentions > 0);
	badge.replaceChildren(unread, span("spoken", " unread"));
}

function makePerson(nick) {
	if (store.isMe(nick)) return el("li", { className: "me" }, nick, el("small", {}, " you"));
	const talk = button(() => session.talkTo(nick), nick);
	talk.className = nickClass(nick);
	talk.title = nick;
	const ignore = button(() => store.ignore(nick, !store.ignores(nick)));
	ignore.className = "ignore";
	ignore.ariaLabel = ignore.title = `Ignore ${nick}`;
	return el("li", {}, talk, ignore);
}

export function drawSides() {
	const { current, all } = store;
	for (const kind in lists) {
		const some = all.filter((each) => each.kind === kind);
		follow(lists[kind], some, makeLink);
		some.forEach((each, at) => update(lists[kind].children[at].firstChild, each));
	}
	const nicks = current ? store.nicksIn(current) : [];
	follow(list, nicks, makePerson, (each) => `${each} ${store.isMe(each)}`);
	nicks.forEach((each, at) => store.isMe(each) || (list.children[at].lastChild.ariaPressed = store.ignores(each)));
	byId("people-count").textContent = nicks.length || "";
}
