import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explain, farewell } from "../../static/words.js";

const PROTOCOL = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");

test("every code of the protocol is a sentence for people", () => {
  const [table] = PROTOCOL.split("## Error codes")[1].split("## ");
  const codes = [...table.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 20);
  for (const code of codes) assert.match(explain({ code, detail: "7" }), /^(?!Sorry)[A-Z].*\.$/, code);
});

test("a number is told where it helps", () => {
  assert.equal(explain({ code: "too-fast", detail: "6" }), "Too fast. Try again in 6 s.");
  assert.equal(explain({ code: "text-too-long", detail: "300" }), "That is too long: 300 characters are the most.");
  assert.equal(explain({ code: "too-many-rooms", detail: "20" }), "You are in too many rooms (20 are the most): leave one first.");
});

test("a code of a later version is told as it is", () => {
  assert.equal(explain({ code: "room-closed", detail: "until $& noon" }), "Sorry, room closed: until $& noon.");
  assert.equal(explain({ code: "room-closed" }), "Sorry, room closed.");
});

test("every reason for which the server hangs up is said in words", () => {
  const reasons = PROTOCOL.match(/`bye` reasons and close codes: ([^]*?)\.\n/)[1].matchAll(/`([a-z-]+)` (\d{4})/g);
  const told = [...reasons].map(([, reason, code]) => [reason, farewell(reason, code)]);
  assert.ok(told.length >= 5);
  for (const [reason, words] of told) if (reason !== "quit") assert.match(words, /^(the|this) .* /, reason);
  assert.equal(farewell("", 1006), "");
});
