// The side bar: rooms and people to talk with, what is unread, and the way to another room.

import { roomName } from "../commands.js";
import { hashOf } from "../route.js";
import { byId, el, follow, spoken } from "./dom.js";

export function mountRooms({ store, session }) {
  const form = byId("join");
  const field = byId("join-room");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = roomName(field.value);
    field.setAttribute("aria-invalid", !name);
    if (!name) return store.setProblem("A room is # and 1 to 63 of: letters, digits, - and _.");
    field.value = "";
    session.join(name);
  });

  function make(conversation) {
    const link = el("a", {}, el("span", { className: "name" }, conversation.name), el("span", { className: "badge" }));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab: the address says where
      event.preventDefault();
      session.open(conversation.key);
    });
    return el("li", {}, link);
  }

  function update(item, conversation) {
    const link = item.firstChild;
    const [name, badge] = link.children;
    link.href = hashOf(conversation);
    name.textContent = conversation.name;
    link.classList.toggle("unread", conversation.unread > 0);
    if (conversation.key === store.active) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    badge.hidden = conversation.unread === 0;
    badge.replaceChildren(String(conversation.unread), spoken(" unread"));
  }

  return (topics) => {
    if (!topics.has("list")) return;
    const all = [...store.conversations.values()];
    for (const [id, kind] of [["room-list", "room"], ["direct-list", "direct"]]) {
      const list = byId(id);
      const some = all.filter((each) => each.kind === kind);
      follow(list, some, { key: (each) => each, make });
      some.forEach((each, index) => update(list.children[index], each));
    }
    byId("direct").hidden = !all.some((each) => each.kind === "direct");
  };
}
