// The frame around everything: the header, the two side bars (drawers on a phone), the tab's title.

import { byId } from "./dom.js";

export function mountFrame({ store, session }) {
  const drawers = [
    { button: byId("show-rooms"), panel: byId("rooms") },
    { button: byId("show-people"), panel: byId("people") },
  ];
  const leave = byId("leave");
  let openDrawer = null;

  function show(drawer) {
    const before = openDrawer;
    openDrawer = drawer;
    for (const { button, panel } of drawers) {
      const open = drawer?.panel === panel;
      panel.classList.toggle("open", open);
      button.setAttribute("aria-expanded", open);
    }
    byId("shade").hidden = !drawer;
    if (drawer) drawer.panel.querySelector("a, button, input")?.focus();
    else if (before?.panel.contains(document.activeElement)) before.button.focus();
  }

  for (const drawer of drawers) {
    drawer.button.addEventListener("click", () => show(openDrawer === drawer ? null : drawer));
    // Whoever picked something in a drawer is done with it; a field in it wants more.
    drawer.panel.addEventListener("click", ({ target }) => target.closest("a, li button") && show(null));
    drawer.panel.addEventListener("submit", () => show(null));
  }
  byId("shade").addEventListener("click", () => show(null));
  addEventListener("keydown", ({ key }) => key === "Escape" && openDrawer && show(null));
  leave.addEventListener("click", () => store.active && session.leave(store.active));
  byId("quit").addEventListener("click", () => session.quit());

  return (topics) => {
    if (!topics.has("me") && !topics.has("list")) return;
    const { current } = store;
    const inside = store.phase === "in";
    if (!inside && openDrawer) show(null);
    document.body.classList.toggle("inside", inside);
    byId("chat").hidden = !inside;
    for (const { button, panel } of drawers) button.hidden = panel.hidden = !inside;
    byId("title").textContent = inside ? (current?.name ?? "No room") : "Parlour";
    byId("my-nick").textContent = store.nick;
    leave.hidden = !inside || !current;
    leave.textContent = current?.kind === "direct" ? "Close" : "Leave";
    const unread = [...store.conversations.values()].reduce((sum, each) => sum + each.unread, 0);
    const where = inside && current ? `${current.name} · Parlour` : "Parlour";
    document.title = unread ? `(${unread}) ${where}` : where;
  };
}
