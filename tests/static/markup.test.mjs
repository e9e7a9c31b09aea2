import assert from "node:assert/strict";
import { test } from "node:test";
import { mentions, partsOf } from "../../static/markup.js";

const shown = (text, nick) => partsOf(text, nick).map(({ type, text: part }) => `${type}:${part}`);

test("links are http and https only, without the punctuation after them", () => {
  assert.deepEqual(shown("see https://a.example/x?y=1#z."), ["text:see ", "link:https://a.example/x?y=1#z", "text:."]);
  assert.deepEqual(shown("(HTTP://a.example/)!"), ["text:(", "link:HTTP://a.example/", "text:)!"]);
  assert.deepEqual(shown("https://a.example/Tea_(drink)"), ["link:https://a.example/Tea_(drink)"]);
  assert.deepEqual(shown("(https://a.example/Tea_(drink))."), ["text:(", "link:https://a.example/Tea_(drink)", "text:)."]);
  assert.deepEqual(shown("https://a.example/(a)_(b),))"), ["link:https://a.example/(a)_(b)", "text:,))"]);
  for (const text of ["javascript:alert(1)", "ftp://a.example", "data:text/html,x", "https://", "http://[", "xhttp://a"]) {
    assert.deepEqual(partsOf(text).filter(({ type }) => type !== "text"), [], text);
  }
});

test("code is between backticks, and nothing in it is anything else", () => {
  assert.deepEqual(shown("use `a < b` or ```x = `y` ```", "b"), ["text:use ", "code:a < b", "text: or ", "fence:x = `y` "]);
  assert.deepEqual(shown("`https://a.example`"), ["code:https://a.example"]);
  assert.deepEqual(shown("one ` only and ``"), ["text:one ` only and ``"]);
});

test("a name is mentioned as a whole word, in any case", () => {
  assert.deepEqual(shown("hi @ann, Ann-Marie and ANN!", "Ann"), [
    "text:hi ",
    "mention:@ann",
    "text:, Ann-Marie and ",
    "mention:ANN",
    "text:!",
  ]);
  assert.ok(mentions("Ann?", "ann"));
  for (const text of ["anna", "joann", "ann-x", "x_ann"]) assert.ok(!mentions(text, "ann"), text);
  assert.ok(!mentions("anything", ""));
  assert.ok(mentions("oh (", "("));
});

test("nothing of a text is lost", () => {
  const text = "a https://b.example, `c` Ann d";
  assert.equal(partsOf(text, "Ann").map(({ text: part }) => part).join(""), text.replaceAll("`", ""));
});

test("the longest texts take no longer than their length: a walk for each character would not end", () => {
  const MANY = 200_000;
  const texts = [
    `http://a${".".repeat(MANY)}x${".)".repeat(MANY)}`,
    `http://a(${"*".repeat(MANY)}x${")".repeat(MANY)}`,
    "`".repeat(MANY),
    "`a``".repeat(MANY),
    "```a``".repeat(MANY),
    "http:/".repeat(MANY),
    "http://Ann".repeat(MANY),
    "@Ann-".repeat(MANY),
  ];
  for (const text of texts) {
    const shown = partsOf(text, "Ann").map(({ text: part }) => part);
    assert.equal(shown.join("").replaceAll("`", ""), text.replaceAll("`", ""));
  }
});
