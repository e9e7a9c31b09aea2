import { messagesOf, objection, parse } from "./commands.js";
import { explain } from "./words.js";

/** submit(text): false when it should stay in the box. */
export function makeSubmit(store, session) {
	const notice = (text) => store.notice(text, store.here);

	function wrong(problem) {
		store.set({ problem });
		return false;
	}
	const no = (code) => wrong(explain({ code }));

	function say(text, how) {
		const messages = messagesOf(text);
		const problem = objection(messages, store.limits.text);
		if (problem) return wrong(problem);
		for (const message of messages) how(message);
	}

	const handlers = {
		wrong: ({ why }) => wrong(why),
		say: ({ text }, here) => say(text, (message) => session.say(message, here)),
		all: ({ text }) => say(text, session.sayToAll),
		direct({ to, text }) {
			if (text && say(text, (message) => session.say(message, store.ensure("direct", to))) === false) return false;
			session.open(store.ensure("direct", to));
		},
		join: ({ room }) => session.join(room),
		leave({ room }, here) {
			const there = room ? store.find("room", room) : here;
			if (!there) return no("not-in-room");
			session.leave(there);
		},
		topic({ text }, here) {
			if (!here.isRoom) return no("no-topics-here");
			if (text === undefined) notice(here.topic ? `Topic: ${here.topic}` : `${here.name} has no topic.`);
			else session.setTopic(here, text);
		},
		rooms: () => store.set({ wanted: "finder" }),
		help: () => store.set({ wanted: "help" }),
		nick: ({ nick }) => session.rename(nick),
		async quit() {
			await session.ask({ type: "ping" }); // what is on its way has arrived then
			if (store.all.every(({ isSaid }) => isSaid) || confirm(explain({ code: "unsent" }))) session.quit();
		},
		who: (_, here) => notice(`In ${here.name}: ${store.nicksIn(here).join(", ")}`),
		async online() {
			const answer = await session.online();
			if (answer.code) wrong(explain(answer));
			else notice(`Online users: ${answer.nicks.join(", ")}`);
		},
		ignored: () => notice(`You ignore ${store.settings.ignored.join(", ") || "nobody"}.`),
		ignore({ nick }) {
			if (store.isMe(nick)) return no("yourself");
			store.ignore(nick);
			notice(`You ignore ${nick}; /unignore ${nick} ends that.`);
		},
		unignore({ nick }) {
			store.ignore(nick, false);
			notice(`You do not ignore ${nick}.`);
		},
	};

	return (text) => {
		if (!text.trim()) return false;
		store.set({ problem: "" });
		const intent = parse(text);
		const here = store.current;
		if (!here && /^(say|leave|topic|who)$/.test(intent.type)) return no("no-room");
		return handlers[intent.type](intent, here) !== false;
	};
}
