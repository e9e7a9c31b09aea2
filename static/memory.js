// What the browser keeps for us. Where storage is forbidden or full, nothing is kept.

const NICK = "parlour.nick";
const SESSION = "parlour.session";

function attempt(action) {
  try {
    return action();
  } catch {
    return null; // in some privacy modes even naming localStorage throws
  }
}

export const lastNick = () => attempt(() => localStorage.getItem(NICK)) ?? "";
export const rememberNick = (nick) => attempt(() => localStorage.setItem(NICK, nick));

// Only while nobody sees the page: a duplicated tab has a copy, which would take the session away.
export const leaveSession = (session) =>
  attempt(() => sessionStorage.setItem(SESSION, JSON.stringify(session)));
export const takeSession = () =>
  attempt(() => {
    const text = sessionStorage.getItem(SESSION);
    sessionStorage.removeItem(SESSION);
    return JSON.parse(text);
  });
