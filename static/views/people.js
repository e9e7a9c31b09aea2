import { fold, same } from "../conversation.js";
import { button, byId, el, follow, nickClass } from "./dom.js";

export function mountPeople({ store, session }) {
  const isMe = (nick) => same(nick, store.nick);

  function make(nick) {
    if (isMe(nick)) return el("li", { className: "me" }, nick, el("small", {}, " you"));
    const talk = button(() => session.talkTo(nick), nick);
    talk.className = nickClass(nick);
    const ignore = button(() => store.ignore(nick, !store.ignores(nick)));
    ignore.className = "ignore";
    ignore.ariaLabel = ignore.title = `Ignore ${nick}`;
    return el("li", {}, talk, ignore);
  }

  return () => {
    const { current, nick } = store;
    const list = byId("people-list");
    const here = current?.kind === "direct" ? new Set([current.name, nick]) : (current?.people.values() ?? []);
    const nicks = [...here].sort((a, b) => (fold(a) < fold(b) ? -1 : 1));
    // Our own entry is no button, so whose it is belongs to the key.
    follow(list, nicks, { key: (each) => `${each} ${isMe(each)}`, make });
    nicks.forEach((each, at) => isMe(each) || (list.children[at].lastChild.ariaPressed = store.ignores(each)));
    byId("people-count").textContent = nicks.length || "";
  };
}
