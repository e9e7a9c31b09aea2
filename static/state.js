import { Conversation, dated, fold, makeItem, same } from "./conversation.js";
import { mentions } from "./markup.js";

const TYPING = 6_000; // ms

export class Store {
	link = { phase: "idle", why: "" };
	settings = { theme: "", typing: true, sound: false, notify: false, ignored: [] }; // of this device
	onChange = () => {};
	onChoose = () => {};
	onCall = () => {};

	constructor(now = Date.now) {
		this.now = now;
		this.reset();
	}

	set(fields) {
		Object.assign(this, fields);
		this.onChange();
	}

	choose(fields) {
		const settings = { ...this.settings, ...fields };
		this.onChoose(settings);
		this.set({ settings });
	}

	ignores(nick) {
		return this.settings.ignored.some((each) => same(each, nick));
	}

	ignore(nick, on = true) {
		const others = this.settings.ignored.filter((each) => !same(each, nick));
		this.choose({ ignored: on ? [...others, nick] : others });
	}

	visible(items) {
		const ignored = this.settings.ignored.map(fold);
		return items.filter(({ nick, mine }) => mine || !nick || !ignored.includes(fold(nick)));
	}

	setLink(fields) {
		this.set({ link: { ...this.link, ...fields } });
	}

	reset(nick = "") {
		this.set({
			phase: "out", // or "entering", "in"
			nick,
			token: null,
			epoch: null,
			seen: null, // up to this id; null: unknown
			replaying: 0, // events still to come
			limits: { text: 2000 },
			all: [],
			shouts: new Conversation("", "everyone"),
			current: null,
			away: false,
			wanted: "", // "finder" or "help"
			unsent: new Map(),
			problem: "",
		});
	}

	/** Whether the ids are still the same. */
	hello({ epoch, limits }) {
		const known = this.epoch === epoch;
		if (!known) {
			this.seen = null;
			for (const each of this.everywhere) each.clear();
		}
		this.set({ epoch, replaying: 0, limits });
		return known;
	}

	welcome({ token, ...arrival }) {
		this.token = token;
		for (const each of this.all) each.lapse(this.seen ?? 0);
		this.#arrive(arrival);
	}

	/** `missed` events follow, or nothing does. */
	resumed({ recovered, missed, ...arrival }) {
		for (const each of this.all) {
			each.turn = each.peopleKnown = false;
			if (recovered) continue;
			each.clear();
			each.knownTo = this.seen ?? -1;
		}
		this.replaying = missed;
		if (!recovered) {
			this.seen = null; // ids may be lower now
			this.recall(this.shouts.items);
		}
		this.#arrive(arrival);
	}

	#arrive({ nick, rooms, topics = {} }) {
		for (const room of rooms) this.ensure("room", room).topic = topics[room] ?? "";
		this.set({ nick, phase: "in", problem: "" });
	}

	get everywhere() {
		return [this.shouts, ...this.all];
	}

	get here() {
		return this.current ?? this.shouts;
	}

	find(kind, name) {
		return this.all.find((each) => each.is(kind, name));
	}

	ensure(kind, name) {
		const found = this.find(kind, name);
		if (found) return found;
		const known = this.all.map(({ people }) => people.get(fold(name)));
		const made = new Conversation(kind, known.find(Boolean) ?? name);
		this.set({ all: [...this.all, made], current: this.current ?? (made.isRoom ? made : null) });
		return made;
	}

	open(current) {
		if (current !== this.current) this.here.mark = 0;
		Object.assign(this, { current, problem: "" });
		this.setAway(this.away);
	}

	#look(there) {
		if (!there.unread) return;
		there.mark = there.firstUnread;
		there.unread = there.mentions = 0;
	}

	setAway(away) {
		if (!away) this.#look(this.here);
		this.set({ away });
	}

	/** Whether it calls us. What was missed is new where one looks, too. */
	#count(there, { id, mine, kind, mentioned, nick }, missed) {
		const looked = there === this.here;
		if (mine || this.ignores(nick) || (kind === "gmsg" && !looked)) return false;
		if (looked && !this.away && !missed) return false;
		if (!there.unread) there.firstUnread = id;
		there.unread += 1;
		const called = mentioned || kind === "dm";
		there.mentions += called;
		return called;
	}

	beside(there) {
		const at = this.all.indexOf(there);
		return this.all[at - 1] ?? this.all[at + 1] ?? null;
	}

	drop(gone, to) {
		if (gone === this.current) this.open(this.all.includes(to) ? to : this.beside(gone));
		this.set({ all: this.all.filter((each) => each !== gone) });
	}

	apply(event) {
		const { type, room, nick } = event;
		const places = this.all.filter(({ name }) => name === room);
		const [there] = places;
		const handlers = {
			msg: () => this.#hear(event, places),
			dm: () => this.#hear(event, this.#directly(this.isMe(nick) ? event.to : nick)),
			gmsg: () => this.#hear(event, this.everywhere),
			joined: () => there && this.#come(nick, there),
			left: () => this.#go(nick, places, "left the room"),
			disconnected: () => this.#go(nick, this.all, "left the chat"),
			renamed: () => this.rename(event.old, event.new),
			topic: () => there && this.about(there, event.text, nick),
			typing: () => there?.typing.set(nick, this.now() + TYPING),
		};
		handlers[type]?.();
		this.set();
	}

	#directly(nick) {
		if (!this.ignores(nick)) this.ensure("direct", nick);
		return this.all.filter((each) => each.is("direct", nick));
	}

	isMe(nick) {
		return same(nick, this.nick);
	}

	#read({ type, ...said }) {
		const mine = this.isMe(said.nick);
		const mentioned = !mine && mentions(said.text, this.nick);
		return makeItem({ ...said, kind: type, mine, mentioned });
	}

	#hear(event, places) {
		const item = this.#read(event);
		for (const each of places) {
			each.typing.delete(item.nick);
			if (each.is("direct", item.nick)) {
				each.name = item.nick;
				each.meet(item.nick);
			}
			if (each.add(item) && this.#count(each, item, this.replaying)) this.onCall(each, item);
		}
		this.replaying = Math.max(0, this.replaying - 1);
		if (!this.replaying) this.setAway(this.away);
		this.saw(item.id);
	}

	/** What all heard before the page was loaded. */
	recall(shouts) {
		for (const each of shouts) if (each.id) for (const there of this.everywhere) there.add(makeItem(each));
	}

	typists({ typing }) {
		if (!this.settings.typing) return [];
		return [...typing.keys()].filter((nick) => typing.get(nick) > this.now() && !this.ignores(nick));
	}

	#come(nick, there) {
		this.find("direct", nick)?.meet(nick);
		if (there.people.has(fold(nick))) return;
		there.meet(nick);
		this.#presence(nick, "joined the room", there);
	}

	#presence(nick, how, there) {
		there.typing.delete(nick);
		this.#put({ kind: "presence", nick, how, text: `${nick} ${how}` }, there);
	}

	#go(nick, places, how) {
		for (const each of places) {
			if (each.people.delete(fold(nick))) this.#presence(nick, how, each);
		}
	}

	about(there, topic, nick) {
		there.topic = topic;
		if (!nick) return this.set();
		const what = topic ? `changed the topic: ${topic}` : "took the topic away";
		this.notice(`${this.isMe(nick) ? "You" : nick} ${what}`, there);
	}

	rename(old, nick) {
		if (this.isMe(old)) this.nick = nick;
		if (this.ignores(old)) {
			this.ignore(old, false);
			this.ignore(nick);
		}
		const taken = !same(old, nick) && this.find("direct", nick);
		for (const each of this.all) {
			if (!each.people.delete(fold(old))) continue;
			each.meet(nick);
			if (!taken && each.is("direct", old)) each.name = nick;
			this.#presence(old, `is now known as ${nick}`, each);
		}
	}

	nicksIn({ people }) {
		return [...new Set([...people.values(), this.nick])].sort((a, b) => (fold(a) < fold(b) ? -1 : 1));
	}

	users(there, nicks) {
		there.people.clear();
		for (const nick of nicks) if (there.isRoom || there.is("direct", nick)) there.meet(nick);
		this.set();
	}

	/** A page; how: the "first", which is the newest, or one "far" from the others. */
	history(there, { messages, more }, how) {
		const before = there.knownTo;
		const added = there.merge(messages.map((each) => this.#read(each)), more, how);
		for (const item of added) if (before >= 0 && item.id > before) this.#count(there, item, true);
		this.setAway(this.away);
	}

	saw(id) {
		this.set({ seen: Math.max(id, this.seen ?? 0) });
	}

	pend(fields) {
		const item = makeItem({ ...fields, nick: this.nick, mine: true, status: "pending", anchor: Infinity, time: this.now() });
		this.unsent.set(item.ref, item);
		for (const each of item.places) each.add(item);
		this.set({ spoke: true });
		return item;
	}

	confirm(ref, { id, time }) {
		this.#settle(ref, { status: "sent", nick: this.nick, id, anchor: id, ...dated(time) });
		this.unsent.delete(ref);
		if (!this.replaying) this.saw(id);
	}

	fail(ref, why) {
		this.#settle(ref, { status: "failed", why, anchor: this.seen ?? 0 });
	}

	repend(ref) {
		this.#settle(ref, { status: "pending", why: "", anchor: Infinity });
	}

	#settle(ref, fields) {
		const item = this.unsent.get(ref);
		Object.assign(item, fields, { version: item.version + 1 });
		for (const each of item.places) each.move(item);
		this.set();
	}

	notice(text, there) {
		this.#put({ kind: "notice", text }, there);
	}

	#put(fields, there) {
		there.add(makeItem({ ...fields, time: this.now(), anchor: this.seen ?? 0 }));
		this.set();
	}
}
