// What a browser remembers for us. Storage may be forbidden, full or broken: then nothing is remembered.

const LAST_NICK = "parlour.nick";
const SESSION = "parlour.session";

function attempt(action, otherwise = null) {
  try {
    return action();
  } catch {
    return otherwise; // in some privacy modes even naming localStorage throws
  }
}

export const lastNick = () => attempt(() => localStorage.getItem(LAST_NICK)) ?? "";
export const rememberNick = (nick) => attempt(() => localStorage.setItem(LAST_NICK, nick));

/**
 * The session of this tab is in its storage only while nobody sees the page: browsers copy the storage
 * into a duplicated tab, and the copy would take the session away from its original.
 */
export function takeSession() {
  return attempt(() => {
    const text = sessionStorage.getItem(SESSION);
    sessionStorage.removeItem(SESSION);
    return JSON.parse(text);
  });
}

export function leaveSession(snapshot) {
  attempt(() => {
    if (snapshot) sessionStorage.setItem(SESSION, JSON.stringify(snapshot));
    else sessionStorage.removeItem(SESSION);
  });
}
