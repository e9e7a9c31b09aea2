import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { makeSubmit } from "../../static/actions.js";
import { Store } from "../../static/state.js";
import { hello, settled } from "./fakes.mjs";

let store, submit, online, quits;

beforeEach(() => {
  store = new Store();
  store.hello(hello());
  store.welcome({ nick: "Ann", token: "t", rooms: ["#general"] });
  online = { type: "users", nicks: ["Ann", "Bob"] };
  quits = 0;
  submit = makeSubmit(store, { online: async () => online, ask: async () => ({ type: "pong" }), quit: () => (quits += 1) });
});

const type = async (text) => (assert.ok(submit(text)), settled());
const told = () => store.current.items.at(-1)?.text;
const gone = { type: "error", code: "connection-lost", detail: "" };

test("/who names the people of the room", async () => {
  store.users(store.current, ["Ann", "Bob"]);
  await type("/who");
  assert.equal(told(), "In #general: Ann, Bob");
});

test("/who in a direct conversation names both", async () => {
  store.open(store.ensure("direct", "Bob"));
  await type("/who");
  assert.equal(told(), "In Bob: Ann, Bob");
});

test("/whosonline names everyone, and says so when there is no connection", async () => {
  await type("/whosonline");
  assert.equal(told(), "Online users: Ann, Bob");
  online = gone;
  await type("/whosonline");
  assert.match(store.problem, /no connection/);
});

test("what needs no room is answered in none", async () => {
  store.drop(store.current);
  await type("/rooms");
  assert.equal(store.wanted, "finder");
  await type("/whosonline");
  assert.equal(store.here.items.at(-1).text, "Online users: Ann, Bob");
  await type("/ignore Bob");
  assert.match(store.here.items.at(-1).text, /^You ignore Bob/);
  for (const text of ["hi", "/leave", "/topic x", "/who"]) {
    assert.equal(submit(text), false);
    assert.equal(store.problem, "Join a room first.");
  }
});

test("/quit asks when something is written and not sent, or failed, and then only", async (t) => {
  const asked = [];
  let answer = false;
  globalThis.confirm = (text) => (asked.push(text), answer);
  t.after(() => delete globalThis.confirm);
  await type("/quit");
  assert.deepEqual([quits, asked.length], [1, 0]);
  const { current } = store;
  current.draft = "not done";
  await type("/quit");
  assert.deepEqual([quits, asked.length], [1, 1]);
  current.draft = "";
  store.pend({ ref: "r", kind: "msg", text: "said", places: [current] });
  store.fail("r", "why");
  await type("/quit");
  assert.deepEqual([quits, asked.length], [1, 2]);
  answer = true;
  await type("/quit");
  assert.deepEqual([quits, asked.length], [2, 3]);
});
