import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { makeConnection } from "../../static/connection.js";
import { makeSession } from "../../static/session.js";
import { Store } from "../../static/state.js";
import { fakeClock, fakeSockets, fakeWindow, hello, message, settled } from "./fakes.mjs";

let clock, Sockets, store, session;

function newPage() {
  store = new Store(clock.now);
  session = makeSession({
    store,
    connect: (on) => makeConnection({ url: "ws://x/ws", window: fakeWindow(clock, Sockets), on }),
  });
}

beforeEach(() => {
  clock = fakeClock();
  Sockets = fakeSockets();
  newPage();
});

const says = async (event) => (Sockets.last.says(event), settled());
const answers = async (type, answer) => (Sockets.last.answers(type, answer), settled());
const sent = (type) => Sockets.last.sent.filter((command) => command.type === type);
const texts = (room = "#general") => store.find("room", room).items.map(({ text }) => text);
const page = (ids, more = false, room = "#general") => ({
  type: "history",
  room,
  messages: ids.map((id) => message(id, `m${id}`, "Bob", room)),
  more,
});

async function enter(nick = "Ann") {
  session.enter(nick);
  await says(hello());
  await answers("login", { type: "welcome", nick, token: "secret", rooms: ["#general"] });
}
async function enterWithHistory(ids = [1, 2]) {
  await enter();
  await answers("history", page(ids));
  await answers("ping", { type: "pong" });
  await answers("who", { type: "users", room: "#general", nicks: ["Ann", "Bob"] });
}
async function loseAndFind(epoch) {
  Sockets.last.breaks();
  session.connect();
  await says(hello(epoch));
}

test("entering logs in, then fetches history and people of the room", async () => {
  await enterWithHistory();
  assert.equal(store.phase, "in");
  assert.equal(store.link.phase, "ready");
  assert.deepEqual(texts(), ["m1", "m2"]);
  assert.deepEqual([...store.current.people.values()], ["Ann", "Bob"]);
  assert.equal(store.seen, 2);
});

test("history counts as seen only after a pong asked for later", async () => {
  await enter();
  await answers("history", page([1, 2]));
  assert.equal(store.seen, null);
});

test("a taken name is told and asked for again, without staying connected", async () => {
  session.enter("Ann");
  await says(hello());
  await answers("login", { type: "error", code: "username-taken", detail: "" });
  assert.equal(store.phase, "out");
  assert.match(store.problem, /choose another/);
  assert.ok(Sockets.last.closed);
  clock.advance(60_000);
  assert.equal(Sockets.all.length, 1);
  await enter("Anna");
  assert.equal(store.phase, "in");
  assert.equal(store.problem, "");
});

test("an invalid name is told with what a name may be", async () => {
  session.enter("1");
  await says(hello());
  await answers("login", { type: "error", code: "invalid-username", detail: "begin with a letter" });
  assert.match(store.problem, /^A nick begins with a letter; .* 32 at most/);
});

test("after a loss the session is resumed after the last id seen, and the gap is filled", async () => {
  await enterWithHistory();
  await says(message(5));
  await loseAndFind();
  assert.deepEqual(sent("resume").map(({ token, after }) => [token, after]), [["secret", 5]]);
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 1 });
  await says(message(6));
  assert.deepEqual(texts(), ["m1", "m2", "m5", "m6"]);
  assert.equal(sent("history").length, 0);
  assert.equal(sent("who").length, 1);
});

test("what was not answered goes again with its ref after a resume", async () => {
  await enterWithHistory();
  session.say("one", store.current);
  session.say("two", store.current);
  await answers("msg", { type: "ok", id: 9, time: "2026-11-20T09:30:00.123Z" }); // "two" only
  const [{ ref }] = sent("msg");
  await loseAndFind();
  assert.equal(sent("msg").length, 0);
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 0 });
  assert.deepEqual(sent("msg").map((command) => [command.ref, command.text]), [[ref, "one"]]);
});

test("what is said offline waits and goes out when the connection is back", async () => {
  await enterWithHistory();
  Sockets.last.breaks();
  session.say("later", store.current);
  assert.equal(store.current.items.at(-1).status, "pending");
  session.connect();
  await says(hello());
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 0 });
  await answers("msg", { type: "ok", id: 9, time: "2026-11-20T09:30:00.123Z" });
  assert.equal(store.current.items.at(-1).status, "sent");
});

test("an unrecovered resume loads history afresh and says so", async () => {
  await enterWithHistory();
  await loseAndFind();
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: false, missed: 0 });
  await answers("history", page([700, 701], true));
  assert.match(store.problem, /missed more/);
  assert.deepEqual(texts(), ["m700", "m701"]);
});

test("after an unrecovered resume, what is newer than the last seen is unread where one does not look", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  await answers("history", page([1], false, "#b"));
  await answers("ping", { type: "pong" });
  await answers("who", { type: "users", room: "#b", nicks: ["Ann"] });
  await loseAndFind();
  await answers("resume", { ...resumed, rooms: ["#general", "#b"], recovered: false });
  await answers("history", page([700], true, "#b"));
  await answers("ping", { type: "pong" });
  await answers("who", { type: "users", room: "#b", nicks: ["Ann"] });
  await answers("history", page([2, 701, 702], true));
  assert.deepEqual(store.all.map(({ name, unread }) => [name, unread]), [["#general", 2], ["#b", 0]]);
});

test("what cannot be resumed is logged in anew, in the same rooms, with history and what was unsent", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  await answers("history", page([3], false, "#b"));
  await answers("ping", { type: "pong" });
  session.say("lost?", store.current);
  const [{ ref }] = sent("msg");
  await loseAndFind();
  await answers("resume", { type: "error", code: "not-resumable", detail: "" });
  await answers("login", { type: "welcome", nick: "Ann", token: "new", rooms: ["#general"] });
  const order = Sockets.last.sent.map(({ type, room = "" }) => `${type} ${room}`.trim());
  assert.deepEqual(order, ["resume", "login", "join #b", "msg #b", "history #b"]);
  assert.equal(sent("msg")[0].ref, ref);
  await answers("history", page([3, 4], true, "#b"));
  assert.deepEqual(texts("#b"), ["m3", "m4", "lost?"]);
  assert.equal(store.token, "new");
});

test("another epoch is not resumed into, and is told", async () => {
  await enterWithHistory();
  await loseAndFind("e2");
  assert.equal(sent("resume").length, 0);
  await answers("login", { type: "welcome", nick: "Ann", token: "new", rooms: ["#general"] });
  assert.match(texts().at(-1), /started anew/);
  assert.ok(!texts().includes("m1"));
});

test("a name that somebody else has by now is told, and what was open stays", async () => {
  await enterWithHistory();
  await loseAndFind();
  await answers("resume", { type: "error", code: "not-resumable", detail: "" });
  await answers("login", { type: "error", code: "username-taken", detail: "" });
  assert.equal(store.phase, "out");
  assert.match(store.problem, /choose another/);
  assert.deepEqual(texts().slice(0, 2), ["m1", "m2"]);
});

test("a session lost before anything was seen is resumed too: its name is still held for it", async () => {
  await enter();
  await loseAndFind();
  assert.equal(sent("resume").length, 1);
  assert.ok(!("after" in sent("resume")[0]));
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 1 });
  await says(message(3));
  await answers("history", page([1, 2, 3]));
  assert.deepEqual(texts(), ["m1", "m2", "m3"]);
  assert.equal(sent("login").length, 0);
});

test("a chat that goes on elsewhere is not taken back by itself", async () => {
  await enterWithHistory();
  await says({ type: "bye", reason: "resumed-elsewhere" });
  Sockets.last.breaks(1000);
  clock.advance(100_000);
  assert.equal(Sockets.all.length, 1);
  assert.equal(store.phase, "in");
  assert.match(store.link.why, /another tab/);
  session.connect();
  assert.equal(Sockets.all.length, 2);
});

test("who takes the chat back sees what was said from elsewhere", async () => {
  await enterWithHistory();
  await says({ type: "bye", reason: "resumed-elsewhere" });
  Sockets.last.breaks(1000);
  session.connect();
  await says(hello());
  await answers("resume", resumed); // what oneself said is never among the missed
  const mine = message(3, "from elsewhere", "Ann");
  await answers("history", { ...page([1, 2]), messages: [...page([1, 2]).messages, mine] });
  assert.deepEqual(texts(), ["m1", "m2", "from elsewhere"]);
  assert.equal(store.current.unread, 0);
});

test("of two rooms that are left before an answer comes neither is entered again", async () => {
  await enterWithHistory();
  session.join("#tea");
  await answers("join", { type: "ok" });
  session.leave(store.find("room", "#general"));
  session.leave(store.find("room", "#tea"));
  for (const { ref } of sent("leave")) await says({ type: "ok", ref });
  assert.equal(sent("join").length, 1);
  assert.deepEqual(store.all, []);
});

test("a hit in a room that was left meanwhile is told, and opens nothing", async () => {
  await enterWithHistory();
  await session.reveal({ ...message(1), room: "#gone" });
  assert.equal(store.current.name, "#general");
  assert.match(store.problem, /not in that room/);
});

test("a restart is told and reconnects", async () => {
  await enterWithHistory();
  await says({ type: "bye", reason: "restarting" });
  Sockets.last.breaks(1012);
  assert.equal(store.link.phase, "waiting");
  assert.match(store.link.why, /restarting/);
});

test("quit leads back to the form and forgets what was open", async () => {
  await enterWithHistory();
  session.quit();
  await answers("quit", { type: "ok" });
  await says({ type: "bye", reason: "quit" });
  Sockets.last.breaks(1000);
  clock.advance(100_000);
  assert.equal(Sockets.all.length, 1);
  assert.deepEqual([store.phase, store.nick, store.all.length], ["out", "Ann", 0]);
});

test("quit works without a connection too", async () => {
  await enterWithHistory();
  Sockets.last.breaks();
  await session.quit();
  clock.advance(100_000);
  assert.equal(store.phase, "out");
  assert.equal(Sockets.all.length, 1);
});

test("joining opens the room; leaving goes back", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  assert.equal(store.current.name, "#b");
  session.leave(store.current);
  await answers("leave", { type: "ok" });
  assert.equal(store.current.name, "#general");
});

test("a refused join is told and leads back", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "error", code: "too-many-rooms", detail: "20" });
  assert.match(store.problem, /too many rooms/);
  assert.equal(store.all.length, 1);
  assert.equal(store.current.name, "#general");
});

test("a refused join leads back to where one was and leaves what is unread elsewhere unread", async () => {
  await enterWithHistory();
  for (const room of ["#b", "#c"]) {
    session.join(room);
    await answers("join", { type: "ok" });
  }
  session.open(store.find("room", "#b"));
  await says(message(9, "hi", "Bob", "#c"));
  session.join("#d");
  await answers("join", { type: "error", code: "too-many-rooms", detail: "20" });
  assert.equal(store.current.name, "#b");
  assert.equal(store.find("room", "#c").unread, 1);
  assert.match(store.problem, /too many rooms/);
});

test("what is typed right after a leave belongs to the neighbour", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  session.leave(store.current);
  assert.equal(store.current.name, "#general");
  session.say("here I am", store.current);
  assert.equal(sent("msg")[0].room, "#general");
  await answers("leave", { type: "ok" });
  assert.deepEqual(store.all.map(({ name }) => name), ["#general"]);
});

test("without a line a room is not left, and stays open", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  Sockets.last.breaks();
  session.leave(store.current);
  assert.equal(store.current.name, "#b");
  assert.match(store.problem, /no connection/);
});

test("what fails in a conversation that is not open is told in the one that is", async () => {
  await enterWithHistory();
  session.talkTo("Zoe");
  session.say("hi", store.current);
  const [{ ref }] = sent("dm");
  session.open(store.find("room", "#general"));
  await answers("dm", { type: "error", code: "user-not-found", detail: "Zoe" });
  assert.equal(texts().at(-1), "Not sent to Zoe: hi");
  session.open(store.find("direct", "Zoe"));
  session.retry(store.unsent.get(ref));
  await answers("dm", { type: "error", code: "user-not-found", detail: "Zoe" });
  assert.deepEqual(store.current.items.map(({ text }) => text), ["hi"], "here it says so itself");
});

test("what is said while a join is under way goes to the new room, and is not lost if that is refused", async () => {
  await enterWithHistory();
  session.join("#b");
  assert.equal(store.current.name, "#b");
  session.say("first", store.current);
  const types = Sockets.last.sent.map(({ type }) => type);
  assert.ok(types.lastIndexOf("msg") > types.lastIndexOf("join"));
  assert.equal(sent("msg")[0].room, "#b");
  await answers("join", { type: "error", code: "too-many-rooms", detail: "20" });
  await answers("history", { type: "error", code: "not-in-room", detail: "#b" });
  await answers("msg", { type: "error", code: "not-in-room", detail: "#b" });
  assert.match(store.problem, /too many rooms/);
  assert.deepEqual(store.current.items.map(({ text, status }) => [text, status]), [["first", "failed"]]);
});

test("typing is told every 3 s at most, in rooms only, and not at all if one does not want to", async () => {
  await enterWithHistory();
  const type = () => session.typing(store.current);
  type();
  clock.advance(2999);
  type();
  assert.deepEqual(sent("typing").map(({ room }) => room), ["#general"]);
  clock.advance(1);
  type();
  assert.equal(sent("typing").length, 2);
  clock.advance(3000);
  store.choose({ typing: false });
  type();
  store.choose({ typing: true });
  session.talkTo("Bob");
  type();
  assert.equal(sent("typing").length, 2);
});

test("what was found far back is shown after one page, and the hole is filled a page at a time", async () => {
  await enterWithHistory([9000, 9001]);
  const found = session.reveal({ ...message(3000), room: "#general" });
  await settled();
  assert.deepEqual(sent("history").at(-1).before, 3100);
  await answers("history", page([2999, 3000, 3001], true));
  await found;
  assert.equal(store.current.target, 3000);
  assert.deepEqual(texts(), ["m2999", "m3000", "m3001", "m9000", "m9001"]);
  session.fill(store.current);
  session.fill(store.current); // one at a time
  assert.equal(sent("history").at(-1).before, 9000);
  assert.equal(sent("history").length, 3);
  await answers("history", page([3001, 3002, 8999], true));
  assert.deepEqual(texts(), ["m2999", "m3000", "m3001", "m3002", "m8999", "m9000", "m9001"]);
  assert.equal(store.current.hole, 0);
});

test("what was found among long messages, of which a page holds few, is found all the same", async () => {
  await enterWithHistory([9000, 9001]);
  const found = session.reveal({ ...message(3000), room: "#general" });
  await settled();
  const newest = Array.from({ length: 16 }, (_, index) => 3084 + index);
  await answers("history", page(newest, true));
  const [{ before }] = sent("history").slice(-1);
  assert.ok(before > 3000 && before < 3016, `${before}`);
  await answers("history", page(newest.map((id) => before - 3100 + id), true));
  await found;
  assert.ok(store.current.ids.has(3000));
  assert.equal(store.current.target, 3000);
  assert.deepEqual([store.current.hole, texts().slice(-2)], [9000, ["m9000", "m9001"]]);
});

test("a direct message to nobody fails with the reason", async () => {
  await enterWithHistory();
  session.talkTo("Zoe");
  session.say("hi", store.current);
  await answers("dm", { type: "error", code: "user-not-found", detail: "Zoe" });
  assert.equal(store.current.items.at(-1).why, "Nobody of that name is here.");
  session.retry(store.current.items.at(-1));
  assert.equal(sent("dm").length, 2);
  assert.equal(sent("dm")[0].ref, sent("dm")[1].ref);
});

const told = (id, nick = "Bob", to = "Ann") => says({ ...message(id), type: "dm", nick, to, room: undefined });
const meant = () => sent("dm").map(({ follows }) => follows);
const stranger = { type: "error", code: "somebody-else", detail: "Bob" };

const ok = (id) => ({ type: "ok", id, time: "2026-11-20T09:30:00.123Z" });
const direct = (nick) => store.find("direct", nick);

test("what is written in a conversation is for the one who was spoken with, not for whoever has the name", async () => {
  await enterWithHistory();
  await told(3);
  session.open(direct("Bob"));
  session.say("one", direct("Bob"));
  assert.deepEqual(meant(), [3]);
  await answers("dm", ok(4));
  await told(5); // it may be somebody else who says that
  session.say("two", direct("Bob"));
  assert.deepEqual(meant(), [3, 4]);
});

test("what is written before the first has an answer follows that one", async () => {
  await enterWithHistory();
  session.talkTo("Bob");
  for (const text of ["one", "two", "three"]) session.say(text, direct("Bob"));
  const [one, two] = sent("dm");
  assert.deepEqual(meant(), [undefined, one.ref, two.ref]);
});

test("a conversation that is opened again is with the one of its history", async () => {
  await enterWithHistory();
  await told(9); // somebody else
  session.open(direct("Bob"));
  const { ref } = sent("history").at(-1);
  await says({ type: "history", ref, with: "Bob", messages: [3, 4].map((id) => ({ ...message(id), type: "dm", to: "Ann" })), more: false });
  session.say("one", direct("Bob"));
  assert.deepEqual(meant(), [3]);
});

test("somebody else is told nothing until one tries that message again", async () => {
  await enterWithHistory();
  await told(3);
  session.open(direct("Bob"));
  for (const text of ["one", "two"]) session.say(text, direct("Bob"));
  const [one, two] = direct("Bob").items.slice(-2);
  Sockets.last.says({ ...stranger, ref: one.ref });
  await says({ ...stranger, ref: two.ref });
  assert.match(two.why, /Bob now came in anew or is somebody else.* Retry/);
  await told(5);
  session.say("three", direct("Bob"));
  assert.deepEqual(meant(), [3, one.ref, 3]);
  await answers("dm", stranger);
  session.retry(two);
  session.say("four", direct("Bob"));
  assert.deepEqual(meant().slice(3), [undefined, two.ref]);
});

test("what failed for another reason is for the same person when it is tried again", async () => {
  await enterWithHistory();
  await told(3);
  session.say("one", direct("Bob"));
  await answers("dm", { type: "error", code: "storage-full", detail: "" });
  session.sayToAll("all");
  await answers("gmsg", { type: "error", code: "storage-full", detail: "" });
  for (const item of store.unsent.values()) session.retry(item);
  assert.deepEqual(meant(), [3, 3]);
});

test("who is chosen among the people is meant, whoever had that name before", async () => {
  await enterWithHistory();
  await told(3);
  session.talkTo("Bob");
  session.say("one", direct("Bob"));
  session.say("two", direct("Bob"));
  assert.deepEqual(meant(), [undefined, sent("dm")[0].ref]);
});

test("who is chosen is still meant after something was said to everyone", async () => {
  await enterWithHistory();
  await told(3);
  session.leave(store.find("room", "#general"));
  await answers("leave", { type: "ok" });
  session.talkTo("Bob");
  session.sayToAll("hi");
  session.say("one", direct("Bob"));
  assert.deepEqual(meant(), [undefined]);
});

test("what all hear makes nobody the one who is meant", async () => {
  await enterWithHistory();
  session.talkTo("Bob");
  await says({ ...message(3), type: "gmsg", room: undefined });
  session.sayToAll("hi");
  await answers("gmsg", ok(4));
  session.say("one", direct("Bob"));
  assert.deepEqual(meant(), [undefined]);
});

test("a reload does not forget who is meant, also where the conversation was closed", async () => {
  await enterWithHistory();
  await told(3);
  Sockets.last.breaks();
  session.say("one", direct("Bob"));
  await session.leave(direct("Bob"));
  reload();
  await says(hello());
  await answers("resume", resumed);
  assert.deepEqual(meant(), [3]);
});

test("a reloaded page is the same session, with what it had not sent", async () => {
  await enterWithHistory();
  session.say("unsent", store.current);
  const [{ ref }] = sent("msg");
  const left = JSON.parse(JSON.stringify(session.snapshot()));
  Sockets.last.breaks();
  newPage();
  session.restore(left);
  await says(hello());
  assert.deepEqual(sent("resume").map(({ token, after }) => [token, after]), [["secret", 2]]);
  await answers("resume", { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 0 });
  assert.deepEqual(sent("msg").map((command) => [command.ref, command.text]), [[ref, "unsent"]]);
  await answers("history", page([1, 2]));
  assert.deepEqual(texts(), ["m1", "m2", "unsent"]);
});

test("without a session there is nothing to keep", () => assert.equal(session.snapshot(), null));

test("topics come with the answers, change by events and by ourselves", async () => {
  await enterWithHistory();
  session.join("#tea");
  await answers("join", { type: "ok", topic: "green" });
  const tea = store.find("room", "#tea");
  assert.equal(tea.topic, "green");
  await says({ type: "topic", room: "#tea", nick: "Bob", text: "black" });
  assert.equal(tea.topic, "black");
  session.setTopic(tea, " white ");
  await answers("topic", { type: "ok", topic: "white" });
  assert.equal(tea.topic, "white");
  assert.deepEqual(texts("#tea"), ["Bob changed the topic: black", "You changed the topic: white"]);
  await loseAndFind("e1");
  const back = { type: "resumed", nick: "Ann", rooms: ["#general", "#tea"], recovered: true, missed: 0 };
  await answers("resume", { ...back, topics: { "#general": "all" } });
  assert.deepEqual(store.all.map(({ topic }) => topic), ["all", ""]);
});

test("a topic that is refused is told and stays as it was", async () => {
  await enterWithHistory();
  session.setTopic(store.current, "x".repeat(301));
  await answers("topic", { type: "error", code: "text-too-long", detail: "300" });
  assert.equal(store.current.topic, "");
  assert.match(store.problem, /too long: 300/);
});

test("a reloaded page has its drafts", async () => {
  await enterWithHistory();
  store.current.draft = "not yet";
  const left = JSON.parse(JSON.stringify(session.snapshot()));
  newPage();
  session.restore(left);
  assert.equal(store.current.draft, "not yet");
});

/** The page is reloaded without a line. */
function reload() {
  const left = JSON.parse(JSON.stringify(session.snapshot()));
  Sockets.last.breaks();
  newPage();
  session.restore(left);
}
const resumed = { type: "resumed", nick: "Ann", rooms: ["#general"], recovered: true, missed: 0 };

test("what was written in a conversation that is closed by now survives a reload", async () => {
  await enterWithHistory();
  Sockets.last.breaks();
  session.talkTo("Bob");
  session.say("to Bob", store.current);
  await session.leave(store.current);
  session.say("to all here", store.current);
  session.sayToAll("to everyone");
  reload();
  await says(hello());
  await answers("resume", resumed);
  assert.deepEqual(sent("dm").map(({ to, text }) => [to, text]), [["Bob", "to Bob"]]);
  assert.deepEqual(sent("msg").map(({ room, text }) => [room, text]), [["#general", "to all here"]]);
  assert.equal(sent("gmsg").length, 1);
});

test("what all heard is there after a reload, and unread if nobody has seen it", async () => {
  await enterWithHistory();
  session.sayToAll("mine");
  await answers("gmsg", { type: "ok", id: 3, time: message(3).time });
  store.setAway(true);
  await says({ ...message(4, "fire drill"), type: "gmsg", room: undefined });
  reload();
  const shown = () => store.current.items.filter(({ kind }) => kind === "gmsg");
  assert.deepEqual(shown().map(({ text, nick, mine }) => [text, nick, mine]), [["mine", "Ann", true], ["fire drill", "Bob", false]]);
  assert.deepEqual([store.current.unread, store.current.firstUnread], [1, 4]);
  await says(hello());
  await answers("resume", { ...resumed, recovered: false });
  await answers("history", page([1, 2]));
  assert.deepEqual(texts(), ["m1", "m2", "mine", "fire drill"]);
});

test("a page that cannot read all that was kept connects all the same", async () => {
  await enterWithHistory();
  const left = session.snapshot();
  newPage();
  const before = Sockets.all.length;
  assert.throws(() => session.restore({ ...left, outbox: [["dm", "hi", null, "ref"]] }));
  assert.equal(Sockets.all.length, before + 1);
});

test("what could not be sent is there after a reload, with why, and can be tried again", async () => {
  await enterWithHistory();
  session.say("precious", store.current);
  const [{ ref }] = sent("msg");
  await answers("msg", { type: "error", code: "storage-full", detail: "" });
  reload();
  await says(hello());
  await answers("resume", resumed);
  assert.equal(sent("msg").length, 0);
  await answers("history", page([1, 2]));
  const item = store.current.items.find(({ text }) => text === "precious");
  assert.equal(item.status, "failed");
  assert.match(item.why, /no room left/);
  session.retry(item);
  assert.deepEqual(sent("msg").map((command) => command.ref), [ref]);
  reload();
  await says(hello());
  await answers("resume", resumed);
  assert.deepEqual(sent("msg").map((command) => command.ref), [ref]);
});

test("what failed in a conversation that was closed is gone with it", async () => {
  await enterWithHistory();
  session.talkTo("Zoe");
  session.say("hi", store.current);
  await answers("dm", { type: "error", code: "user-not-found", detail: "Zoe" });
  await session.leave(store.current);
  reload();
  assert.deepEqual(store.all.map(({ name }) => name), ["#general"]);
});

test("who lost the name and reloads is asked for another one, and has the rooms and all that was unsent", async () => {
  await enterWithHistory();
  session.join("#tea");
  await answers("join", { type: "ok" });
  Sockets.last.breaks();
  session.say("typed offline", store.current);
  session.connect();
  await says(hello());
  await answers("resume", { type: "error", code: "not-resumable", detail: "" });
  await answers("login", { type: "error", code: "username-taken", detail: "" });
  const before = Sockets.all.length;
  reload();
  assert.equal(store.phase, "out");
  assert.match(store.problem, /Somebody has that name/);
  assert.equal(Sockets.all.length, before);
  await enter("Anna");
  assert.deepEqual(sent("join").map(({ room }) => room), ["#tea"]);
  assert.deepEqual(sent("msg").map(({ room, text }) => [room, text]), [["#tea", "typed offline"]]);
});

const tooFast = { type: "error", code: "too-fast", detail: "6" };
const wait = async (ms) => (clock.advance(ms), settled());

/** In #a and #b besides #general, logged in anew by a server that lets only #a be joined at once. */
async function loseRooms() {
  await enterWithHistory();
  for (const room of ["#a", "#b", "#c"]) {
    session.join(room);
    await answers("join", { type: "ok" });
  }
  session.say("for b", store.find("room", "#b"));
  await loseAndFind();
  await answers("resume", { type: "error", code: "not-resumable", detail: "" });
  await answers("login", { type: "welcome", nick: "Ann", token: "new", rooms: ["#general"] });
  const [a, b, c] = sent("join");
  await says({ type: "ok", ref: a.ref });
  for (const { ref } of [b, c]) await says({ ...tooFast, ref });
}

test("rooms that may not be joined again so fast are asked for again when they may, and nothing is told", async () => {
  await loseRooms();
  assert.equal(store.problem, "");
  await wait(5_999);
  assert.equal(sent("join").length, 3);
  await wait(1);
  const [b, c] = sent("join").slice(3);
  assert.deepEqual([b.room, c.room], ["#b", "#c"]);
  await says({ type: "ok", topic: "bees", ref: b.ref });
  await says({ ...tooFast, ref: c.ref });
  assert.equal(store.find("room", "#b").topic, "bees");
  await wait(6_000);
  assert.deepEqual(sent("join").slice(5).map(({ room }) => room), ["#c"]);
  await answers("join", { type: "ok" });
  assert.deepEqual(store.all.map(({ name }) => name), ["#general", "#a", "#b", "#c"]);
  assert.equal(store.problem, "");
});

test("what was said in a room that has to wait is said, and read, when it is joined", async () => {
  await loseRooms();
  const there = store.find("room", "#b");
  session.open(there);
  await settled();
  const asked = sent("history").filter(({ room }) => room === "#b").length;
  await answers("msg", { type: "error", code: "not-in-room", detail: "#b" });
  assert.equal(there.items[0].status, "pending");
  await wait(6_000);
  const said = Sockets.last.sent.slice(-3).map(({ type, room }) => [type, room]);
  assert.deepEqual(said, [["join", "#b"], ["msg", "#b"], ["join", "#c"]], "first into the room");
  await says({ type: "ok", ref: Sockets.last.sent.at(-3).ref });
  assert.deepEqual(sent("msg").map(({ room, text }) => [room, text]), [["#b", "for b"], ["#b", "for b"]]);
  assert.equal(sent("msg")[0].ref, sent("msg")[1].ref);
  assert.equal(sent("history").filter(({ room }) => room === "#b").length, asked + 1);
});

test("history that was asked for before a room had to wait is asked for again", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", tooFast);
  await answers("history", { type: "error", code: "not-in-room", detail: "#b" });
  assert.equal(store.problem, "");
  await wait(6_000);
  await answers("join", { type: "ok" });
  await answers("history", page([4], false, "#b"));
  assert.deepEqual(texts("#b"), ["m4"]);
});

test("a room that has to wait and is left, or is there again by another line, is not joined again", async () => {
  await loseRooms();
  session.leave(store.find("room", "#c"));
  await answers("leave", { type: "error", code: "not-in-room", detail: "#c" });
  await loseAndFind();
  await answers("resume", { ...resumed, rooms: ["#general", "#a", "#b"] });
  await wait(13_000);
  assert.equal(sent("join").length, 0);
  assert.equal(sent("history").filter(({ room }) => room === "#b").length, 1, "it is read");
});

test("what was said in a room that had to wait and is left is not sent for ever", async () => {
  await loseRooms();
  const notIn = { type: "error", code: "not-in-room", detail: "#b" };
  session.open(store.find("room", "#b"));
  await answers("msg", notIn);
  session.leave(store.current);
  await answers("leave", notIn);
  await wait(6_000);
  await answers("msg", notIn);
  await wait(20_000);
  assert.equal(sent("msg").length, 2);
});

test("whoever leaves a room that has to wait stays where it goes then", async () => {
  await enterWithHistory();
  session.join("#tea");
  await answers("join", { type: "ok" });
  session.join("#b");
  await answers("join", tooFast);
  session.leave(store.current);
  await answers("leave", { type: "error", code: "not-in-room", detail: "#b" });
  session.open(store.find("room", "#general"));
  await wait(6_000);
  assert.equal(store.current.name, "#general");
});

test("a room that waits while the line is lost is joined on the next one", async () => {
  await loseRooms();
  Sockets.last.breaks();
  await wait(0);
  session.connect();
  await says(hello());
  await answers("resume", { ...resumed, rooms: ["#general", "#a"] });
  assert.deepEqual(sent("join").map(({ room }) => room), ["#b", "#c"]);
});

test("after a resume that did not recover, what was seen begins anew with what is there then", async () => {
  await enterWithHistory([100, 105]);
  await loseAndFind(); // the log is back from a copy that ends with 100
  await answers("resume", { ...resumed, recovered: false });
  await answers("history", page([99, 100]));
  await answers("ping", { type: "pong" });
  assert.equal(store.seen, 100);
  await says(message(101));
  await says(message(102));
  await loseAndFind();
  assert.equal(sent("resume")[0].after, 102);
});

for (const code of ["storage-failed", "internal-error"]) {
  test(`a resume that fails for now (${code}) is tried again, later each time, and the session is kept`, async () => {
    await enterWithHistory();
    await loseAndFind();
    for (let tries = 0; tries < 3; tries += 1) {
      await answers("resume", { type: "error", code, detail: "" });
      assert.deepEqual([store.phase, store.token, store.link.phase], ["in", "secret", "waiting"]);
      assert.equal(sent("login").length, 0);
      session.connect();
      await says(hello());
    }
    await answers("resume", resumed);
    assert.equal(store.link.phase, "ready");
  });
}

const failed = { type: "error", code: "storage-failed", detail: "" };

test("history that could not be read is asked for again after a while, not at each event", async () => {
  await enter();
  await answers("history", failed);
  await answers("who", { type: "users", room: "#general", nicks: ["Ann"] });
  for (const id of [7, 8]) await says(message(id));
  assert.equal(sent("history").length, 1);
  await wait(10_000);
  assert.equal(sent("history").length, 2);
  await answers("history", page([5, 6, 7, 8], true));
  assert.deepEqual(texts(), ["m5", "m6", "m7", "m8"]);
  assert.deepEqual([store.current.loaded, store.current.more], [true, true]);
});

test("an older page that could not be read may be asked for again after a while", async () => {
  await enterWithHistory([5, 6]);
  store.current.more = true;
  session.older(store.current);
  await answers("history", failed);
  session.older(store.current);
  assert.equal(sent("history").length, 2);
  await wait(10_000);
  assert.ok(store.current.more);
  session.older(store.current);
  assert.equal(sent("history").length, 3);
});

test("what may not be read is not asked for again", async () => {
  await enterWithHistory();
  session.join("#b");
  await answers("join", { type: "ok" });
  await answers("history", { type: "error", code: "not-in-room", detail: "#b" });
  await wait(15_000);
  assert.ok(store.current.loaded);
  assert.equal(sent("history").length, 2);
});

test("history that could not be read on one line is asked for on the next one", async () => {
  await enter();
  await answers("history", failed);
  await loseAndFind();
  await answers("resume", resumed);
  await wait(10_000);
  assert.equal(sent("history").length, 1);
});

test("a reloaded page knows what is unread, and what comes meanwhile is counted too", async () => {
  await enterWithHistory();
  await says({ ...message(5), type: "dm", nick: "Cleo", to: "Ann", room: undefined });
  reload();
  const cleo = store.find("direct", "Cleo");
  assert.deepEqual([cleo.unread, cleo.mentions], [1, 1]);
  await says(hello());
  await answers("resume", { ...resumed, missed: 1 });
  await says({ ...message(6), type: "dm", nick: "Cleo", to: "Ann", room: undefined });
  assert.deepEqual([cleo.unread, cleo.mentions], [2, 2]);
  session.open(cleo);
  assert.deepEqual([cleo.unread, cleo.mark], [0, 5]);
});

test("words to everyone are kept although all conversations were closed", async () => {
  await enterWithHistory();
  session.leave(store.current);
  await answers("leave", { type: "ok" });
  Sockets.last.breaks();
  session.talkTo("Bob");
  session.sayToAll("hello all");
  await session.leave(store.current);
  for (let times = 0; times < 2; times += 1) reload();
  await says(hello());
  await answers("resume", { ...resumed, rooms: [] });
  assert.deepEqual(sent("gmsg").map(({ text }) => text), ["hello all"]);
});
