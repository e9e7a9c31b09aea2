import { describe } from "../words.js";
import { byId, el, span } from "./dom.js";

export function mountFrame({ store, session }) {
  const status = byId("status");
  const again = byId("again");
  const leave = byId("leave");
  const words = span("");
  const count = el("span", { ariaHidden: "true" }); // else it would be read out each second
  let timer = null;
  status.append(words, count);

  again.onclick = session.connect;
  leave.onclick = () => session.leave(store.current);
  byId("quit").onclick = session.quit;
  for (const drawer of [byId("rooms"), byId("people")]) {
    drawer.onclick = ({ target }) => target.closest("a, .nick, #jump-to") && drawer.hidePopover();
  }

  function drawStatus() {
    clearTimeout(timer);
    const { phase, until } = store.link;
    const inside = store.phase === "in";
    const text = describe(store.link, inside, Math.max(1, Math.ceil((until - Date.now()) / 1000)));
    if (words.textContent !== text.words) words.textContent = text.words;
    count.textContent = text.count;
    status.dataset.phase = phase;
    again.hidden = phase !== "waiting" && !(phase === "idle" && inside);
    again.textContent = phase === "idle" ? "Use it here" : "Connect now";
    if (phase === "waiting") timer = setTimeout(drawStatus, 1000);
  }

  return () => {
    const inside = store.phase === "in";
    const current = inside ? store.current : null;
    const name = inside ? (current?.name ?? "No room") : "";
    const unread = store.all.reduce((sum, each) => sum + each.unread, 0);
    document.body.classList.toggle("inside", inside);
    byId("inside").hidden = !inside;
    byId("title").textContent = name || "Parlour";
    const topic = byId("topic");
    topic.textContent = topic.title = current?.topic ?? "";
    byId("my-nick").textContent = store.nick;
    leave.hidden = !current;
    leave.textContent = current?.kind === "direct" ? "Close" : "Leave";
    document.title = `${unread ? `(${unread}) ` : ""}${name && `${name} · `}Parlour`;
    byId("icon").href = `/static/favicon${unread ? "-unread" : ""}.svg`;
    drawStatus();
    if (store.wanted !== "help") return;
    store.wanted = "";
    byId("help").showPopover();
  };
}
