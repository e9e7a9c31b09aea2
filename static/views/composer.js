import { COMMAND_NAMES, messagesOf } from "../commands.js";
import { complete } from "../complete.js";
import { session, store, submit } from "../page.js";
import { whoTypes } from "../words.js";
import { byId, composes, el } from "./dom.js";

const MANY = 5; // lines
const NEARLY = 200; // characters left

const [form, field, list, ask, counter] = ["composer", "message", "options", "ask", "counter"].map(byId);
const sent = [];
let back = 0;
let shown = null;
let found = null;
let chosen = 0;
let emoji; // name -> sign

form.onsubmit = (event) => {
	event.preventDefault();
	const from = shown; // another may be opened
	const text = field.value;
	if (!submit(text)) return;
	if (sent.at(-1) !== text) sent.push(text);
	back = 0;
	if (from) from.draft = "";
	if (from === shown) write("");
};

field.onpaste = (event) => {
	const pasted = event.clipboardData.getData("text");
	const { length } = messagesOf(pasted);
	if (length <= MANY) return;
	event.preventDefault();
	const at = [field.selectionStart, field.selectionEnd];
	byId("pasted").textContent = length;
	ask.returnValue = "";
	ask.onclose = () => {
		field.setSelectionRange(...at);
		if (ask.returnValue) replace(at[0], pasted);
	};
	ask.showModal();
};

function write(text) {
	field.value = text;
	changed();
}

function replace(start, text) {
	field.setRangeText(text, start, field.selectionEnd, "end");
	changed();
}

function changed() {
	if (shown) shown.draft = field.value;
	const longest = Math.max(0, ...messagesOf(field.value).map((line) => [...line].length));
	const left = store.limits.text - longest;
	counter.textContent = left < NEARLY ? `${left} left` : "";
	counter.classList.toggle("problem", left < 0);
	suggest(null);
}

const before = () => field.value.slice(0, field.selectionStart);
const namesEmoji = () => /(^|\s):[\w+-]{2,}:?$/.test(before());

function look() {
	const nicks = [...(shown?.people.values() ?? [])].filter((nick) => !store.isMe(nick));
	const rooms = store.all.map(({ name }) => name);
	return complete(before(), { nicks, rooms, commands: COMMAND_NAMES, emoji });
}

function suggest(next, at = 0) {
	found = next;
	chosen = at;
	list.hidden = !found;
	const items = (found?.options ?? []).map(({ label }, index) =>
		el("li", { id: `option-${index}`, role: "option", ariaSelected: index === chosen, onpointerdown: (event) => accept(event, index) }, label),
	);
	list.replaceChildren(...items);
	field.setAttribute("aria-activedescendant", found ? `option-${chosen}` : "");
}

function accept(event, index) {
	event.preventDefault();
	replace(found.start, found.options[index].text);
}

function recall(step) {
	const to = Math.min(sent.length, back + step);
	if (to < 0 || (field.value && field.value !== sent.at(-back))) return false;
	back = to;
	write(back ? sent.at(-back) : "");
	return true;
}

function pressed(event) {
	const { key } = event;
	const step = { ArrowDown: 1, ArrowUp: -1 }[key];
	if (found) {
		const { length } = found.options;
		if (step) return !suggest(found, (chosen + step + length) % length);
		if (key === "Enter" || key === "Tab") return !accept(event, chosen);
		if (key === "Escape") return !suggest(null);
	}
	if (step) return recall(-step);
	if (key === "Enter" && !event.shiftKey) return !form.requestSubmit();
	if (key !== "Tab" || event.shiftKey) return false;
	suggest(look());
	if (found?.options.length === 1) accept(event, 0);
	return found;
}

field.onkeydown = (event) => {
	if (!composes(event) && !event.ctrlKey && !event.altKey && pressed(event)) event.preventDefault();
};
field.oninput = async () => {
	changed();
	if (/^(\/me |\/\/|[^/])/.test(field.value)) session.typing(shown);
	if (!namesEmoji()) return;
	emoji ??= await fetch("/static/emoji.json").then((answer) => answer.json(), () => {});
	if (namesEmoji()) suggest(look());
};
field.onblur = () => suggest(null);

let timer;
function drawTyping() {
	clearTimeout(timer);
	const nicks = store.typists(store.here);
	byId("typing").textContent = whoTypes(nicks);
	if (nicks.length) timer = setTimeout(drawTyping, 500);
}

export function drawComposer() {
	const { current } = store;
	const inside = store.phase === "in";
	drawTyping();
	byId("problem").textContent = store.problem;
	if (!inside) sent.length = back = 0; // the next one may be somebody else
	field.placeholder = current ? `Message ${current.name}` : "/join #room";
	if (!inside || current === shown) return;
	ask.close();
	shown = current;
	write(current?.draft ?? "");
	// Elsewhere a keyboard would come up.
	if (matchMedia("(pointer: fine)").matches) field.focus();
}
