import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ways } from "../../static/words.js";
import { COMMAND_NAMES, messagesOf, objection, parse, roomName } from "../../static/commands.js";

const HELP = readFileSync(new URL("../../static/index.html", import.meta.url), "utf8");
const inHelp = (word) => [...HELP.matchAll(/<dt>(.*?)<\/dt>/g)].map(([, way]) => way).find((way) => way.split(" ")[0] === word);

const cases = [
  ["hello", { type: "say", text: "hello" }],
  ["//etc", { type: "say", text: "/etc" }],
  ["//me x", { type: "say", text: " /me x" }], // "/me x" would be an action
  ["//meet", { type: "say", text: "/meet" }],
  ["/me waves  twice", { type: "say", text: "/me waves  twice" }],
  ["/JOIN #Python", { type: "join", room: "#python" }],
  ["/join python", { type: "join", room: "#python" }],
  ["/leave", { type: "leave", room: null }],
  ["/leave #a", { type: "leave", room: "#a" }],
  ["/nick Anna", { type: "nick", nick: "Anna" }],
  ["/msg Bob hi there", { type: "direct", to: "Bob", text: "hi there" }],
  ["/dm Bob hi", { type: "direct", to: "Bob", text: "hi" }],
  ["/pm Bob", { type: "direct", to: "Bob", text: "" }],
  ["/msg Bob one\ntwo", { type: "direct", to: "Bob", text: "one\ntwo" }],
  ["/all hi", { type: "all", text: "hi" }],
  ["/who", { type: "who" }],
  ["/WhosOnline ", { type: "online" }],
  ["/ignore Bob", { type: "ignore", nick: "Bob" }],
  ["/ignore", { type: "ignored" }],
  ["/unignore Bob", { type: "unignore", nick: "Bob" }],
  ["/help", { type: "help" }],
  ["/quit", { type: "quit" }],
];
for (const [typed, intent] of cases) {
  test(`${JSON.stringify(typed)} means ${intent.type}`, () => assert.deepEqual(parse(typed), intent));
}

for (const typed of ["/join", "/join #", "/join a b", "/nick", "/nick a b", "/msg", "/all", "/me", "/who x", "/ignore a b", "/unignore"]) {
  test(`${typed} is answered with how to write it`, () => {
    const { type, why } = parse(typed);
    assert.equal(type, "wrong");
    if (!/^.join ./.test(typed)) assert.equal(why, `Please write it so: ${inHelp(typed.split(" ")[0])}`);
  });
}

test("what a command looks like is one of the lines of /help", () => {
  for (const [word, way] of Object.entries(ways)) assert.equal(way, inHelp(`/${word}`));
});

for (const typed of ["/nope x", "/", "/ x", "/constructor", "/__proto__ x", "/toString"]) {
  test(`${typed} is no command and is not said`, () => {
    const { type, why } = parse(typed);
    assert.equal(type, "wrong");
    assert.match(why, /There is no/);
  });
}

for (const typed of ["/msg 1bad hi", `/msg ${"z".repeat(33)} hi`, "/dm Zoë hi", "/nick 1bad", `/nick ${"z".repeat(17_000)}`]) {
  test(`${typed.slice(0, 20)} is answered with what a nick may be`, () => {
    const { type, why } = parse(typed);
    assert.equal(type, "wrong");
    assert.match(why, /^A nick begins with a letter; .* 32 at most/);
  });
}

test("a room name is folded, and its # may be left out", () => {
  assert.equal(roomName(" Py_3-x "), "#py_3-x");
  for (const bad of ["", "#", "##a", "a b", "ä", "a".repeat(64)]) assert.equal(roomName(bad), null);
});

test("each line that says something is a message", () => {
  assert.deepEqual(messagesOf("one\r\n\n  \ntwo  \u2028 three"), ["one", "two", " three"]);
  assert.deepEqual(messagesOf(" \n\t"), []);
});

test("the limit counts characters, not code units, and says where it is passed", () => {
  assert.equal(objection(["😀".repeat(2000)], 2000), "");
  assert.match(objection(["a".repeat(2001)], 2000), /^That is too long: 2000 /);
  assert.match(objection(["a", "b".repeat(2001)], 2000), /^Line 2: That is too long: 2000 /);
  assert.notEqual(objection([], 2000), "");
});

test("the page has a list of all commands", () => {
  const page = readFileSync(new URL("../../static/index.html", import.meta.url), "utf8");
  const help = page.slice(page.indexOf('id="help"'), page.indexOf("</dl>"));
  for (const word of [...COMMAND_NAMES, "/dm", "/pm", "//text"]) assert.ok(help.includes(word), word);
});
