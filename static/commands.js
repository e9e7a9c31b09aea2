// What a typed text means. Never throws: every text becomes an intent, a bad one {type: "wrong", why}.
//
// The table is the one place where a command is named; /help is made from it.

const ROOM = /^#?[A-Za-z0-9_-]{1,63}$/;

const wrong = (why) => ({ type: "wrong", why });

/** The room as the server writes it, or null. The # may be left out. */
export function roomName(text) {
  const word = text.trim();
  return ROOM.test(word) ? "#" + word.replace(/^#/, "").toLowerCase() : null;
}

const noWords = (type) => (rest) => (rest === "" ? { type } : null);

function join(rest) {
  const room = roomName(rest);
  if (rest !== "" && !room) return wrong("A room is # and 1 to 63 of: letters, digits, - and _.");
  return room && { type: "join", room };
}

function leave(rest) {
  if (rest === "") return { type: "leave", room: null };
  const room = roomName(rest);
  return room && { type: "leave", room };
}

const nick = (rest) => (/^\S+$/.test(rest) ? { type: "nick", nick: rest } : null);

function direct(rest) {
  const [, to, text] = rest.match(/^(\S+)\s*([^]*)$/) ?? [];
  return to ? { type: "direct", to, text } : null;
}

const all = (rest) => (rest ? { type: "all", text: rest } : null);
const me = (rest) => (rest && !rest.includes("\n") ? { type: "say", text: "/me " + rest } : null);

function history(rest) {
  if (rest === "") return { type: "history", count: 50 };
  const count = Number(rest);
  return Number.isInteger(count) && count > 0 ? { type: "history", count: Math.min(count, 200) } : null;
}

export const COMMANDS = [
  { words: ["join"], usage: "/join #room", help: "go to a room, or open a new one", parse: join },
  { words: ["leave"], usage: "/leave [#room]", help: "leave this room, or the one named", parse: leave },
  { words: ["nick"], usage: "/nick name", help: "change your name", parse: nick },
  { words: ["msg", "dm", "pm"], usage: "/msg name text", help: "say it to one person", parse: direct },
  { words: ["all"], usage: "/all text", help: "say it to everyone", parse: all },
  { words: ["me"], usage: "/me text", help: "say what you do", parse: me },
  { words: ["who"], usage: "/who", help: "who is in this room", parse: noWords("who") },
  { words: ["whosonline"], usage: "/whosonline", help: "who is in the chat", parse: noWords("online") },
  { words: ["history"], usage: "/history [n]", help: "show the last n messages (200 at most)", parse: history },
  { words: ["help"], usage: "/help", help: "this list", parse: noWords("help") },
  { words: ["quit"], usage: "/quit", help: "leave the chat", parse: noWords("quit") },
];

const byWord = new Map(COMMANDS.flatMap((command) => command.words.map((word) => [word, command])));

export function parse(text) {
  if (!text.startsWith("/")) return { type: "say", text };
  if (text.startsWith("//")) return { type: "say", text: text.slice(1) };
  const [, word, rest] = text.match(/^\/(\S*)\s*([^]*)$/);
  const command = byWord.get(word.toLowerCase());
  if (!command) return wrong(`There is no /${word}; /help tells what there is. To say it, type //${word}`);
  return command.parse(rest.trim()) ?? wrong(`Write it like this: ${command.usage}`);
}

/** The messages a text makes, one per line that says something. */
export function messagesOf(text) {
  const lines = text.split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/).map((line) => line.trimEnd());
  return lines.filter((line) => line.trim() !== "");
}

/** Why these messages cannot be sent, or "". Characters are code points, as the server counts. */
export function tooLong(messages, limit) {
  for (const [index, message] of messages.entries()) {
    const length = [...message].length;
    if (length <= limit) continue;
    const which = messages.length > 1 ? `Line ${index + 1}` : "This message";
    return `${which} has ${length} characters; ${limit} is the most. Nothing was sent.`;
  }
  return "";
}

export function helpLines() {
  return COMMANDS.map(({ words, usage, help }) => {
    const others = words.slice(1).map((word) => "/" + word);
    return `${usage}: ${help}${others.length ? ` (also ${others.join(", ")})` : ""}`;
  }).concat("//text: say a text that begins with a slash");
}
