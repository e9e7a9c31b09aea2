import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { GONE, makeConnection } from "../../static/connection.js";
import { fakeClock, fakeSockets, fakeWindow, hello, settled } from "./fakes.mjs";

let clock, Sockets, heard, connection, chance;

beforeEach(() => {
  clock = fakeClock();
  Sockets = fakeSockets();
  heard = [];
  chance = 0.5;
  const note = (kind) => (what) => heard.push([kind, what]);
  const on = { hello: note("hello"), event: note("event"), lost: note("lost"), status: note("status") };
  connection = makeConnection({ url: "ws://x/ws", window: fakeWindow(clock, Sockets), random: () => chance, on });
});

const phases = () => heard.filter(([kind]) => kind === "status").map(([, phase]) => phase);
const phase = () => phases().at(-1);

function makeReady() {
  connection.start();
  Sockets.last.says(hello());
  connection.ready();
}

test("nothing is connected before start, and one socket after it", () => {
  assert.equal(Sockets.all.length, 0);
  connection.start();
  connection.start();
  assert.equal(Sockets.all.length, 1);
  Sockets.last.says(hello());
  assert.deepEqual(phases(), ["connecting", "open"]);
});

test("an answer finds its question by ref, and events without ref go to the session", async () => {
  makeReady();
  const first = connection.ask({ type: "who" });
  const second = connection.ask({ type: "ping" });
  const [a, b] = Sockets.last.sent;
  assert.notEqual(a.ref, b.ref);
  Sockets.last.says({ type: "pong", ref: b.ref });
  Sockets.last.says({ type: "error", code: "not-in-room", detail: "", ref: a.ref });
  Sockets.last.says({ type: "left", room: "#a", nick: "Bob" });
  assert.equal((await second).type, "pong");
  assert.equal((await first).code, "not-in-room");
  assert.deepEqual(heard.at(-1), ["event", { type: "left", room: "#a", nick: "Bob" }]);
});

test("an answer nobody waits for is dropped", () => {
  makeReady();
  const before = heard.length;
  Sockets.last.says({ type: "ok", ref: "from-before" });
  assert.equal(heard.length, before);
});

test("a question is answered as gone when the line is lost or not there", async () => {
  assert.equal((await connection.ask({ type: "who" })).code, GONE);
  makeReady();
  const asked = connection.ask({ type: "who" });
  Sockets.last.breaks();
  assert.equal((await asked).code, GONE);
});

test("a post waits until the session stands, and keeps its order", () => {
  connection.start();
  connection.post({ type: "msg", text: "a", ref: "1" }, () => {});
  Sockets.last.says(hello());
  connection.post({ type: "msg", text: "b", ref: "2" }, () => {});
  assert.equal(Sockets.last.sent.length, 0);
  connection.ready();
  connection.post({ type: "msg", text: "c", ref: "3" }, () => {});
  assert.deepEqual(Sockets.last.sent.map(({ text }) => text), ["a", "b", "c"]);
});

test("a post without an answer is sent again on the next line with the same ref, an answered one is not", () => {
  const answers = [];
  makeReady();
  connection.post({ type: "msg", text: "a", ref: "1" }, (answer) => answers.push(answer.id));
  connection.post({ type: "msg", text: "b", ref: "2" }, (answer) => answers.push(answer.id));
  Sockets.last.says({ type: "ok", ref: "1", id: 7, time: "t" });
  Sockets.last.breaks();
  clock.advance(30_000);
  Sockets.last.says(hello());
  connection.ready();
  assert.deepEqual(Sockets.last.sent, [{ type: "msg", text: "b", ref: "2" }]);
  Sockets.last.says({ type: "ok", ref: "2", id: 8, time: "t" });
  Sockets.last.says({ type: "ok", ref: "2", id: 8, time: "t" });
  assert.deepEqual(answers, [7, 8]);
});

test("a withdrawn post is not sent", () => {
  connection.post({ type: "msg", ref: "1" }, () => {});
  connection.withdraw("1");
  makeReady();
  assert.equal(Sockets.last.sent.length, 0);
});

test("refs differ from those of a page loaded before", () => {
  const other = makeConnection({ url: "", window: fakeWindow(clock, Sockets), random: () => 0.25, on: {} });
  assert.notEqual(connection.newRef(), other.newRef());
  assert.ok(connection.newRef().length <= 64);
});

test("retries wait a random part of 0.5 s, doubled each time up to 30 s", () => {
  chance = 1;
  connection.start();
  const delays = [];
  for (let i = 0; i < 9; i += 1) {
    Sockets.last.breaks();
    delays.push(clock.next());
    clock.advance(clock.next());
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test("only a session that stands resets the waiting", () => {
  chance = 1;
  connection.start();
  const delay = () => clock.next();
  Sockets.last.breaks();
  clock.advance(delay());
  Sockets.last.says(hello()); // and thrown out at once
  Sockets.last.breaks();
  assert.equal(delay(), 1000);
  clock.advance(delay());
  Sockets.last.says(hello());
  connection.ready();
  Sockets.last.breaks();
  assert.equal(delay(), 500);
});

test("a nudge connects at once, and only one socket comes of it", () => {
  chance = 1;
  connection.start();
  Sockets.last.breaks();
  connection.nudge();
  assert.equal(Sockets.all.length, 2);
  Sockets.last.says(hello());
  clock.advance(5000);
  assert.equal(Sockets.all.length, 2);
});

test("silence is answered with a ping, and a line without an answer is given up", () => {
  makeReady();
  clock.advance(19_000);
  assert.equal(Sockets.last.sent.length, 0);
  clock.advance(1_000);
  assert.deepEqual(Sockets.last.sent, [{ type: "ping" }]);
  const dead = Sockets.last;
  clock.advance(9_999);
  assert.equal(phase(), "ready");
  clock.advance(1);
  assert.equal(phase(), "waiting");
  assert.ok(dead.closed);
});

test("a message without an answer is a question whether anyone is there", () => {
  makeReady();
  clock.advance(5_000);
  connection.post({ type: "msg", text: "a", ref: "1" }, () => {});
  clock.advance(16_000);
  connection.post({ type: "msg", text: "b", ref: "2" }, () => {});
  clock.advance(3_999);
  assert.equal(phase(), "ready");
  clock.advance(1);
  assert.equal(phase(), "waiting", "20 s after the first, which the second does not put off");
});

test("a message with an answer is none, and 20 s of silence count from what was heard last", () => {
  makeReady();
  connection.post({ type: "msg", text: "a", ref: "1" }, () => {});
  clock.advance(9_000);
  Sockets.last.says({ type: "ok", ref: "1", id: 7, time: "t" });
  clock.advance(19_999);
  assert.deepEqual([phase(), Sockets.last.sent.length], ["ready", 1]);
  clock.advance(1);
  assert.equal(Sockets.last.sent.at(-1).type, "ping");
  clock.advance(10_000);
  assert.equal(phase(), "waiting");
});

test("any frame is a sign of life", () => {
  makeReady();
  for (let i = 0; i < 20; i += 1) {
    clock.advance(9_000);
    Sockets.last.says({ type: "left", room: "#a", nick: "b" });
  }
  assert.equal(phase(), "ready");
  assert.equal(Sockets.all.length, 1);
});

test("a nudge on a line that seems fine looks whether it is", () => {
  makeReady();
  connection.nudge();
  assert.deepEqual(Sockets.last.sent, [{ type: "ping" }]);
  clock.advance(4_000);
  assert.equal(phase(), "waiting");
});

test("a connection without a hello is given up", () => {
  connection.start();
  clock.advance(10_000);
  assert.equal(phase(), "waiting");
});

test("a socket that was given up is not listened to any more", () => {
  makeReady();
  const old = Sockets.last;
  clock.advance(30_000);
  connection.nudge();
  Sockets.last.says(hello());
  const before = heard.length;
  old.says({ type: "left", room: "#a", nick: "b" });
  old.onclose({ code: 1006 });
  assert.equal(heard.length, before);
  assert.equal(phase(), "open");
});

test("after stop nothing is tried any more, until start", async () => {
  makeReady();
  connection.stop();
  await settled();
  clock.advance(100_000);
  assert.equal(Sockets.all.length, 1);
  assert.equal(phase(), "idle");
  assert.ok(Sockets.last.closed);
  connection.start();
  assert.equal(Sockets.all.length, 2);
});

test("stop while waiting cancels the next try", () => {
  connection.start();
  Sockets.last.breaks();
  connection.stop();
  clock.advance(100_000);
  assert.equal(Sockets.all.length, 1);
  assert.equal(phase(), "idle");
});

