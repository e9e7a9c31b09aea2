const ROOM = /^#?[A-Za-z0-9_-]{1,63}$/;
export const ROOM_RULE = "A room is # and 1 to 63 of: letters, digits, - and _.";

/** The room as the server writes it, or null. The # may be left out. */
export function roomName(text) {
  const word = text.trim();
  return ROOM.test(word) ? "#" + word.replace("#", "").toLowerCase() : null;
}

const wrong = (why) => ({ type: "wrong", why });

const alone = (type) => (rest) => (rest ? null : { type });
const text = (type, before = "") => (rest) => (rest ? { type, text: before + rest } : null);
const join = (rest) => (roomName(rest) ? { type: "join", room: roomName(rest) } : rest && wrong(ROOM_RULE));
const leave = (rest) => (rest && !roomName(rest) ? null : { type: "leave", room: roomName(rest) });
const topic = (rest) => ({ type: "topic", text: rest === "-" ? "" : rest || undefined });
const name = (type) => (rest) => (/^\S+$/.test(rest) ? { type, nick: rest } : null);

function direct(rest) {
  const [, to, words] = rest.match(/^(\S+)\s*([^]*)$/) ?? [];
  return to ? { type: "direct", to, text: words } : null;
}

/** word: [how it is written, what it does, what follows it]. /help is made from this. */
const COMMANDS = {
  join: ["/join #room", "go to a room, or open a new one", join],
  leave: ["/leave [#room]", "leave this room, or the one named", leave],
  rooms: ["/rooms", "which rooms there are, and other places to go", alone("rooms")],
  topic: ["/topic [text]", "what this room is about, or a change of it; - for nothing", topic],
  nick: ["/nick name", "change your name", name("nick")],
  msg: ["/msg name text", "say it to one person; also /dm and /pm", direct],
  all: ["/all text", "say it to everyone", text("all")],
  me: ["/me text", "say what you do", text("say", "/me ")],
  who: ["/who", "who is in this room", alone("who")],
  whosonline: ["/whosonline", "who is in the chat", alone("online")],
  ignore: ["/ignore [name]", "hide what one person says; without a name: who is hidden", (rest) => name("ignore")(rest || "?")],
  unignore: ["/unignore name", "show it again", name("unignore")],
  help: ["/help", "this list", alone("help")],
  quit: ["/quit", "leave the chat", alone("quit")],
};
export const COMMAND_NAMES = Object.keys(COMMANDS).map((name) => `/${name}`);
const OTHERS = { dm: "msg", pm: "msg" };

const LINES = Object.values(COMMANDS).map(([usage, help]) => `${usage}: ${help}`);
export const HELP = [...LINES, "//text: say a text that begins with a slash"].join("\n");

export function parse(typed) {
  if (!typed.startsWith("/")) return { type: "say", text: typed };
  // A message that begins with "/me " is an action, whoever reads it: a space before it makes it words.
  if (typed.startsWith("//")) return { type: "say", text: typed.replace(/^\/(\/me )?/, (_, me) => (me ? ` ${me}` : "")) };
  const [, word, rest] = typed.match(/^\/(\S*)\s*([^]*)$/);
  const name = word.toLowerCase();
  const known = OTHERS[name] ?? name;
  if (!Object.hasOwn(COMMANDS, known)) {
    return wrong(`There is no /${word}; /help has a list. To say it, type //${word}`);
  }
  const [usage, , follows] = COMMANDS[known];
  return follows(rest.trim()) || wrong(`Write it like this: ${usage}`);
}

export const messagesOf = (typed) =>
  typed
    .split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/)
    .map((line) => line.trimEnd())
    .filter(Boolean);

/** Why these cannot be sent, or "". Characters are code points, as the server counts. */
export function objection(messages, limit) {
  if (!messages.length) return "There is nothing to say in that.";
  const at = messages.findIndex((message) => [...message].length > limit);
  if (at < 0) return "";
  const which = messages.length > 1 ? `Line ${at + 1}` : "This message";
  return `${which} has ${[...messages[at]].length} characters, ${limit} is the most. Nothing was sent.`;
}
