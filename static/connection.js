// The line to the server: one WebSocket at a time, and what must survive it.
//
// - Knows no DOM and no chat: frames go in and out, the session gives them a meaning.
// - `request` asks once and fails when the line is lost; `post` (the outbox) asks until it is answered,
//   over as many lines as it takes, always with the same `ref`, so the server can store it once.
// - WebSocket, clock and chance are given from outside, so that Node can test this without a network.

const BASE_DELAY = 500; // ms; attempt n waits a random part of BASE * 2^n (full jitter) ...
const MAX_DELAY = 30_000; // ... which keeps a restarted server from being met by everyone at once
const HELLO_WAIT = 10_000; // a connection that says nothing by then is none
const SILENCE = 20_000; // after this long without a frame we ask whether anyone is there,
const PATIENCE = 10_000; // and give up after this long without any answer.
const QUICK_PATIENCE = 4_000; // the same after waking up, when the line is probably dead

/** The request could not be answered because the line was lost; a `code` like the server's. */
export const GONE = "connection-lost";

export class Problem extends Error {
  constructor(code, detail = "") {
    super(detail || code);
    this.code = code;
    this.detail = detail;
  }
}

export class Connection {
  #url;
  #WebSocket;
  #clock;
  #random;
  #on;
  #socket = null;
  #wanted = false;
  #phase = "idle";
  #attempt = 0;
  #heardAt = 0;
  #retryTimer = null;
  #watchTimer = null;
  #requests = new Map(); // ref -> {resolve, reject}
  #outbox = new Map(); // ref -> {command, answered, sent}, in the order they were written
  #count = 0;
  #prefix;

  /**
   * `on` = {hello(event), event(event), lost({code, why}), status({phase, until})}.
   * Phases: idle, connecting, open (hello was heard), ready (the outbox flows), waiting (to retry).
   */
  constructor({ url, WebSocket, clock, random = Math.random, on }) {
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#random = random;
    this.#on = on;
    // A reloaded page may resume its session, where a ref used before would pass for a repetition.
    this.#prefix = random().toString(36).slice(2, 10) + "-";
  }

  get phase() {
    return this.#phase;
  }

  start() {
    this.#wanted = true;
    if (this.#phase === "idle" || this.#phase === "waiting") this.#connect();
  }

  /** Hang up and stay away until `start`. The outbox is kept. */
  stop() {
    this.#wanted = false;
    this.#clock.clearTimeout(this.#retryTimer);
    if (this.#socket) this.#lose(1000, "stopped");
    else this.#enter("idle");
  }

  /** Something changed for the better (network, visibility): do now what was due later. */
  nudge() {
    if (this.#phase === "waiting") this.#connect();
    else if (this.#phase === "open" || this.#phase === "ready") this.#probe(QUICK_PATIENCE);
  }

  newRef() {
    this.#count += 1;
    return this.#prefix + this.#count;
  }

  /** Ask once. Resolves with the answer; rejects with a Problem: the server's error, or GONE. */
  request(command) {
    return new Promise((resolve, reject) => {
      if (this.#phase !== "open" && this.#phase !== "ready") return reject(new Problem(GONE));
      const ref = this.newRef();
      this.#requests.set(ref, { resolve, reject });
      this.#send({ ...command, ref });
    });
  }

  /** Send when the line is ready, again after each loss, until `answered(event)` got its answer. */
  post(command, answered) {
    const entry = { command, answered, sent: false };
    this.#outbox.set(command.ref, entry);
    if (this.#phase === "ready") this.#put(entry);
  }

  /** The session is established: let the outbox flow. */
  ready() {
    if (this.#phase !== "open") return;
    this.#attempt = 0; // only now: a server that takes us in and drops us must not be hammered
    this.#enter("ready");
    for (const entry of [...this.#outbox.values()]) this.#put(entry);
  }

  /** Refs that were sent on an earlier line and never answered: perhaps stored, perhaps not. */
  unanswered() {
    return [...this.#outbox].filter(([, entry]) => entry.sent).map(([ref]) => ref);
  }

  withdraw(ref) {
    this.#outbox.delete(ref);
  }

  #connect() {
    this.#clock.clearTimeout(this.#retryTimer);
    let socket;
    try {
      socket = new this.#WebSocket(this.#url);
    } catch {
      return this.#wait();
    }
    this.#socket = socket;
    this.#enter("connecting");
    this.#later(HELLO_WAIT, () => this.#lose(0, "no-answer"));
    // A socket we gave up may still speak; only the present one counts.
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lose(code, reason);
  }

  #receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (!event || typeof event !== "object") return;
    this.#heardAt = this.#clock.now();
    if (event.type === "hello") {
      this.#enter("open");
      this.#rest();
      return this.#on.hello(event);
    }
    if (event.ref === undefined) return this.#on.event(event);
    const posted = this.#outbox.get(event.ref);
    if (posted) {
      this.#outbox.delete(event.ref);
      return posted.answered(event);
    }
    const asked = this.#requests.get(event.ref);
    this.#requests.delete(event.ref);
    if (event.type === "error") asked?.reject(new Problem(event.code, event.detail));
    else asked?.resolve(event);
  }

  #put(entry) {
    entry.sent = true;
    this.#send(entry.command);
  }

  #send(command) {
    try {
      this.#socket?.send(JSON.stringify(command));
    } catch {
      // A socket that is closing throws; its close event follows and starts the rest.
    }
  }

  #lose(code, why) {
    const socket = this.#socket;
    this.#socket = null; // first: a dead peer's close handshake may take minutes, nobody waits for it
    this.#clock.clearTimeout(this.#watchTimer);
    try {
      socket?.close();
    } catch {
      // It was closed already.
    }
    const asked = [...this.#requests.values()];
    this.#requests.clear();
    this.#phase = "idle";
    for (const { reject } of asked) reject(new Problem(GONE));
    this.#on.lost({ code, why });
    if (this.#phase !== "idle") return; // the handler has started anew
    if (this.#wanted) this.#wait();
    else this.#enter("idle");
  }

  #wait() {
    const delay = this.#random() * Math.min(MAX_DELAY, BASE_DELAY * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#retryTimer = this.#clock.setTimeout(() => this.#connect(), delay);
    this.#enter("waiting", this.#clock.now() + delay);
  }

  /** Nothing to do until the line has been silent for a while. */
  #rest() {
    this.#later(SILENCE, () => {
      if (this.#clock.now() - this.#heardAt >= SILENCE) this.#probe(PATIENCE);
      else this.#rest();
    });
  }

  /** Any frame is a sign of life: behind a long queue of ours the pong itself may come late. */
  #probe(patience) {
    const asked = this.#clock.now();
    this.#send({ type: "ping" });
    this.#later(patience, () => {
      if (this.#heardAt >= asked) this.#rest();
      else this.#lose(0, "silent");
    });
  }

  #later(delay, action) {
    this.#clock.clearTimeout(this.#watchTimer);
    this.#watchTimer = this.#clock.setTimeout(action, delay);
  }

  #enter(phase, until = 0) {
    this.#phase = phase;
    this.#on.status({ phase, until });
  }
}
