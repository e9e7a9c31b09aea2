// Who we are to the server, over as many connections as it takes: log in, take the session back, go
// back to the rooms, fetch what was missed. It joins a connection and a store and knows no DOM.

import { fold, keyOf } from "./conversation.js";
import { GONE } from "./connection.js";
import { closed, explain, farewell } from "./words.js";

/** The server may hold our name for a dropped connection of ours that long (its linger, and a bit). */
const NAME_HELD = 12_000;
const ASK_AGAIN = 1_500;

export class Session {
  #store;
  #connection;
  #pause;
  #now;
  #line = 0; // counts connections, so that work begun on an earlier one knows it is late
  #bye = "";
  #refused = 0; // since when our own name has been taken

  /** `connect(on)` makes the Connection; `pause(ms)` is a promise; `now()` is in ms. */
  constructor({ store, connect, pause, now = () => Date.now() }) {
    this.#store = store;
    this.#pause = pause;
    this.#now = now;
    this.#connection = connect({
      hello: (event) => this.#hello(event),
      event: (event) => this.#event(event),
      lost: (end) => this.#lost(end),
      status: (status) => store.setStatus(status.phase === "ready" ? { ...status, why: "" } : status),
    });
  }

  enter(nick) {
    this.#store.setNick(nick);
    this.#store.setPhase("entering");
    this.connectNow();
  }

  /** Also takes back a chat that went on elsewhere. */
  connectNow() {
    this.#store.setStatus({ why: "" });
    this.#connection.start();
    this.#connection.nudge();
  }

  nudge() {
    this.#connection.nudge();
  }

  async quit() {
    try {
      await this.#connection.request({ type: "quit" }); // `bye` and the end of the line do the rest
    } catch {
      this.#goOut();
    }
  }

  // --- rooms and people ---------------------------------------------------------------------

  open(key) {
    this.#store.activate(key);
    this.#load(this.#store.current);
  }

  async join(name) {
    if (!this.#store.room(name)) {
      try {
        await this.#connection.request({ type: "join", room: name });
      } catch (problem) {
        if (problem.code !== "already-in-that-room") return this.#tell(problem);
      }
      this.#store.ensure("room", name);
    }
    this.open(keyOf("room", name));
  }

  talkTo(nick) {
    this.open(this.#store.ensure("direct", nick).key);
  }

  /** Leave a room, or close a direct conversation. */
  async leave(key) {
    const leaving = this.#store.conversations.get(key);
    if (!leaving) return this.#tell({ code: "not-in-room" });
    if (leaving.kind === "room") {
      try {
        await this.#connection.request({ type: "leave", room: leaving.name });
      } catch (problem) {
        if (problem.code !== "not-in-room") return this.#tell(problem);
      }
    }
    this.#store.drop(key);
    this.#load(this.#store.current);
  }

  async rename(nick) {
    try {
      await this.#connection.request({ type: "nick", nick });
      if (this.#store.nick !== nick) this.#store.rename(this.#store.nick, nick);
      this.#store.notice(`You are now known as ${nick}.`, this.#store.current);
    } catch (problem) {
      this.#tell(problem);
    }
  }

  /** Everybody who is in the chat, or null when nobody could be asked. */
  async online() {
    try {
      return (await this.#connection.request({ type: "who" })).nicks;
    } catch (problem) {
      this.#tell(problem);
      return null;
    }
  }

  older(conversation) {
    const before = conversation.oldest;
    return this.#page(conversation, before ? { before } : {});
  }

  recent(conversation, limit) {
    return this.#page(conversation, { limit }, { first: true });
  }

  // --- saying -------------------------------------------------------------------------------

  say(text, conversation) {
    const kind = conversation.kind === "room" ? "msg" : "dm";
    this.#pend({ ref: this.#connection.newRef(), kind, text, conversations: [conversation] });
  }

  sayToAll(text) {
    const conversations = [...this.#store.conversations.values()];
    this.#pend({ ref: this.#connection.newRef(), kind: "gmsg", text, conversations });
  }

  retry(item) {
    this.#store.repend(item);
    this.#post(item);
  }

  #pend(message) {
    this.#post(this.#store.pend(message));
  }

  #post(item) {
    const { kind: type, text, ref, places } = item;
    const where = { msg: { room: places[0]?.name }, dm: { to: places[0]?.name }, gmsg: {} }[type];
    this.#connection.post({ type, ...where, text, ref }, (answer) => {
      if (answer.type === "error") this.#store.fail(ref, explain(answer));
      else this.#store.confirm(ref, answer);
    });
  }

  // --- a page that is reloaded --------------------------------------------------------------

  /** What a reloaded page needs to be the same session; null when there is none. */
  snapshot() {
    const { phase, token, epoch, nick, seen, conversations, unsent } = this.#store;
    if (phase !== "in" || !token) return null;
    const places = [...conversations.values()].map(({ kind, name }) => ({ kind, name }));
    const waiting = [...unsent.values()].filter((item) => item.status === "pending");
    const outbox = waiting.map(({ ref, kind, text, places: [place] }) => ({ ref, kind, text, to: place?.key }));
    return { token, epoch, nick, seen, places, outbox };
  }

  restore({ token, epoch, nick, seen, places, outbox }) {
    const store = this.#store;
    Object.assign(store, { token, epoch, seen });
    store.setNick(nick);
    for (const { kind, name } of places) store.ensure(kind, name);
    for (const { ref, kind, text, to } of outbox) {
      const place = store.conversations.get(to);
      const conversations = kind === "gmsg" ? [...store.conversations.values()] : [place];
      if (kind === "gmsg" || place) this.#pend({ ref, kind, text, conversations });
    }
    store.setPhase("in");
    this.connectNow();
  }

  // --- connections come and go --------------------------------------------------------------

  async #hello(event) {
    this.#line += 1;
    this.#bye = "";
    const store = this.#store;
    const anew = store.epoch !== null && store.epoch !== event.epoch;
    const known = store.hello(event);
    const line = this.#line;
    try {
      const back = known && store.token && store.seen !== null && (await this.#resume());
      if (!back) await this.#logIn(line, anew);
    } catch (problem) {
      if (problem.code !== GONE) throw problem; // else the next connection begins from here
    }
  }

  /** False when the server will not have it, and a login is next. */
  async #resume() {
    const store = this.#store;
    let answer;
    try {
      answer = await this.#connection.request({ type: "resume", token: store.token, after: store.seen });
    } catch (problem) {
      if (problem.code === GONE) throw problem;
      store.token = null;
      return false;
    }
    store.resumed(answer);
    if (!answer.recovered) {
      store.notice("You were away too long to be told everything you missed; this is what history has.");
    }
    this.#rejoin(answer.rooms);
    this.#connection.ready();
    this.#refresh();
    return true;
  }

  async #logIn(line, anew) {
    const store = this.#store;
    const again = [...store.conversations.values()].some((each) => each.items.length > 0);
    let welcome;
    while (!welcome) {
      try {
        welcome = await this.#connection.request({ type: "login", nick: store.nick });
      } catch (problem) {
        if (problem.code === GONE) throw problem;
        const ours = store.phase === "in" && problem.code === "username-taken";
        if (!ours || !this.#nameMayComeFree()) return this.#refuse(problem);
        store.setStatus({ why: "your name is still taken" });
        await this.#pause(ASK_AGAIN);
        if (line !== this.#line) return;
      }
    }
    this.#refused = 0;
    const doubtful = this.#connection.unanswered();
    store.welcome(welcome);
    this.#rejoin(welcome.rooms);
    // Another session now: the server cannot know our refs. What history has of them must not go twice.
    const places = new Set(doubtful.flatMap((ref) => store.unsent.get(ref)?.places ?? []));
    await Promise.all([...places].map((each) => this.#page(each, {}, { first: true, doubtful })));
    if (line !== this.#line) return;
    this.#connection.ready();
    if (anew) store.notice("The server has started anew; what was said before is not kept.");
    await this.#refresh();
    if (again && !anew) store.notice("The connection was lost and is back; history was loaded afresh.");
  }

  #nameMayComeFree() {
    this.#refused ||= this.#now();
    return this.#now() - this.#refused < NAME_HELD;
  }

  /** Back to the form. What was open and unsent stays for whoever enters next on this page. */
  #refuse(problem) {
    this.#refused = 0;
    this.#connection.stop();
    this.#store.setPhase("out", explain(problem));
  }

  #rejoin(there) {
    const known = new Set(there.map(fold));
    for (const each of this.#store.conversations.values()) {
      if (each.kind !== "room" || known.has(each.key)) continue;
      this.#connection.request({ type: "join", room: each.name }).catch((problem) => {
        if (problem.code === GONE || problem.code === "already-in-that-room") return;
        this.#store.drop(each.key);
        this.#store.notice(`${each.name}: ${explain(problem)}`, this.#store.current);
      });
    }
  }

  /** One after the other, what is looked at first: a user's own command must not queue behind 40. */
  async #refresh() {
    const line = this.#line;
    const { current, conversations } = this.#store;
    const rest = [...conversations.values()].filter((each) => each !== current);
    for (const each of [current, ...rest]) if (line === this.#line) await this.#load(each);
  }

  async #load(conversation) {
    if (!conversation) return;
    if (!conversation.loaded) await this.#page(conversation, {}, { first: true });
    if (conversation.kind !== "room" || conversation.peopleKnown) return;
    try {
      const { nicks } = await this.#connection.request({ type: "who", room: conversation.name });
      this.#store.users(conversation.name, nicks);
    } catch {
      // Offline or no longer in the room: the next opening asks again.
    }
  }

  async #page(conversation, query, options = {}) {
    if (conversation.loading) return;
    const where = conversation.kind === "room" ? { room: conversation.name } : { with: conversation.name };
    this.#store.setLoading(conversation, true);
    try {
      const page = await this.#connection.request({ type: "history", ...where, ...query });
      for (const ref of this.#store.history(conversation, page, options)) this.#connection.withdraw(ref);
      if (options.first) this.#sawAfterPong(page.messages.at(-1)?.id ?? 0);
    } catch (problem) {
      // Someone who is not here has no history with us to be shown; sending to them will say so.
      if (problem.code !== GONE && conversation.kind === "room") this.#tell(problem);
    } finally {
      this.#store.setLoading(conversation, false);
    }
  }

  /**
   * History may overtake a message to another room of ours that is stored but on its way. Only what
   * was asked after the history came is answered after all of those.
   */
  #sawAfterPong(id) {
    this.#connection.request({ type: "ping" }).then(
      () => this.#store.saw(id),
      () => {}, // lost: then we did not see it
    );
  }

  #event(event) {
    if (event.type === "bye") this.#bye = event.reason;
    else if (event.type === "error") this.#complaint(event);
    else {
      this.#store.apply(event);
      // An event can open the first conversation there is.
      if (this.#store.current && !this.#store.current.loaded) this.#load(this.#store.current);
    }
  }

  /** An error that answers nothing: about this connection (the server is full) or a bug of ours. */
  #complaint(event) {
    this.#bye = explain(event);
  }

  #lost({ code }) {
    if (this.#bye === "quit") return this.#goOut();
    this.#store.setStatus({ why: farewell(this.#bye) || closed(code) });
    if (this.#bye === "resumed-elsewhere") this.#connection.stop();
  }

  #goOut() {
    for (const ref of this.#store.unsent.keys()) this.#connection.withdraw(ref);
    const { nick } = this.#store;
    this.#store.reset();
    this.#store.setNick(nick);
    this.#store.setStatus({ why: "" });
    this.#connection.stop();
  }

  #tell(problem) {
    this.#store.setProblem(explain(problem));
  }
}
