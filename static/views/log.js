import { partsOf } from "../markup.js";
import { session, store } from "../page.js";
import { comings, isAction, rowsOf } from "../rows.js";
import { lines } from "../words.js";
import { button, byId, dates, dayName, el, follow, nickClass, span } from "./dom.js";

const NEAR_END = 60; // px
const MARGIN = 500; // px; with fewer left, more rows are wanted
const ROWS = 160;
const MOST = 240;
const STEP = 60;

const fullTime = dates({ dateStyle: "full", timeStyle: "medium" });
const clockTime = dates({ hour: "2-digit", minute: "2-digit" });

const timeOf = ({ at }) => el("time", { dateTime: at.toISOString(), title: fullTime.format(at) }, clockTime.format(at));

function nodeOf({ type, text }) {
	if (type === "link") return el("a", { href: text, target: text.startsWith(`${location.origin}/#`) ? "" : "_blank", rel: "noopener noreferrer" }, text);
	if (type === "mention") return el("mark", {}, text);
	if (type === "text") return text;
	const ticks = () => span("ticks", type === "fence" ? "```" : "`");
	return el("code", { className: type }, ticks(), text, ticks());
}

const [log, list, jump] = ["log", "messages", "jump"].map(byId);
let shown = null;
let items = [];
let rows = [];
let last = null;
let from = 0; // the window
let to = 0;
let atEnd = true;
let floor = 0;

function message({ item, joined, code }) {
	const { kind, nick = "", text, status, why, mentioned } = item;
	const className = `item ${kind} ${status} ${joined ? "joined" : ""} ${code || ""} ${mentioned ? "mentioned" : ""}`;
	const node = el("div", { className });
	const parts = code ? [text] : partsOf(isAction(item) ? text.slice(4) : text, store.nick).map(nodeOf);
	const name = span(nickClass(nick), nick);
	if (kind === "gmsg") name.append(el("small", {}, " to everyone"));
	if (kind === "notice") node.append(span("text", text), " ", timeOf(item));
	else if (isAction(item)) node.append(span("text", "* ", name, " ", el("bdi", {}, ...parts)), " ", timeOf(item));
	else node.append(span("head", name, " ", timeOf(item)), " ", el("div", { className: "text", dir: "auto" }, ...parts));
	if (joined) node.title = fullTime.format(item.at);
	if (status === "pending") node.append(span("spoken", " (not sent yet)"));
	if (status === "failed") node.append(span("why", `Not sent. ${why} `, button(() => session.retry(item), "Retry")));
	return node;
}

const keyOf = ({ kind, item, items, joined, code }) =>
	`${kind} ${item.sequence} ${item.version} ${items?.length} ${joined} ${code}`;

function make(row) {
	const { kind, item, items } = row;
	const line = kind === "day" ? dayName.format(item.at) : lines[kind];
	if (line) return el("div", { className: `line ${kind}` }, span("", line));
	if (kind !== "presence") return message(row);
	const texts = comings(items).flatMap((text) => [span("", text), " "]);
	return el("div", { className: "item notice" }, ...texts, timeOf(items.at(-1)));
}

const topOf = (node) => node.getBoundingClientRect().top;

/** What was on the screen stays where it was. */
function paint() {
	const edge = topOf(log);
	const seen = [...list.children].filter((node) => node.getBoundingClientRect().bottom > edge).slice(0, 40);
	const tops = seen.map(topOf);
	follow(list, rows.slice(from, to), make, keyOf);
	if (atEnd) log.scrollTop = log.scrollHeight;
	else {
		const at = seen.findIndex((node) => node.isConnected);
		if (at >= 0) log.scrollTop += topOf(seen[at]) - tops[at];
	}
}

function reach() {
	const { here } = store;
	const { scrollTop, scrollHeight, clientHeight } = log;
	const below = scrollHeight - scrollTop - clientHeight;
	atEnd = to === rows.length && below < NEAR_END;
	if (scrollTop < MARGIN && from > 0 && !atEnd) {
		from = Math.max(0, from - STEP);
		to = Math.min(to, from + MOST);
		paint();
	} else if (below < MARGIN && to < rows.length) {
		to = Math.min(rows.length, to + STEP);
		from = Math.max(from, to - MOST);
		paint();
	}
	if (rows.slice(from, to).some(({ kind }) => kind === "hole")) session.fill(here);
	if (scrollTop < MARGIN && !from && here.more && here.loaded) session.older(here);
	drawJump();
}

function drawJump() {
	if (atEnd) floor = items.findLast(({ id }) => id)?.id ?? 0;
	const news = items.filter(({ id, mine }) => id > floor && !mine).length;
	jump.hidden = atEnd;
	jump.textContent = `Jump to newest${news ? ` (${news} new)` : ""}`;
}

function show(at) {
	from = Math.max(0, at - ROWS / 2);
	to = Math.min(rows.length, from + ROWS);
	atEnd = false;
	paint();
	const node = list.children[at - from];
	node.scrollIntoView({ block: "center" });
	return node;
}

jump.onclick = () => {
	atEnd = true;
	drawLog();
	log.focus();
};
log.onscroll = reach;
for (const each of [log, list]) new ResizeObserver(() => atEnd && (log.scrollTop = log.scrollHeight)).observe(each);

export function drawLog() {
	const { here } = store;
	items = store.visible(here.items);
	const another = here !== shown;
	const top = rows[from + 1]?.item.anchor;
	const size = to - from;
	rows = rowsOf(items, here.mark, here.hole);
	// Only what was said just now is read out.
	const added = items.slice(items.lastIndexOf(last) + 1);
	log.ariaBusy = another || !last || added.length > 4 || added.some(({ kind }) => kind === "presence");
	log.ariaLabel = here.name;
	shown = here;
	last = items.at(-1);
	if (another || store.spoke) atEnd = true;
	store.spoke = false;
	from = Math.max(0, atEnd ? rows.length - ROWS : rows.filter(({ item }) => item.anchor < top).length - 1);
	to = Math.min(rows.length, from + Math.max(size, ROWS));
	paint();
	byId("older").hidden = !here.more || from > 0;
	byId("empty").hidden = !here.loaded || items.length > 0;
	const mark = another ? rows.findIndex(({ kind }) => kind === "new") : -1;
	if (mark >= 0 && (mark < from || list.children[mark - from].offsetTop < log.scrollTop)) show(mark);
	if (here.target) {
		const at = rows.findLastIndex(({ item }) => item.id === here.target);
		here.target = 0;
		if (at >= 0) show(at).classList.add("found");
	}
	reach();
	if (log.ariaBusy === "true") setTimeout(() => (log.ariaBusy = false), 500);
}
