import { roomName } from "../commands.js";
import { around } from "../markup.js";
import { session, store } from "../page.js";
import { explain } from "../words.js";
import { button, byId, dayName, el, fullTime, nickClass, span } from "./dom.js";

const REST = 250; // ms without a key; then the server is asked
const MOST = 20; // of each kind

const dialog = byId("finder");
const field = byId("find");
const note = byId("found-note");
let rooms = [];
let people = [];
let timer = null;

/** `choices` are [what to do, ...what is shown]. */
function fill(kind, choices) {
	const make = ([go, ...parts]) => el("li", {}, button(() => (dialog.close(), go()), ...parts));
	const more = choices.length - MOST;
	const rest = more > 0 ? [el("li", { className: "hint" }, `and ${more} more`)] : [];
	byId(`found-${kind}`).replaceChildren(...choices.slice(0, MOST).map(make), ...rest);
}

const choice = (room, about, topic) => {
	const parts = topic ? [" · ", el("bdi", {}, topic)] : [];
	return [() => session.join(room), room, el("small", {}, ` ${about}`, ...parts)];
};

function hit(message, query) {
	const at = new Date(message.time);
	return [
		() => session.reveal(message),
		el("small", {}, `${message.room ?? "Direct"} `),
		span("said", `${message.nick}: `, el("bdi", {}, around(message.text, query))),
		" ",
		el("time", { dateTime: message.time, title: fullTime.format(at) }, dayName.format(at)),
	];
}

function draw() {
	const query = field.value;
	const word = query.trim().toLowerCase();
	const fits = (text) => text.toLowerCase().includes(word);
	const found = rooms.filter(({ room, topic }) => fits(`${room} ${topic}`));
	fill("rooms", found.map(({ room, members, topic }) => choice(room, `${members} here`, topic)));
	fill("people", people.filter(fits).map((nick) => [() => session.talkTo(nick), span(nickClass(nick), nick)]));
	const named = roomName(word);
	fill("new", named && !rooms.some(({ room }) => room === named) ? [choice(named, "a new room")] : []);
	note.textContent = "";
	clearTimeout(timer);
	if (word) timer = setTimeout(search, REST, query);
	else fill("said", []);
}

async function search(query) {
	const answer = await session.search(query, MOST);
	if (query !== field.value) return;
	const { messages = [] } = answer;
	const said = store.visible(messages).reverse();
	fill("said", said.map((each) => hit(each, query)));
	if (answer.code) note.textContent = explain(answer);
	else if (messages.length === MOST) note.textContent = `These are the newest ${MOST}. There may be more: add a word.`;
	else if (!said.length) note.textContent = "No message has these words.";
}

async function open() {
	store.wanted = "";
	if (dialog.open) return;
	field.value = "";
	dialog.showModal();
	draw();
	const [listed, online] = await Promise.all([session.rooms(), session.online()]);
	rooms = listed.rooms ?? [];
	people = online.nicks ?? [];
	if (document.activeElement === field) draw(); // else one has begun to choose
	if (listed.code) note.textContent = explain(listed);
}

field.oninput = draw;
dialog.onkeydown = (event) => {
	const places = [field, ...dialog.querySelectorAll("li button")];
	const at = places.indexOf(document.activeElement);
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	if (step) places.at((at + step) % places.length).focus();
	else if (event.key === "Enter" && !at) places[1]?.click();
	else return;
	event.preventDefault();
};
byId("jump-to").onclick = open;
addEventListener("keydown", (event) => {
	if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || store.phase !== "in") return;
	event.preventDefault();
	open();
});

export const drawFinder = () => store.wanted === "finder" && open();
