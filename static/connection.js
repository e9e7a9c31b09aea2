// The line to the server: one WebSocket at a time, and what must survive it.

const BASE_DELAY = 500; // ms; try n waits a random part of BASE * 2^n (full jitter)
const MAX_DELAY = 30_000;
const SILENCE = 20_000; // without a frame; then we ask whether anyone is there
const PATIENCE = 10_000; // for an answer, or a first hello
const QUICK_PATIENCE = 4_000; // after waking up, when the line is probably dead
const TOO_LARGE = 1009; // the code of a close

/** The code of an answer that will not come. */
export const GONE = "connection-lost";

const sizeOf = (command) => new TextEncoder().encode(JSON.stringify(command)).length;

/**
 * `on` = {hello(event), event(event), lost(closeCode), status(phase)}.
 * Phases: idle, connecting, open (hello was heard), ready (the outbox flows), waiting (to try again).
 */
export function makeConnection({ url, WebSocket, clock, random = Math.random, on }) {
	const asked = new Map(); // ref -> {command, done, kept}, in the order they were written
	// A reloaded page may be the same session: an old ref would pass for a repetition.
	const prefix = random().toString(36).slice(2, 10);
	let socket = null;
	let wanted = false;
	let phase = "idle";
	let tries = 0;
	let heardAt = 0;
	let alive = false; // something was heard since we asked
	let count = 0;
	let timer = null; // we wait for one thing at a time

	function enter(next) {
		phase = next;
		on.status(phase);
	}

	function later(delay, action) {
		clock.clearTimeout(timer);
		timer = clock.setTimeout(action, delay);
	}

	function connect() {
		enter("connecting");
		const mine = (socket = new WebSocket(url));
		later(PATIENCE, lose);
		mine.onmessage = ({ data }) => mine === socket && receive(JSON.parse(data));
		mine.onclose = ({ code }) => mine === socket && lose(code);
	}

	function receive(event) {
		heardAt = clock.now();
		alive = true;
		if (event.type === "hello") {
			enter("open");
			rest();
			return on.hello(event);
		}
		if (event.ref === undefined) return on.event(event);
		const entry = asked.get(event.ref);
		asked.delete(event.ref);
		entry?.done(event);
	}

	function send(command) {
		if (socket?.readyState === 1) socket.send(JSON.stringify(command));
	}

	/** The largest of what was asked must be what the server could not take. */
	function refuseLargest() {
		const sizes = [...asked].map(([ref, { command }]) => [ref, sizeOf(command)]);
		const [[ref] = []] = sizes.sort(([, a], [, b]) => b - a);
		asked.get(ref)?.done({ type: "error", code: "too-large", detail: "" });
		asked.delete(ref);
	}

	function lose(code) {
		const old = socket;
		socket = null; // first: the close handshake of a dead peer takes minutes
		old?.close();
		clock.clearTimeout(timer);
		phase = "lost";
		if (code === TOO_LARGE) refuseLargest();
		for (const [ref, { kept, done }] of [...asked]) {
			if (kept) continue;
			asked.delete(ref);
			done({ type: "error", code: GONE });
		}
		on.lost(code);
		if (!wanted) return enter("idle");
		later(random() * Math.min(MAX_DELAY, BASE_DELAY * 2 ** tries), connect);
		tries += 1;
		enter("waiting");
	}

	function rest() {
		later(SILENCE, () => (clock.now() - heardAt >= SILENCE ? probe(PATIENCE) : rest()));
	}

	/** Any frame is a sign of life: the pong itself may come late. */
	function probe(patience) {
		alive = false;
		send({ type: "ping" });
		later(patience, () => (alive ? rest() : lose()));
	}

	const newRef = () => `${prefix}-${(count += 1)}`;

	/** Something changed (network, visibility): do now what is due later. */
	function nudge() {
		if (phase === "waiting") connect();
		else if (phase === "ready") probe(QUICK_PATIENCE);
	}

	return {
		newRef,
		nudge,

		start() {
			wanted = true;
			if (phase === "idle") connect();
			else nudge();
		},

		stop() {
			wanted = false;
			if (phase !== "lost") lose();
		},

		/** A promise of the answer; an error, or GONE, is one with a `code`. */
		ask(command) {
			const ref = newRef();
			return new Promise((done) => {
				if (phase !== "open" && phase !== "ready") return done({ type: "error", code: GONE });
				asked.set(ref, { command, done });
				send({ ...command, ref });
			});
		},

		/** Send it when the line is ready, and again after each loss, until answered. */
		post(command, done) {
			asked.set(command.ref, { command, done, kept: true });
			if (phase === "ready") send(command);
		},

		ready() {
			tries = 0; // only now: a server that greets and drops us must not be hammered
			enter("ready");
			for (const { command, kept } of [...asked.values()]) if (kept) send(command);
		},

		giveUp: () => lose(), // this line, and try another one later

		pause: (seconds) => new Promise((done) => clock.setTimeout(done, seconds * 1000)),

		withdraw: (ref) => asked.delete(ref),
	};
}
