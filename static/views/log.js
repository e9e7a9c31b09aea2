// The messages of the open conversation.

import { byId, el, follow, nickClass, spoken } from "./dom.js";

const NEAR_END = 60; // px; who is that close to the newest message stays with it
const TOGETHER = 5 * 60_000; // ms; messages of one person within it share a heading

const time = { hour: "2-digit", minute: "2-digit" };
const clockTime = new Intl.DateTimeFormat(undefined, time);
const dayTime = new Intl.DateTimeFormat(undefined, { ...time, day: "numeric", month: "short" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function timeOf({ at, time: dateTime }) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  return el("time", { dateTime, title: fullTime.format(at) }, (today ? clockTime : dayTime).format(at));
}

const isAction = ({ kind, text }) => kind !== "notice" && text.startsWith("/me ");
const isPlain = (item) => item.kind !== "notice" && !isAction(item);

/** Whether `item` needs no heading of its own. */
function goesOn(item, before) {
  if (!before || !isPlain(item) || !isPlain(before)) return false;
  return before.nick === item.nick && before.kind === item.kind && item.at - before.at < TOGETHER;
}

export function mountLog({ store, session }) {
  const log = byId("log");
  const list = byId("messages");
  const older = byId("older");
  let shown = null;
  let drawn = 0;
  older.onclick = () => session.older(store.current);

  function make(item, before) {
    const { kind, nick, text, status, version, why } = item;
    const joined = goesOn(item, before);
    const className = `item ${kind} ${status} ${joined ? "joined" : ""} ${isAction(item) ? "action" : ""}`;
    const node = el("div", { className, version, joined });
    const said = el("span", { className: "text" }, text);
    const name = el("span", { className: nickClass(nick ?? "") }, nick ?? "");
    if (kind === "notice") {
      node.append(said, " ", timeOf(item));
    } else if (isAction(item)) {
      said.replaceChildren("* ", name, text.slice(3));
      node.append(said, " ", timeOf(item));
    } else {
      const toAll = kind === "gmsg" ? [el("small", {}, " to everyone")] : [];
      node.append(el("span", { className: "head" }, name, ...toAll, " ", timeOf(item)), " ", said);
    }
    if (status === "pending") node.append(spoken(" (not sent yet)"));
    if (status === "failed") {
      const retry = el("button", { type: "button", onclick: () => session.retry(item) }, "Retry");
      node.append(el("span", { className: "why" }, `Not sent. ${why} `, retry));
    }
    return node;
  }

  const fresh = (node, item, before) => node.version === item.version && node.joined === goesOn(item, before);

  return () => {
    const { current } = store;
    const items = current?.items ?? [];
    const atEnd = current !== shown || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    const top = list.firstChild;
    const height = log.scrollHeight;
    // What is said now is read out; what was said before is not.
    const news = current === shown && items.length - drawn < 4;
    log.ariaBusy = !news;
    log.ariaLabel = current?.name ?? "Messages";
    follow(list, items, { make, fresh });
    older.hidden = !current?.more;
    older.disabled = current?.loading;
    byId("empty").hidden = !current?.loaded || items.length > 0;
    if (atEnd) log.scrollTop = log.scrollHeight;
    else if (top !== list.firstChild) log.scrollTop += log.scrollHeight - height;
    if (!news) setTimeout(() => (log.ariaBusy = false), 500);
    shown = current;
    drawn = items.length;
  };
}
