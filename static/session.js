import { GONE } from "./connection.js";
import { explain, farewell } from "./words.js";

const PAGE = 200; // at most
const BREAK = 10; // s, after a fault
const TELL_TYPING = 3_000; // ms

export function makeSession({ store, connect }) {
	let line = 0; // counts connections
	let bye = "";
	let typedAt = -TELL_TYPING;

	const connection = connect({
		hello,
		lost,
		status: (phase) => store.setLink({ phase }),
		event(event) {
			if (["bye", "error"].includes(event.type)) bye = event.reason ?? event.code;
			else store.apply(event);
			load(store.current);
		},
	});
	const { ask } = connection;
	const tell = (problem) => store.set({ problem: explain(problem) });

	/** The answer; nothing when it is a no, which is told. */
	async function wish(command, allowed) {
		const answer = await ask(command);
		if (!answer.code || answer.code === allowed) return answer;
		tell(answer);
	}

	async function hello(event) {
		line += 1;
		bye = "";
		const again = store.epoch !== null;
		const known = store.hello(event);
		if (!known || !store.token || (await resume())) logIn(again && !known);
	}

	/** Whether one has to log in instead. */
	async function resume() {
		const answer = await ask({ type: "resume", token: store.token, after: store.seen ?? undefined });
		if (["not-resumable", "username-taken"].includes(answer.code)) return true;
		if (answer.code === GONE) return;
		if (answer.code) return connection.giveUp();
		store.resumed(answer);
		if (!answer.recovered) tell({ code: "missed-more" });
		goOn(answer);
	}

	async function logIn(anew) {
		const answer = await ask({ type: "login", nick: store.nick });
		if (answer.code === GONE) return;
		if (answer.code) {
			connection.stop();
			store.phase = "out";
			return tell(answer);
		}
		store.welcome(answer);
		if (anew) for (const each of store.all) store.notice(explain({ code: "started-anew" }), each);
		goOn(answer);
	}

	function goOn({ rooms }) {
		for (const each of store.all) if (each.isRoom && !rooms.includes(each.name)) goInto(each);
		connection.ready();
		refresh();
	}

	async function goInto(there, from) {
		const mine = line;
		const answer = await ask({ type: "join", room: there.name });
		const { code, detail, topic = "" } = answer;
		there.turn = code === "too-fast" ? connection.pause(detail) : null;
		const again = () => mine === line && store.all.includes(there) && goInto(there, from).then(() => load(there));
		there.turn?.then(again);
		if (!code) store.about(there, topic);
		if (!code || [GONE, "too-fast", "already-in-that-room"].includes(code)) return;
		if (there.isSaid) store.drop(there, from);
		tell(answer);
	}

	function lost(code) {
		store.setLink({ why: farewell(bye, code) });
		if (bye !== "resumed-elsewhere") return;
		connection.stop();
		for (const each of store.all) each.lapse(store.seen ?? 0);
	}

	/** In turn: a command of the user does not queue behind 40. */
	async function refresh() {
		const mine = line;
		for (const each of new Set([store.current, ...store.all])) if (mine === line) await load(each);
	}

	async function load(there) {
		if (!store.all.includes(there) || there.loading || there.turn || store.link.phase !== "ready") return;
		if (!there.loaded) await page(there, {}, "first");
		const { isRoom, name } = there;
		if (there.peopleKnown || !(isRoom || there === store.current)) return;
		there.peopleKnown = true;
		const answer = await ask({ type: "who", room: isRoom ? name : undefined });
		if (answer.nicks) store.users(there, answer.nicks);
		else there.peopleKnown = answer.code !== GONE && !there.turn;
	}

	/** One at a time; what is asked for meanwhile is not read. */
	function page(there, ...what) {
		const done = () => {
			there.loading = null;
			store.set();
		};
		return store.link.phase === "ready" && (there.loading ??= read(there, ...what).then((failed) => {
			if (!failed) return done();
			connection.pause(BREAK).then(done).then(() => load(there));
		}));
	}

	/** Whether to try again later. */
	async function read(there, query, how) {
		const where = { [there.isRoom ? "room" : "with"]: there.name };
		const answer = await ask({ type: "history", ...where, ...query });
		if (answer.messages) {
			store.history(there, answer, how);
			// History may overtake a message, a pong does not.
			const pong = how === "first" && (await ask({ type: "ping" }));
			if (pong && !pong.code) store.saw(answer.messages.at(-1)?.id ?? 0);
		} else if (answer.code !== GONE && !there.turn) {
			if (!store.problem) tell(answer);
			if (!["not-in-room", "bad-request"].includes(answer.code)) return true;
			there.loaded = true;
			there.more = false;
		}
	}

	function pend(kind, text, places) {
		post(store.pend({ ref: connection.newRef(), kind, text, places, follows: places[0].follows() }));
	}

	function post(item) {
		const { kind: type, text, ref, places, follows } = item;
		const [place] = places;
		const { name } = place;
		const where = { msg: { room: name }, dm: { to: name, follows } }[type];
		connection.post({ type, ...where, text, ref }, (answer) => {
			const turn = answer.code === "not-in-room" && place.turn;
			if (turn) turn.then(() => store.unsent.has(ref) && post(item));
			else if (!answer.code) store.confirm(ref, answer);
			else {
				if (answer.code === "somebody-else") item.follows = undefined; // a retry means them
				store.fail(ref, explain(answer));
				if (!places.includes(store.here)) store.notice(`Not sent to ${name}: ${text}`, store.here);
			}
		});
	}

	function open(there) {
		store.open(there);
		load(there);
	}

	return {
		ask,
		open,
		enter(nick) {
			store.set({ nick, token: null, phase: "entering", problem: "" });
			connection.start();
		},
		connect: connection.start,
		nudge: connection.nudge,
		older: (there) => page(there, { before: there.oldest, limit: PAGE / 2 }),
		fill: (there) => page(there, { before: there.hole, limit: PAGE }),
		online: () => ask({ type: "who" }),

		async reveal({ id, room, nick, to }) {
			const there = room ? store.find("room", room) : store.ensure("direct", store.isMe(nick) ? to : nick);
			if (!there) return tell({ code: "not-in-room" });
			open(there);
			await there.loading;
			// A page of long messages is short.
			for (const after of [PAGE / 2, 9, 1]) {
				if (!there.ids.has(id)) await page(there, { before: id + after, limit: PAGE }, "far");
			}
			there.target = id;
			store.set();
		},

		/** Whoever has that name now. */
		talkTo: (nick) => open(Object.assign(store.ensure("direct", nick), { free: true })),

		async quit() {
			await ask({ type: "quit" });
			for (const ref of store.unsent.keys()) connection.withdraw(ref);
			store.reset(store.nick);
			connection.stop();
		},

		join(room) {
			const known = store.find("room", room);
			const from = store.current;
			const there = store.ensure("room", room);
			if (!known) goInto(there, from);
			open(there);
		},

		async leave(there) {
			const { isRoom, name } = there;
			if (isRoom && store.link.phase !== "ready") return tell({ code: GONE });
			if (there === store.current) open(store.beside(there)); // what is typed now is for it
			if (isRoom && !(await wish({ type: "leave", room: name }, "not-in-room"))) return;
			there.turn = null;
			store.drop(there);
		},

		async setTopic(there, text) {
			const answer = await wish({ type: "topic", room: there.name, text });
			if (answer) store.about(there, answer.topic, store.nick);
		},

		async rename(nick) {
			if ((await wish({ type: "nick", nick })) && store.nick !== nick) store.rename(store.nick, nick);
		},

		typing(there) {
			const now = store.now();
			if (!there?.isRoom || !store.settings.typing || now - typedAt < TELL_TYPING) return;
			typedAt = now;
			ask({ type: "typing", room: there.name });
		},

		say: (text, there) => pend(there.isRoom ? "msg" : "dm", text, [there]),
		sayToAll: (text) => pend("gmsg", text, store.everywhere),

		retry(item) {
			store.repend(item.ref);
			post(item);
		},

		snapshot() {
			const { phase, token, epoch, nick, seen, all, shouts, unsent, problem } = store;
			if (phase !== "in" && !all.length) return null; // else its rooms and words wait for a name
			const keep = ({ kind, name, draft, unread, mentions, firstUnread }) => [kind, name, draft, { unread, mentions, firstUnread }];
			const kept = ({ why, places }) => !why || places.some((each) => all.includes(each));
			const pack = ({ ref, kind, text, why, follows, places: [there] }) => [kind, text, [there.kind, there.name], ref, why, follows];
			const outbox = [...unsent.values()].filter(kept).map(pack);
			const heard = shouts.items.slice(-50).map(({ places, ...item }) => item);
			return { phase, token, epoch, nick, seen, problem, names: all.map(keep), heard, outbox };
		},

		restore({ names, heard = [], outbox, phase = "in", ...fields }) {
			try {
				for (const [kind, name, draft, news] of names) Object.assign(store.ensure(kind, name), { draft, ...news });
				store.set({ ...fields, phase });
				store.recall(heard);
				for (const [kind, text, where, ref, why, follows] of outbox) {
					const places = kind === "gmsg" ? store.everywhere : [store.ensure(...where)];
					const item = store.pend({ ref, kind, text, places, follows });
					if (why) store.fail(ref, why);
					else post(item);
				}
			} finally {
				if (phase !== "out") connection.start();
			}
		},
	};
}
