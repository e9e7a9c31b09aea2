import assert from "node:assert/strict";
import { test } from "node:test";
import { complete } from "../../static/complete.js";

const known = {
  commands: ["/join", "/leave", "/me"],
  rooms: ["#general", "#tea"],
  nicks: ["Ann", "Anna-Lena", "Bob"],
  emoji: { smile: "😄", smirk: "😏" },
};
const texts = (before) => complete(before, known)?.options.map(({ text }) => text) ?? null;

test("a nick is followed by a colon at the beginning, by a space elsewhere", () => {
  assert.deepEqual(texts("bo"), ["Bob: "]);
  assert.deepEqual(texts("hi @an"), ["Ann ", "Anna-Lena "]);
  assert.equal(complete("hi an", known).start, 3);
});

test("commands only at the beginning, rooms and emoji anywhere", () => {
  assert.deepEqual(texts("/JO"), ["/join "]);
  assert.equal(texts("say /jo"), null);
  assert.deepEqual(texts("see #T"), ["#tea "]);
  assert.deepEqual(texts("oh :smi"), ["😄 ", "😏 "]);
  assert.deepEqual(texts("oh :smile:"), ["😄 "]);
  assert.deepEqual(texts("oh :SMI"), ["😄 ", "😏 "]);
  assert.deepEqual(complete(":smil", known).options[0].label, "😄 :smile:");
});

test("nothing to complete is null", () => {
  for (const before of ["", "hi ", "zzz", ":", ":s", "#", "/", "@", "12:30"]) assert.equal(texts(before), null, before);
});

test("however much stands before the word, it is found at once", () => {
  assert.deepEqual(texts(`${"a".repeat(1_000_000)} bo`), ["Bob "]);
});
