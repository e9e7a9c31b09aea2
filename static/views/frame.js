import { recall } from "../memory.js";
import { session, store, submit } from "../page.js";
import { describe } from "../words.js";
import { byId } from "./dom.js";

const [form, status, again, leave] = ["enter", "status", "again", "leave"].map(byId);
const { nick } = form;
let shown = null;

again.onclick = () => {
	session.connect();
	byId("log").focus();
};
// The second click of two would leave the next room.
leave.onclick = ({ detail }) => detail < 2 && session.leave(store.current);
byId("quit").onclick = () => submit("/quit");
nick.value = recall("nick");
form.onsubmit = (event) => {
	event.preventDefault();
	session.enter(nick.value.trim());
};

export function drawFrame() {
	const { phase, problem } = store;
	const inside = phase === "in";
	const current = inside ? store.current : null;
	const name = inside ? (current?.name ?? "No room") : "";
	const unread = store.all.reduce((sum, each) => sum + each.unread, 0);
	document.body.classList.toggle("inside", inside);
	byId("enter-problem").textContent = problem;
	nick.ariaInvalid = problem !== "";
	if (phase === "out" && phase !== shown) {
		nick.focus();
		nick.select();
	}
	shown = phase;
	byId("title").textContent = name || "Parlour";
	const topic = byId("topic");
	topic.textContent = topic.title = current?.topic ?? "";
	byId("my-nick").textContent = store.nick;
	leave.hidden = !current;
	leave.textContent = current?.isRoom ? "Leave" : "Close";
	document.title = `${unread ? `(${unread}) ` : ""}${name && `${name} · `}Parlour`;
	byId("icon").href = `/static/favicon${unread ? "-unread" : ""}.svg`;
	const words = describe(store.link, inside);
	if (status.textContent !== words) status.textContent = words; // else it is read out again
	status.dataset.phase = store.link.phase;
	const { wanted } = store;
	store.wanted = "";
	if (wanted === "finder") byId("jump-to").click();
	if (wanted === "help") byId("help").showPopover();
}
