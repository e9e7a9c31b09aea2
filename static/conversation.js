// Order is by id; what has none has an anchor.

export const fold = (name) => name.toLowerCase();
export const same = (a, b) => fold(a) === fold(b);

let sequence = 0;

// Of unsent ones: Infinity - Infinity is NaN.
const compare = (a, b) => a.anchor - b.anchor || a.sequence - b.sequence;

export function makeItem(fields) {
	sequence += 1;
	return { status: "sent", anchor: fields.id, version: 0, ...fields, sequence, ...dated(fields.time) };
}

export function dated(time) {
	const at = new Date(time);
	return { time, at, day: at.toDateString() };
}

export class Conversation {
	items = [];
	ids = new Set();
	people = new Map(); // folded nick -> nick
	typing = new Map(); // nick -> until when
	unread = 0;
	mentions = 0; // of those
	firstUnread = 0; // an id
	mark = 0; // the id of the first that is new
	draft = "";
	turn = null;
	topic = "";
	target = 0; // an id
	free = false; // whoever has the name is meant

	constructor(kind, name) {
		this.kind = kind; // "room" or "direct"
		this.isRoom = kind === "room";
		this.name = name;
		if (kind === "direct") this.meet(name); // until we know better
		this.clear();
	}

	is(kind, name) {
		return kind === this.kind && same(name, this.name);
	}

	/** To page back from; what all hear is no part of it. */
	get oldest() {
		return this.items.find(({ id, kind }) => id && kind !== "gmsg")?.id;
	}

	/** What is written follows this: an id or a ref. */
	follows() {
		const said = this.free ? [] : this.items.filter(({ kind, status }) => kind === "dm" && status !== "failed");
		this.free = false;
		const last = said.findLast(({ mine }) => mine) ?? said[0];
		return last?.id ?? last?.ref;
	}

	/** Nothing would be lost with it. */
	get isSaid() {
		return !this.draft && this.items.every(({ status }) => status === "sent");
	}

	add(item) {
		if (this.ids.has(item.id)) return false;
		if (item.id) this.ids.add(item.id);
		const at = this.items.findLastIndex((each) => compare(each, item) < 0);
		this.items.splice(at + 1, 0, item);
		return true;
	}

	/** To where it belongs by now. */
	move(item) {
		this.items = this.items.filter((each) => each !== item);
		this.add(item);
	}

	meet(nick) {
		this.people.set(fold(nick), nick);
	}

	/** Returns what was new. At most one hole is left, and filled from its newer end. */
	merge(page, more, how) {
		const first = how === "first";
		const reached = page[0]?.id;
		const newest = page.at(-1)?.id;
		const torn = first && !this.loaded && more && reached > this.knownTo;
		if (this.hole && (torn || how === "far")) this.#forget(this.hole - 1);
		const { oldest } = this;
		if (torn) [this.hole, this.shore] = oldest <= this.knownTo ? [reached, this.knownTo] : [0, 0];
		else if (how === "far") [this.hole, this.shore] = newest < oldest ? [oldest, newest] : [0, 0];
		else if (this.hole && !(newest < oldest || reached > this.hole)) this.hole = reached > this.shore ? reached : 0;
		const added = page.filter(({ id }) => !this.ids.has(id));
		for (const { id } of added) this.ids.add(id);
		this.items = this.items.concat(added).sort(compare);
		if (!oldest || !(reached > oldest)) this.more = more;
		this.loaded ||= first;
		return added;
	}

	/** What was said after `seen`, the next first page must tell. */
	lapse(seen) {
		if (this.loaded) this.knownTo = seen;
		this.turn = this.loaded = this.peopleKnown = false;
	}

	clear() {
		this.#forget(Number.MAX_VALUE);
		this.more = false; // there are older ones
		this.loaded = false; // up to now
		this.loading = null; // a promise
		this.hole = 0; // an id before which some are missing
		this.shore = 0;
		this.peopleKnown = false;
		this.knownTo = -1;
	}

	#forget(upTo) {
		this.items = this.items.filter(({ anchor, status }) => anchor > upTo || status === "failed");
		this.ids = new Set(this.items.flatMap(({ id }) => id ?? []));
		for (const item of this.items) if (item.anchor <= upTo) item.anchor = 0;
	}
}
