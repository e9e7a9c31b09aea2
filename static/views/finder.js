import { roomName } from "../commands.js";
import { session, store } from "../page.js";
import { explain } from "../words.js";
import { button, byId, composes, dayName, el, nickClass, span } from "./dom.js";

const REST = 250;
const MOST = 20;

const dialog = byId("finder");
const field = byId("find");
let rooms = [];
let people = [];
let timer;

const tell = (what) => (byId("found-note").textContent = what.code ? explain(what) : "");

/** `choices` are [what to do, ...what is shown]. */
function fill(kind, choices) {
	const make = ([go, ...parts]) => el("li", {}, button(() => (dialog.close(), go()), ...parts));
	byId(`found-${kind}`).replaceChildren(...choices.slice(0, MOST).map(make));
}

const choice = (room, about, topic) => [() => session.join(room), room, el("small", {}, ` ${about}${topic && " · "}`, el("bdi", {}, topic))];

const hit = (message) => [
	() => session.reveal(message),
	el("small", {}, `${message.room ?? "Direct"} `),
	span("said", message.nick, message.to ? ` to ${message.to}: ` : ": ", el("bdi", {}, message.text.replace(/^\/me /, "* "))),
	" ",
	el("time", {}, dayName.format(new Date(message.time))),
];

function draw() {
	const query = field.value;
	const word = query.trim().toLowerCase();
	const fits = (text) => text.toLowerCase().includes(word);
	const found = rooms.filter(({ room, topic }) => fits(`${room} ${topic}`));
	fill("rooms", found.map(({ room, members, topic }) => choice(room, `${members} here`, topic)));
	fill("people", people.filter(fits).map((nick) => [() => session.talkTo(nick), span(nickClass(nick), nick)]));
	const named = roomName(word);
	const fresh = named && !rooms.some(({ room }) => room === named) ? [choice(named, "a new room", "")] : [];
	const meant = word.startsWith("#"); // else what was said comes first
	fill("new", meant ? fresh : []);
	fill("other", meant ? [] : fresh);
	tell({});
	clearTimeout(timer);
	if (word) timer = setTimeout(search, REST, query);
	else fill("said", []);
}

async function search(query, go) {
	const answer = await session.ask({ type: "search", query, limit: MOST });
	if (query !== field.value) return;
	const { messages = [] } = answer;
	const said = store.visible(messages).reverse();
	fill("said", said.map(hit));
	const code = said.length ? messages.length === MOST && "newest-only" : "nothing-found";
	tell({ code, ...answer });
	if (go && dialog.open) dialog.querySelector("li button")?.click();
}

async function open() {
	if (dialog.open) return;
	field.value = "";
	dialog.showModal();
	draw();
	const [listed, online] = await Promise.all([session.ask({ type: "rooms" }), session.online()]);
	rooms = listed.rooms ?? [];
	people = online.nicks ?? [];
	if (document.activeElement === field) draw();
	tell(listed);
}

field.oninput = draw;
dialog.onkeydown = (event) => {
	if (composes(event)) return;
	const places = [field, ...dialog.querySelectorAll("li button")];
	const first = dialog.querySelector("ul:not(#found-other) button");
	const at = places.indexOf(document.activeElement);
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	if (step) places.at((at + step) % places.length).focus();
	else if (event.key !== "Enter" || at) return;
	else if (first) first.click();
	else search(field.value, true);
	event.preventDefault();
};
byId("jump-to").onclick = open;
addEventListener("keydown", (event) => {
	const isK = /^k$/i.test(event.key) || (event.code === "KeyK" && event.key > "z"); // not Latin
	if (!isK || event.shiftKey || !(event.ctrlKey || event.metaKey) || store.phase !== "in") return;
	event.preventDefault();
	open();
});
