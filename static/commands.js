import { explain, ways } from "./words.js";

export const isNick = (text) => /^[a-z][\w-]{0,31}$/i.test(text);

/** As the server writes it, or null. The # may be left out. */
export function roomName(text) {
	const word = text.trim();
	return /^#?[\w-]{1,63}$/.test(word) ? "#" + word.replace("#", "").toLowerCase() : null;
}

const no = (code, detail) => ({ type: "wrong", why: explain({ code, detail }) });
const named = (nick, intent) => (isNick(nick) ? intent : no("invalid-username"));

const alone = (type) => (rest) => !rest && { type };
const text = (type, before = "") => (rest) => rest && { type, text: before + rest };
const name = (type) => (rest) => /^\S+$/.test(rest) && named(rest, { type, nick: rest });

function direct(rest) {
	const [, to, words] = rest.match(/^(\S+)\s*([^]*)$/) ?? [];
	return to && named(to, { type: "direct", to, text: words });
}

const COMMANDS = {
	join(rest) {
		const room = roomName(rest);
		return rest && (room ? { type: "join", room } : no("bad-room-name"));
	},
	leave: (rest) => (!rest || roomName(rest)) && { type: "leave", room: roomName(rest) },
	rooms: alone("rooms"),
	topic: (rest) => ({ type: "topic", text: rest === "-" ? "" : rest || undefined }),
	nick: name("nick"),
	msg: direct,
	all: text("all"),
	me: text("say", "/me "),
	who: alone("who"),
	whosonline: alone("online"),
	ignore: (rest) => (rest ? name("ignore")(rest) : { type: "ignored" }),
	unignore: name("unignore"),
	help: alone("help"),
	quit: alone("quit"),
};
export const COMMAND_NAMES = Object.keys(COMMANDS).map((word) => `/${word}`);

export function parse(typed) {
	// "/me " would be an action; a space before it makes it words.
	if (typed.startsWith("//me ")) return { type: "say", text: ` ${typed.slice(1)}` };
	if (!/^\/(?!\/)/.test(typed)) return { type: "say", text: typed.replace(/^\/\//, "/") };
	const [, word, rest] = typed.match(/^\/(\S*)\s*([^]*)$/);
	const known = word.toLowerCase().replace(/^[dp]m$/, "msg");
	if (!Object.hasOwn(COMMANDS, known)) return no("no-such-command", word);
	return COMMANDS[known](rest.trim()) || no("another-way", ways[known]);
}

export const messagesOf = (typed) =>
	typed.split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/).map((line) => line.trimEnd()).filter(Boolean);

/** Why these cannot be sent, or "". Code points count. */
export function objection(messages, limit) {
	if (!messages.length) return explain({ code: "empty-text" });
	const at = messages.findIndex((message) => [...message].length > limit);
	if (at < 0) return "";
	return (messages[1] ? `Line ${at + 1}: ` : "") + explain({ code: "too-long", detail: limit });
}
