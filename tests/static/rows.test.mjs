import assert from "node:assert/strict";
import { test } from "node:test";
import { makeItem } from "../../static/conversation.js";
import { comings, rowsOf } from "../../static/rows.js";

let id = 0;
const said = (nick, text, minute = 0, day = 20) =>
  makeItem({ id: (id += 1), kind: "msg", nick, text, time: new Date(2026, 10, day, 9, minute).toISOString() });
const went = (nick, how) => makeItem({ anchor: id, kind: "presence", nick, how, time: new Date(2026, 10, 20, 9).toISOString() });
const drawn = (items, mark) =>
  rowsOf(items, mark).map(({ kind, item, joined, code }) => `${kind}${kind === "msg" ? ` ${item.text}` : ""}${joined ? " +" : ""}${code ? ` ${code}` : ""}`);

test("days stand apart, and who goes on talking has one heading", () => {
  const items = [said("Ann", "a"), said("Ann", "b", 4), said("Ann", "c", 10), said("Bob", "d", 10), said("Bob", "e", 0, 21)];
  assert.deepEqual(drawn(items), ["day", "msg a", "msg b +", "msg c", "msg d", "day", "msg e"]);
});

test("an action and what follows it have headings of their own", () => {
  assert.deepEqual(drawn([said("Ann", "a"), said("Ann", "/me b"), said("Ann", "c")]), ["day", "msg a", "msg /me b", "msg c"]);
});

test("a line stands where one left off", () => {
  const items = [said("Ann", "a"), said("Ann", "b"), said("Ann", "c")];
  assert.deepEqual(drawn(items, items[1].id), ["day", "msg a", "new", "msg b", "msg c +"]);
  assert.deepEqual(drawn(items, 999_999), ["day", "msg a", "msg b +", "msg c +"]);
});

test("comings and goings in a row are one line, of what became of each", () => {
  const items = [went("Ann", "joined"), went("Bob", "joined"), went("Ann", "left"), went("Bob", "joined"), said("Cy", "hi")];
  const rows = rowsOf(items);
  assert.deepEqual(rows.map(({ kind }) => kind), ["day", "presence", "msg"]);
  assert.deepEqual(comings(rows[1].items), ["Ann left", "Bob joined"]);
  const crowd = Array.from({ length: 9 }, (_, n) => went(`P${n}`, "joined"));
  assert.deepEqual(comings(crowd), ["P0, P1, P2, P3, P4, P5 and 3 more joined"]);
});

test("the lines between two fences of one person are code", () => {
  const items = [said("Ann", "```js"), said("Ann", "let a"), said("Ann", "```"), said("Ann", "so")];
  assert.deepEqual(drawn(items), ["day", "msg ```js edge", "msg let a + code", "msg ``` + edge", "msg so +"]);
  assert.deepEqual(drawn([said("Ann", "```"), said("Bob", "no code")]), ["day", "msg ``` edge", "msg no code"]);
});
