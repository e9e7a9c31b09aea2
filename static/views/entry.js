// The form that asks for a nick.

import { byId } from "./dom.js";

export function mountEntry({ store, session, lastNick }) {
  const form = byId("enter");
  const nick = byId("nick");
  const problem = byId("enter-problem");
  nick.value = lastNick;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = nick.value.trim();
    if (name) session.enter(name);
    else store.setPhase("out", "Please type a name first.");
  });

  let shown = null;
  return (topics) => {
    if (!topics.has("me") && !topics.has("problem")) return;
    const entering = store.phase !== "in";
    byId("entry").hidden = !entering;
    form.setAttribute("aria-busy", store.phase === "entering");
    problem.textContent = entering ? store.problem : "";
    nick.setAttribute("aria-invalid", entering && store.problem !== "");
    if (entering && shown !== store.phase && store.phase === "out") nick.focus();
    shown = store.phase;
  };
}
