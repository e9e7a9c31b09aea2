import { fold } from "../conversation.js";
import { byId, el, follow, nickClass } from "./dom.js";

export function mountPeople({ store, session }) {
  const isMe = (nick) => fold(nick) === fold(store.nick);

  function make(nick) {
    if (isMe(nick)) return el("li", { className: "me" }, nick, el("small", {}, " you"));
    const onclick = () => session.talkTo(nick);
    const label = `Ignore ${nick}`;
    const ignore = () => store.ignore(nick, !store.ignores(nick));
    return el(
      "li",
      {},
      el("button", { type: "button", className: nickClass(nick), onclick }, nick),
      el("button", { type: "button", className: "ignore", ariaLabel: label, title: label, onclick: ignore }),
    );
  }

  return () => {
    const { current, nick } = store;
    const direct = current?.kind === "direct";
    const here = direct ? new Set([current.name, nick]) : (current?.people.values() ?? []);
    const nicks = [...here].sort((a, b) => (fold(a) < fold(b) ? -1 : 1));
    // Our own entry is no button, so whose it is belongs to the key.
    follow(byId("people-list"), nicks, { key: (each) => `${each} ${isMe(each)}`, make });
    for (const button of document.querySelectorAll("#people-list .ignore")) {
      button.ariaPressed = store.ignores(button.previousSibling.textContent);
    }
    byId("people-count").textContent = nicks.length || "";
  };
}
