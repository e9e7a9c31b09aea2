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

// A tab's session is in its storage only while nobody sees the page: browsers copy the storage into a
// duplicated tab, and the copy would take the session away from its original.
export const leaveSession = (session) =>
  attempt(() => sessionStorage.setItem(SESSION, JSON.stringify(session)));
export const takeSession = () =>
  attempt(() => {
    const text = sessionStorage.getItem(SESSION);
    sessionStorage.removeItem(SESSION);
    return JSON.parse(text);
  });
