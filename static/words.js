const ERRORS = {
  "connection-lost": "There is no connection at the moment. Please try again.",
  "nick-taken": "Somebody has that name. Please choose another.",
  "username-taken": "Somebody has that name. Please choose another.",
  "invalid-username": "A nick begins with a letter; letters, digits, - and _ may follow, 32 at most. A few are reserved.",
  "user-not-found": "Nobody of that name is here.",
};

const plain = (code) => code.replaceAll("-", " ");

export function explain({ code, detail }) {
  return ERRORS[code] ?? (detail ? `Sorry, ${plain(code)}: ${detail}.` : `Sorry, ${plain(code)}.`);
}

const REASONS = {
  restarting: "the server is restarting",
  "resumed-elsewhere": "this chat goes on in another tab",
  1009: "a message was too large",
  1012: "the server is restarting",
  4008: "this page read too slowly",
};

const listed = new Intl.ListFormat("en");

export function whoTypes(nicks) {
  if (!nicks.length) return "";
  return `${nicks.length > 3 ? "Several people" : listed.format(nicks)} ${nicks.length > 1 ? "are" : "is"} typing…`;
}

/** Why a connection ended; "" when it just broke. */
export const farewell = (reason, code) => REASONS[reason || code] ?? plain(reason);

/** The connection in a few words; `count` apart: what changes each second is not for reading out. */
export function describe({ phase, why }, inside, seconds) {
  const because = why && ` (${why})`;
  if (phase === "ready") return { words: "Connected", count: "" };
  if (phase === "waiting") return { words: "Reconnecting", count: ` in ${seconds} s…${because}` };
  if (phase !== "idle") return { words: `${inside ? "Reconnecting" : "Connecting"}…${because}`, count: "" };
  return { words: inside ? `Offline${because}` : "Not connected", count: "" };
}
