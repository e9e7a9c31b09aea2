// The messages of the open conversation.

import { byId, el, follow, spoken } from "./dom.js";
import { nickClass } from "./nick.js";

const NEAR_END = 60; // px; who is that close to the newest message stays with it
const TOGETHER = 5 * 60_000; // ms; messages of one person within it share a heading

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function timeOf(item) {
  const when = new Date(item.time);
  const today = when.toDateString() === new Date().toDateString();
  const short = (today ? clockTime : dayAndTime).format(when);
  return el("time", { dateTime: item.time, title: fullTime.format(when) }, short);
}

function goesOn(item, before) {
  if (!before || item.kind === "notice" || before.kind !== item.kind || before.nick !== item.nick) return false;
  const gap = Date.parse(item.time) - Date.parse(before.time);
  return gap < TOGETHER && !isAction(item) && !isAction(before);
}

const isAction = (item) => item.kind !== "notice" && item.text.startsWith("/me ");

export function mountLog({ store, session }) {
  const log = byId("log");
  const list = byId("messages");
  const older = byId("older");
  older.addEventListener("click", () => store.current && session.older(store.current));

  function stateOf(item) {
    if (item.status === "pending") return [el("span", { className: "waiting" }, spoken("not sent yet"))];
    if (item.status !== "failed") return [];
    const retry = el("button", { type: "button" }, "Retry");
    retry.addEventListener("click", () => session.retry(item));
    return [el("span", { className: "why" }, `Not sent. ${item.why}`, " ", retry)];
  }

  function make(item, before) {
    const joined = goesOn(item, before);
    const node = el("div", { className: `item ${item.kind} ${item.status}` });
    node.version = item.version;
    node.joined = joined;
    node.classList.toggle("joined", joined);
    if (item.kind === "notice") {
      node.append(el("span", { className: "text" }, item.text), " ", timeOf(item));
      return node;
    }
    const nick = el("span", { className: nickClass(item.nick) }, item.nick);
    const head = el("span", { className: "head" }, nick, " ", timeOf(item));
    if (item.kind === "gmsg") nick.after(el("span", { className: "to-all" }, " to everyone"));
    const text = el("span", { className: "text" }, item.text);
    if (isAction(item)) {
      node.classList.add("action");
      text.textContent = "";
      text.append("* ", el("span", { className: nickClass(item.nick) }, item.nick), " ", item.text.slice(4));
      nick.classList.add("spoken");
    }
    node.append(head, " ", text, ...stateOf(item));
    return node;
  }

  const fresh = (node, item, before) => node.version === item.version && node.joined === goesOn(item, before);

  let shown = null;
  let drawn = 0;
  return (topics) => {
    if (!topics.has("log") && !topics.has("list")) return;
    const { current } = store;
    const items = current?.items ?? [];
    const other = current !== shown;
    const atEnd = other || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    const first = list.firstElementChild;
    const height = log.scrollHeight;
    // What was said before is not read out, only what is said now.
    const said = !other && items.length - drawn <= 3;
    log.setAttribute("aria-busy", !said);
    log.setAttribute("aria-label", current?.name ?? "Messages");
    follow(list, items, { key: (item) => item, make, fresh });
    older.hidden = !current?.more;
    older.disabled = Boolean(current?.loading);
    byId("empty").hidden = items.length > 0 || !current || current.loading;
    if (atEnd) log.scrollTop = log.scrollHeight;
    else if (first !== list.firstElementChild) log.scrollTop += log.scrollHeight - height;
    if (!said) requestAnimationFrame(() => log.setAttribute("aria-busy", "false"));
    shown = current;
    drawn = items.length;
  };
}
