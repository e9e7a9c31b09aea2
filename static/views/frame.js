import { recall } from "../memory.js";
import { session, store } from "../page.js";
import { describe } from "../words.js";
import { byId } from "./dom.js";

const form = byId("enter");
const { nick } = form;
let shown = null;
const status = byId("status");
const again = byId("again");
const leave = byId("leave");

again.onclick = session.connect;
leave.onclick = () => session.leave(store.current);
byId("quit").onclick = session.quit;
nick.value = recall("nick");
form.onsubmit = (event) => {
	event.preventDefault();
	session.enter(nick.value.trim());
};

function drawForm({ phase, problem }) {
	byId("enter-problem").textContent = phase === "in" ? "" : problem;
	nick.ariaInvalid = phase !== "in" && problem !== "";
	if (phase === "out" && phase !== shown) {
		nick.focus();
		nick.select();
	}
	shown = phase;
}

function drawStatus(inside) {
	const { phase } = store.link;
	const words = describe(store.link, inside);
	if (status.textContent !== words) status.textContent = words; // else it is read out again
	status.dataset.phase = phase;
	again.hidden = phase !== "waiting" && !(phase === "idle" && inside);
	again.textContent = phase === "idle" ? "Use it here" : "Connect now";
}

export function drawFrame() {
	const inside = store.phase === "in";
	const current = inside ? store.current : null;
	const name = inside ? (current?.name ?? "No room") : "";
	const unread = store.all.reduce((sum, each) => sum + each.unread, 0);
	document.body.classList.toggle("inside", inside);
	drawForm(store);
	byId("title").textContent = name || "Parlour";
	const topic = byId("topic");
	topic.textContent = topic.title = current?.topic ?? "";
	byId("my-nick").textContent = store.nick;
	leave.hidden = !current;
	leave.textContent = current?.kind === "direct" ? "Close" : "Leave";
	document.title = `${unread ? `(${unread}) ` : ""}${name && `${name} · `}Parlour`;
	byId("icon").href = `/static/favicon${unread ? "-unread" : ""}.svg`;
	drawStatus(inside);
	if (store.wanted !== "help") return;
	store.wanted = "";
	byId("help").showPopover();
}
