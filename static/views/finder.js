import { roomName } from "../commands.js";
import { session, store } from "../page.js";
import { button, byId, el, nickClass, span } from "./dom.js";

const REST = 250; // ms without a key; then the server is asked
const MOST = 12; // of each kind

const dialog = byId("finder");
const field = byId("find");
let rooms = [];
let people = [];
let timer = null;

/** `choices` are [what to do, ...what is shown]. */
function fill(kind, choices) {
	const make = ([go, ...parts]) => el("li", {}, button(() => (dialog.close(), go()), ...parts));
	byId(`found-${kind}`).replaceChildren(...choices.slice(0, MOST).map(make));
}

const choice = (room, about) => [() => session.join(room), room, el("small", {}, ` ${about}`)];

function draw() {
	const query = field.value;
	const word = query.trim().toLowerCase();
	const fits = (text) => text.toLowerCase().includes(word);
	const found = rooms.filter(({ room, topic }) => fits(`${room} ${topic}`));
	fill("rooms", found.map(({ room, members, topic }) => choice(room, `${members} here${topic && ` · ${topic}`}`)));
	fill("people", people.filter(fits).map((nick) => [() => session.talkTo(nick), span(nickClass(nick), nick)]));
	const named = roomName(word);
	fill("new", named && !rooms.some(({ room }) => room === named) ? [choice(named, "a new room")] : []);
	clearTimeout(timer);
	if (word) timer = setTimeout(search, REST, query);
	else fill("said", []);
}

async function search(query) {
	const { messages = [] } = await session.search(query);
	if (query !== field.value) return;
	const said = store.visible(messages).reverse();
	fill("said", said.map((each) => [() => session.reveal(each), el("small", {}, `${each.room ?? "Direct"} `), `${each.nick}: ${each.text}`]));
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
