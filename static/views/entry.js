import { byId } from "./dom.js";

export function mountEntry({ store, session, lastNick }) {
  const form = byId("enter");
  const { nick } = form;
  let shown = null;
  nick.value = lastNick;

  form.onsubmit = (event) => {
    event.preventDefault();
    const name = nick.value.trim();
    if (name) session.enter(name);
    else store.set({ problem: "Please type a name first." });
  };

  return () => {
    const { phase } = store;
    const inside = phase === "in";
    const problem = inside ? "" : store.problem;
    byId("entry").hidden = inside;
    form.ariaBusy = phase === "entering";
    byId("enter-problem").textContent = problem;
    nick.ariaInvalid = problem !== "";
    if (phase === "out" && phase !== shown) nick.focus();
    shown = phase;
  };
}
