import { byId } from "./dom.js";

export function mountEntry({ store, session, lastNick }) {
  const form = byId("enter");
  const nick = byId("nick");
  let shown = null;
  nick.value = lastNick;

  form.onsubmit = (event) => {
    event.preventDefault();
    const name = nick.value.trim();
    if (name) session.enter(name);
    else store.set({ problem: "Please type a name first." });
  };

  return () => {
    const { phase, problem } = store;
    const inside = phase === "in";
    byId("entry").hidden = inside;
    form.setAttribute("aria-busy", phase === "entering");
    byId("enter-problem").textContent = inside ? "" : problem;
    nick.setAttribute("aria-invalid", !inside && problem !== "");
    if (phase === "out" && phase !== shown) nick.focus();
    shown = phase;
  };
}
