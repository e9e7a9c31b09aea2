// What the page knows: a plain store that turns server events and the user's intents into state.
//
// No DOM, no socket. Whoever draws subscribes and is told a topic: "me" (who we are, in or out),
// "status" (the connection), "list" (conversations, unread, which is active), "log", "people", "problem".

import { Conversation, fold, keyOf, makeItem } from "./conversation.js";

const same = (a, b) => fold(a) === fold(b);

export class Store {
  #listeners = new Set();
  #now;

  constructor({ now = () => Date.now() } = {}) {
    this.#now = now;
    this.reset();
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(...topics) {
    for (const topic of topics) for (const listener of this.#listeners) listener(topic);
  }

  /** As on the first visit; the connection's phase stays what it is. */
  reset() {
    this.phase = "out"; // "out": asking for a nick, "entering", "in"
    this.nick = "";
    this.token = null;
    this.epoch = null;
    this.seen = null; // everything up to this id has reached us; null while we cannot know
    this.replaying = 0; // events still to come that fill a gap
    this.limits = { text: 2000 };
    this.conversations = new Map();
    this.active = null;
    this.unsent = new Map(); // ref -> item, also the failed ones
    this.problem = ""; // what stands beside the form in use
    this.status ??= { phase: "idle", until: 0, why: "" };
    this.#changed("me", "status", "list", "log", "people", "problem");
  }

  // --- who we are ---------------------------------------------------------------------------

  setStatus(status) {
    this.status = { ...this.status, ...status };
    this.#changed("status");
  }

  setPhase(phase, problem = "") {
    this.phase = phase;
    this.#changed("me", "status");
    this.setProblem(problem);
  }

  setProblem(text) {
    this.problem = text;
    this.#changed("problem");
  }

  setNick(nick) {
    this.nick = nick;
    this.#changed("me", "people");
  }

  /** The first frame of a connection. False when it is another log: then no id of ours means anything. */
  hello({ epoch, limits }) {
    if (limits?.text > 0) this.limits = { ...this.limits, ...limits };
    const known = this.epoch === epoch;
    if (!known && this.epoch !== null) {
      this.seen = null;
      for (const each of this.conversations.values()) each.clear();
      this.#changed("log");
    }
    this.epoch = epoch;
    this.replaying = 0;
    return known;
  }

  /** Logged in anew: what was said in between is for history to tell. */
  welcome({ nick, token, rooms }) {
    this.token = token;
    for (const each of this.conversations.values()) each.lapse();
    this.#arrive(nick, rooms);
  }

  /** Taken back: what was said in between follows as `missed` ordinary events, or not at all. */
  resumed({ nick, rooms, recovered, missed }) {
    this.replaying = recovered ? missed : 0;
    for (const each of this.conversations.values()) {
      each.peopleKnown = false; // who came and went is not replayed
      if (!recovered) each.clear();
    }
    this.#arrive(nick, rooms);
  }

  #arrive(nick, rooms) {
    this.nick = nick;
    for (const room of rooms) this.ensure("room", room);
    this.setPhase("in");
    this.#changed("list", "log", "people");
  }

  // --- conversations ------------------------------------------------------------------------

  get current() {
    return this.conversations.get(this.active) ?? null;
  }

  room(name) {
    return this.conversations.get(keyOf("room", name));
  }

  ensure(kind, name) {
    const key = keyOf(kind, name);
    let found = this.conversations.get(key);
    if (!found) {
      found = new Conversation(kind, kind === "room" ? fold(name) : name);
      this.conversations.set(key, found);
      this.active ??= key;
      this.#changed("list", "log", "people");
    }
    return found;
  }

  activate(key) {
    if (!this.conversations.has(key)) return;
    this.active = key;
    this.current.unread = 0;
    this.problem = "";
    this.#changed("list", "log", "people", "problem");
  }

  drop(key) {
    const keys = [...this.conversations.keys()];
    const beside = keys[keys.indexOf(key) - 1] ?? keys[keys.indexOf(key) + 1] ?? null;
    this.conversations.delete(key);
    if (this.active === key) this.active = beside;
    if (this.current) this.current.unread = 0;
    this.#changed("list", "log", "people");
  }

  setDraft(key, text) {
    const found = this.conversations.get(key);
    if (found) found.draft = text;
  }

  setLoading(conversation, loading) {
    conversation.loading = loading;
    this.#changed("log");
  }

  // --- what the server says -----------------------------------------------------------------

  apply(event) {
    switch (event.type) {
      case "msg":
        return this.#hear(event, [this.room(event.room)]);
      case "dm":
        return this.#hear(event, [this.ensure("direct", same(event.nick, this.nick) ? event.to : event.nick)]);
      case "gmsg": // to everyone, so it is shown wherever one may look; nothing is left unread
        return this.#hear(event, [...this.conversations.values()]);
      case "joined":
        return this.#come(event);
      case "left":
        return this.#go(event.nick, [this.room(event.room)], "left the room");
      case "disconnected":
        return this.#go(event.nick, [...this.conversations.values()], "is gone");
      case "renamed":
        return this.rename(event.old, event.new);
    }
  }

  #hear(event, conversations) {
    const { id, time, nick, text, type: kind } = event;
    const mine = same(nick, this.nick);
    const item = makeItem({ id, time, nick, text, kind, mine });
    for (const each of conversations) {
      if (!each?.add(item) || mine || kind === "gmsg" || each.key === this.active) continue;
      each.unread += 1;
    }
    if (this.replaying > 0) this.replaying -= 1;
    this.saw(id);
    this.#changed("log", "list");
  }

  #come({ room, nick }) {
    const found = this.room(room);
    if (!found || found.people.has(fold(nick))) return;
    found.people.set(fold(nick), nick);
    if (!same(nick, this.nick)) this.#note(found, `${nick} joined the room`);
    this.#changed("people");
  }

  #go(nick, conversations, how) {
    for (const each of conversations) {
      const concerned = each?.people.delete(fold(nick)) || each?.key === keyOf("direct", nick);
      if (concerned) this.#note(each, `${nick} ${how}`);
    }
    this.#changed("people");
  }

  rename(old, nick) {
    if (same(old, this.nick)) this.setNick(nick);
    for (const each of [...this.conversations.values()]) {
      const here = each.people.delete(fold(old));
      if (here) each.people.set(fold(nick), nick);
      const direct = each.key === keyOf("direct", old);
      if (direct) this.#rekey(each, nick);
      if (here || direct) this.#note(each, `${old} is now known as ${nick}`);
    }
    this.#changed("people", "list");
  }

  /** A direct conversation goes on under the new name, unless there is one already. */
  #rekey(conversation, nick) {
    const key = keyOf("direct", nick);
    const taken = this.conversations.get(key);
    if (taken && taken !== conversation) return;
    if (this.active === conversation.key) this.active = key;
    const entries = [...this.conversations.values()];
    conversation.name = nick;
    this.conversations = new Map(entries.map((each) => [each.key, each]));
  }

  users(room, nicks) {
    const found = this.room(room);
    if (!found) return;
    found.people = new Map(nicks.map((nick) => [fold(nick), nick]));
    found.peopleKnown = true;
    this.#changed("people");
  }

  /**
   * A page of history; `first` is the newest one. With `doubtful` (refs sent on a lost line and never
   * answered) messages of ours found in it count as their answer; returns the refs settled so.
   */
  history(conversation, { messages, more }, { first = false, doubtful = [] } = {}) {
    const before = conversation.knownTo;
    const settled = [];
    const waiting = doubtful.filter((ref) => this.unsent.get(ref)?.places.includes(conversation));
    const items = messages.map(({ id, time, nick, text, type: kind }) => {
      const mine = same(nick, this.nick);
      const isIt = (ref) => this.unsent.get(ref).text.trim() === text.trim();
      const at = mine && before !== null && id > before && !conversation.ids.has(id) ? waiting.findIndex(isIt) : -1;
      if (at >= 0) {
        const [ref] = waiting.splice(at, 1);
        settled.push(ref);
        this.#withdraw(ref);
      }
      return makeItem({ id, time, nick, text, kind, mine });
    });
    const added = conversation.merge(items, more, first);
    if (before !== null && conversation.key !== this.active) {
      conversation.unread += added.filter((item) => item.id > before && !item.mine).length;
    }
    this.#changed("log", "list");
    return settled;
  }

  /** Nothing up to this id is still on its way to us. */
  saw(id) {
    if (this.seen === null || id > this.seen) this.seen = id;
  }

  // --- what we say --------------------------------------------------------------------------

  /** Show a message of ours before the server has it. `conversations` is more than one for everyone's. */
  pend({ ref, kind, text, conversations }) {
    const time = new Date(this.#now()).toISOString();
    const item = makeItem({ ref, kind, text, time, nick: this.nick, mine: true, status: "pending" });
    item.places = conversations;
    this.unsent.set(ref, item);
    for (const each of conversations) each.add(item);
    this.#changed("log");
    return item;
  }

  confirm(ref, { id, time }) {
    const item = this.#withdraw(ref);
    if (!item) return;
    Object.assign(item, { id, time, anchor: id, status: "sent", version: item.version + 1 });
    for (const each of item.places) if (this.conversations.has(each.key)) each.add(item); // unless replayed
    // While a gap is being filled, older messages are still on their way.
    if (this.replaying === 0) this.saw(id);
    this.#changed("log");
  }

  fail(ref, why) {
    const item = this.#withdraw(ref);
    if (!item) return;
    Object.assign(item, { status: "failed", why, version: item.version + 1 });
    this.unsent.set(ref, item);
    for (const each of item.places) each.note(item);
    this.#changed("log");
  }

  /** The user wants a failed message sent after all: to the end with it. */
  repend(item) {
    this.#withdraw(item.ref);
    Object.assign(item, { status: "pending", why: "", anchor: Infinity, version: item.version + 1 });
    this.unsent.set(item.ref, item);
    for (const each of item.places) each.add(item);
    this.#changed("log");
  }

  #withdraw(ref) {
    const item = this.unsent.get(ref);
    this.unsent.delete(ref);
    for (const each of item?.places ?? []) each.remove(item);
    return item;
  }

  /** A word of the page itself, in one conversation or (without one) in all. */
  notice(text, conversation = null) {
    const places = conversation ? [conversation] : [...this.conversations.values()];
    if (places.length === 0) return this.setProblem(text);
    for (const each of places) this.#note(each, text);
  }

  #note(conversation, text) {
    const time = new Date(this.#now()).toISOString();
    conversation.note(makeItem({ kind: "notice", text, time }));
    this.#changed("log");
  }
}
