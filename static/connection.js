const BASE_DELAY = 500; // ms; times 2^n, with full jitter
const MAX_DELAY = 30_000;
const SILENCE = 20_000; // then we ping
const PATIENCE = 10_000; // for an answer
const QUICK_PATIENCE = 4_000; // after waking up

/** Of an answer that will not come. */
export const GONE = "connection-lost";

/**
 * `on` = {hello(event), event(event), lost(closeCode), status(phase)}.
 * Phases: idle, connecting, open (after hello), ready (the outbox flows), waiting.
 */
export function makeConnection({ url, window, random = Math.random, on }) {
	const asked = new Map(); // ref -> {done, command of a post}
	// A reloaded page may be the same session.
	const prefix = random().toString(36).slice(2, 10);
	let socket = null;
	let wanted = false;
	let phase = "idle";
	let tries = 0;
	let heardAt = null; // since we asked
	let count = 0;
	let timer;
	const now = () => window.performance.now();

	function enter(next) {
		phase = next;
		on.status(phase);
	}

	function later(delay, action) {
		window.clearTimeout(timer);
		timer = window.setTimeout(action, delay);
	}

	function connect() {
		enter("connecting");
		const mine = (socket = new window.WebSocket(url));
		later(PATIENCE, lose);
		mine.onmessage = ({ data }) => mine === socket && receive(JSON.parse(data));
		mine.onclose = ({ code }) => mine === socket && lose(code);
	}

	function receive(event) {
		heardAt = now();
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

	function lose(code) {
		const old = socket;
		socket = null; // first: a close may take minutes
		old?.close(3e3);
		window.clearTimeout(timer);
		phase = "lost";
		for (const [ref, { command, done }] of asked) {
			if (command) continue;
			asked.delete(ref);
			done({ code: GONE });
		}
		on.lost(code);
		if (!wanted) return enter("idle");
		later(random() * Math.min(MAX_DELAY, BASE_DELAY * 2 ** tries), connect);
		tries += 1;
		enter("waiting");
	}

	function rest() {
		later(heardAt + SILENCE - now(), () => (now() - heardAt >= SILENCE ? probe(PATIENCE) : rest()));
	}

	function probe(patience) {
		send({ type: "ping" });
		expect(patience);
	}

	/** Any frame is a sign of life. */
	function expect(patience) {
		heardAt = null;
		later(patience, () => (heardAt === null ? lose() : rest()));
	}

	const newRef = () => `${prefix}-${(count += 1)}`;

	/** Do now what is due later. */
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

		/** A promise of the answer; an error has a `code`. */
		ask(command) {
			const ref = newRef();
			return new Promise((done) => {
				if (!/open|ready/.test(phase)) return done({ code: GONE });
				asked.set(ref, { done });
				send({ ...command, ref });
			});
		},

		/** Sent when the line is ready, and again until answered. */
		post(command, done) {
			asked.set(command.ref, { command, done });
			if (phase !== "ready") return;
			send(command);
			if (heardAt !== null) expect(SILENCE);
		},

		ready() {
			tries = 0; // only now: it may greet and drop us
			enter("ready");
			for (const { command } of asked.values()) if (command) send(command);
		},

		giveUp: lose, // and try later

		pause: (seconds) => new Promise((done) => window.setTimeout(done, seconds * 1000)),

		withdraw: (ref) => asked.delete(ref),
	};
}
