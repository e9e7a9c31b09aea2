// The state of the connection, always in sight.

import { describe } from "../words.js";
import { byId, el } from "./dom.js";

export function mountStatus({ store, session }) {
  const status = byId("status");
  const again = byId("connect-now");
  const words = el("span");
  const count = el("span", { "aria-hidden": "true" }); // else it would be read out each second
  status.append(words, count);
  let timer = null;
  again.addEventListener("click", () => session.connectNow());

  function draw() {
    clearTimeout(timer);
    const { phase, until } = store.status;
    const inside = store.phase === "in";
    const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    const text = describe(store.status, inside, seconds);
    const [, before, ticking, after] = text.match(/^(Reconnecting)( in \d+ s)(.*)$/) ?? [null, text, "", ""];
    if (words.textContent !== before + after.slice(0, 0)) words.textContent = before;
    count.textContent = ticking + after;
    status.dataset.phase = phase;
    again.hidden = !(phase === "waiting" || (phase === "idle" && inside));
    again.textContent = phase === "idle" ? "Use it here" : "Connect now";
    if (phase === "waiting") timer = setTimeout(draw, 1000);
  }

  return (topics) => (topics.has("status") || topics.has("me")) && draw();
}
