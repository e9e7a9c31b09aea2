// What codes and reasons mean, in words for people.

const ERRORS = {
  "username-taken": "Somebody has that name. Please choose another.",
  "nick-taken": "Somebody has that name. Please choose another.",
  "invalid-username": "That name cannot be used",
  "bad-room-name": "That is no name for a room",
  "connection-lost": "There is no connection at the moment. Please try again.",
  "empty-text": "There is nothing to say in that.",
  "login-timeout": "That took too long. Please enter again.",
  "not-in-room": "You are not in that room.",
  "storage-failed": "The server could not store it.",
  "storage-full": "The server has no room to store it.",
  "text-too-long": "That is too long",
  "too-fast": "That was too fast; please wait a moment",
  "too-many-connections": "The server is full at the moment.",
  "too-many-rooms": "You are in as many rooms as one can be. Leave one first.",
  "user-not-found": "Nobody of that name is here.",
};

/** A sentence for an error of the server; an unknown one shows its code. */
export function explain({ code, detail }) {
  const words = ERRORS[code] ?? code;
  if (/\.$/.test(words)) return words;
  return detail && detail !== code ? `${words}: ${detail}` : `${words}.`;
}

const REASONS = {
  restarting: "the server is restarting",
  "resumed-elsewhere": "this chat goes on in another tab or device",
  "login-timeout": "no name was given in time",
  "sendq-exceeded": "this page read too slowly",
  "too-many-connections": "the server is full",
};

const CLOSES = {
  1009: "a message was too large",
  1012: "the server is restarting",
  4000: "no name was given in time",
  4008: "this page read too slowly",
};

/** Why a connection ended, for the status; "" when there is nothing to tell but that it did. */
export const farewell = (reason) => REASONS[reason] ?? reason;
export const closed = (code) => CLOSES[code] ?? "";

/** The connection in a few words; `seconds` until the next try. */
export function describe({ phase, why }, inside, seconds) {
  const because = why ? ` (${why})` : "";
  switch (phase) {
    case "ready":
      return "Connected";
    case "open":
      return "Connecting…";
    case "connecting":
      return `${inside ? "Reconnecting" : "Connecting"}…${because}`;
    case "waiting":
      return `Reconnecting in ${seconds} s…${because}`;
    default:
      return inside || why ? `Offline${because}` : "Not connected";
  }
}
