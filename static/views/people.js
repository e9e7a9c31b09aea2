// Who is here. A click on somebody opens a conversation with them.

import { fold } from "../conversation.js";
import { byId, el, follow } from "./dom.js";
import { nickClass } from "./nick.js";

export function mountPeople({ store, session }) {
  const list = byId("people-list");

  function make(nick) {
    if (fold(nick) === fold(store.nick)) return el("li", { className: "me" }, nick, el("small", {}, " you"));
    const button = el("button", { type: "button", className: nickClass(nick), title: `Talk with ${nick}` }, nick);
    button.addEventListener("click", () => session.talkTo(nick));
    return el("li", {}, button);
  }

  return (topics) => {
    if (!topics.has("people") && !topics.has("list")) return;
    const { current } = store;
    const direct = current?.kind === "direct";
    const nicks = direct ? [...new Set([current.name, store.nick])] : [...(current?.people.values() ?? [])];
    nicks.sort((a, b) => (fold(a) < fold(b) ? -1 : 1));
    // Our own entry is no button, so who we are is part of what makes an entry.
    follow(list, nicks, { key: (nick) => `${nick} ${fold(nick) === fold(store.nick)}`, make });
    byId("people-count").textContent = nicks.length || "";
  };
}
