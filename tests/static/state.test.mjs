import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { rowsOf } from "../../static/rows.js";
import { Store } from "../../static/state.js";
import { hello, message } from "./fakes.mjs";

let store;
const welcome = (nick = "Ann", rooms = ["#general"]) => ({ type: "welcome", nick, token: "t", rooms });
const at = (name) => store.find(...(name[0] === "#" ? ["room", name] : ["direct", name.slice(1)]));
const names = () => store.all.map(({ name }) => name);
const texts = (key = "#general") => at(key).items.map(({ text }) => text);
const page = (ids, more = false, room = "#general") => ({ messages: ids.map((id) => message(id, `m${id}`, "Bob", room)), more });
const pend = (ref, text = ref, key = "#general") =>
  store.pend({ ref, kind: "msg", text, places: [at(key)] });

beforeEach(() => {
  store = new Store(() => Date.parse("2026-11-20T09:31:00Z"));
  store.hello(hello());
  store.welcome(welcome());
});

test("a welcome puts us in our room, which is open", () => {
  assert.equal(store.phase, "in");
  assert.equal(store.current.name, "#general");
});

test("messages stand in the order of their ids, each once", () => {
  for (const id of [3, 1, 2, 3]) store.apply(message(id));
  store.history(at("#general"), page([1, 2, 4]), "first");
  assert.deepEqual(texts(), ["m1", "m2", "m3", "m4"]);
});

test("a notice stays where it came, a pending message at the end", () => {
  pend("mine");
  store.apply(message(5));
  store.apply({ type: "joined", room: "#general", nick: "Cleo" });
  store.apply(message(9));
  store.history(at("#general"), page([1, 5]), "first");
  assert.deepEqual(texts(), ["m1", "m5", "Cleo joined the room", "m9", "mine"]);
});

test("ok gives a message its id, time and place", () => {
  const item = pend("mine");
  assert.equal(item.status, "pending");
  store.apply(message(8));
  store.confirm("mine", { id: 7, time: "2026-11-20T09:31:00.000Z" });
  assert.deepEqual(texts(), ["mine", "m8"]);
  assert.equal(item.status, "sent");
  assert.equal(item.version, 1);
  assert.equal(store.unsent.size, 0);
});

test("a message of ours has the server's time: it was written by another clock, or yesterday", () => {
  const item = pend("mine"); // at 09:31
  store.apply(message(8)); // at 09:30
  store.confirm("mine", { id: 7, time: "2026-11-18T08:15:00.000Z" });
  assert.equal(item.at.toISOString(), "2026-11-18T08:15:00.000Z");
  const rows = rowsOf(at("#general").items).map(({ kind, item }) => `${kind} ${item.day}`);
  const [before, after] = [new Date(item.time), new Date(message(8).time)].map((each) => each.toDateString());
  assert.deepEqual(rows, [`day ${before}`, `msg ${before}`, `day ${after}`, `msg ${after}`]);
});

test("a message of ours has the name under which it was stored", () => {
  const item = pend("mine");
  store.apply({ type: "renamed", old: "Ann", new: "Anna" });
  store.confirm("mine", { id: 7, time: "2026-11-20T09:31:00.000Z" });
  assert.equal(item.nick, "Anna");
});

test("a message of ours that was replayed before its ok is there once", () => {
  pend("mine");
  store.apply(message(7, "mine", "Ann"));
  store.confirm("mine", { id: 7, time: "2026-11-20T09:31:00.000Z" });
  assert.deepEqual(texts(), ["mine"]);
});

test("a message of ours that is replayed after its ok is there once", () => {
  pend("mine");
  store.confirm("mine", { id: 7, time: "2026-11-20T09:31:00.000Z" });
  store.apply(message(7, "mine", "Ann"));
  assert.deepEqual(texts(), ["mine"]);
});

test("a refused message says why, stays where it is, and can be tried again", () => {
  const item = pend("mine");
  store.fail("mine", "no disk");
  store.apply(message(5));
  assert.deepEqual([item.status, item.why, ...texts()], ["failed", "no disk", "mine", "m5"]);
  store.repend("mine");
  assert.deepEqual([item.status, ...texts()], ["pending", "m5", "mine"]);
  store.confirm("mine", { id: 6, time: "2026-11-20T09:31:00.000Z" });
  assert.deepEqual([item.status, ...texts()], ["sent", "m5", "mine"]);
});

test("what others say in a room that is not open is unread until it is", () => {
  store.ensure("room", "#b");
  store.apply(message(1, "x", "Bob", "#b"));
  store.apply(message(2, "y", "Ann", "#b"));
  store.apply(message(3));
  assert.equal(at("#b").unread, 1);
  assert.equal(at("#general").unread, 0);
  store.open(at("#b"));
  assert.equal(at("#b").unread, 0);
});

test("a direct message opens a conversation with the other one, whoever wrote it", () => {
  const dm = (id, nick, to) => ({ ...message(id), type: "dm", nick, to });
  store.apply(dm(1, "Bob", "Ann"));
  store.apply(dm(2, "Ann", "bob"));
  assert.deepEqual(texts("@bob"), ["m1", "m2"]);
  assert.equal(at("@bob").name, "Bob");
  assert.equal(at("@bob").unread, 1);
  assert.equal(store.current.name, "#general");
});

test("a message to everyone is shown in all conversations and unread in none", () => {
  store.ensure("direct", "Bob");
  store.apply({ ...message(4), type: "gmsg" });
  assert.deepEqual([...texts(), ...texts("@bob")], ["m4", "m4"]);
  assert.equal(at("@bob").unread, 0);
});

const shout = (id, text = `m${id}`) => store.apply({ ...message(id, text), type: "gmsg", room: undefined });

test("a message to everyone is shown to who is in no room", () => {
  store.drop(at("#general"));
  shout(4);
  assert.deepEqual(store.here.items.map(({ text }) => text), ["m4"]);
  store.ensure("room", "#tea");
  shout(5);
  assert.deepEqual(texts("#tea"), ["m5"]);
});

test("a direct message takes the box from nobody who writes in no room", () => {
  store.drop(at("#general"));
  store.apply({ ...message(4), type: "dm", nick: "Bob", to: "Ann", room: undefined });
  assert.deepEqual([store.current, at("@Bob").unread], [null, 1]);
});

test("a message to everyone that nobody sees is unread where one is, and calls whom it names", () => {
  const called = [];
  store.onCall = (there, { text }) => called.push([there.name, text]);
  store.ensure("direct", "Bob");
  store.setAway(true);
  shout(4);
  shout(5, "Ann, listen");
  assert.deepEqual(store.all.map(({ unread, mentions }) => [unread, mentions]), [[2, 1], [0, 0]]);
  assert.deepEqual(called, [["#general", "Ann, listen"]]);
  store.setAway(false);
  assert.deepEqual([at("#general").unread, at("#general").mark], [0, 4]);
  shout(6, "Ann, you look");
  assert.equal(called.length, 1);
});

test("what all heard before is no notice, and is counted anew", () => {
  store.drop(at("#general"));
  store.notice("Online users: Ann", store.here);
  const known = { ...message(4), kind: "gmsg", sequence: 1 };
  store.recall([known, ...store.here.items]);
  assert.deepEqual(store.here.items.map(({ text }) => text).sort(), ["Online users: Ann", "m4"]);
  assert.notEqual(store.here.items.find(({ id }) => id).sequence, 1);
});

test("a message to everyone stays when what was missed cannot be replayed", () => {
  shout(4);
  store.apply(message(5));
  store.resumed({ ...welcome(), recovered: false, missed: 0 });
  assert.deepEqual(texts(), ["m4"]);
  store.hello(hello("e2")); // other ids
  store.resumed({ ...welcome(), recovered: false, missed: 0 });
  assert.deepEqual(texts(), []);
});

test("our own message to everyone is confirmed in all conversations", () => {
  store.ensure("direct", "Bob");
  store.pend({ ref: "r", kind: "gmsg", text: "hi", places: store.everywhere });
  store.confirm("r", { id: 4, time: "2026-11-20T09:31:00.000Z" });
  for (const each of store.all) assert.deepEqual(each.items.map(({ id }) => id), [4]);
});

test("people come, go and change their names", () => {
  const general = at("#general");
  store.users(general, ["Ann", "Bob"]);
  store.apply({ type: "joined", room: "#general", nick: "Cleo" });
  store.apply({ type: "joined", room: "#general", nick: "Cleo" }); // the list had her already
  store.apply({ type: "left", room: "#general", nick: "Bob" });
  store.apply({ type: "renamed", old: "Cleo", new: "Clio" });
  assert.deepEqual([...general.people.values()], ["Ann", "Clio"]);
  store.apply({ type: "disconnected", nick: "Clio" });
  assert.deepEqual([...general.people.values()], ["Ann"]);
  assert.deepEqual(texts(), ["Cleo joined the room", "Bob left the room", "Cleo is now known as Clio", "Clio left the chat"]);
});

test("a direct conversation follows a new name, with its place and draft", () => {
  store.ensure("direct", "Bob").draft = "well";
  store.open(at("@bob"));
  store.apply({ type: "renamed", old: "Bob", new: "Robert" });
  assert.equal(store.current.name, "Robert");
  assert.equal(store.current.draft, "well");
  assert.deepEqual(names(), ["#general", "Robert"]);
});

test("two direct conversations are not made one by a new name", () => {
  for (const nick of ["Bob", "Robert"]) store.ensure("direct", nick);
  store.apply({ type: "renamed", old: "Bob", new: "Robert" });
  assert.deepEqual(names(), ["#general", "Bob", "Robert"]);
});

test("a change of case is a rename too", () => {
  store.ensure("direct", "bob");
  store.apply({ type: "renamed", old: "bob", new: "Bob" });
  assert.equal(at("@bob").name, "Bob");
});

test("closing the open conversation opens its neighbour", () => {
  store.ensure("room", "#b");
  store.open(at("#b"));
  store.drop(at("#b"));
  assert.equal(store.current.name, "#general");
  store.drop(at("#general"));
  assert.equal(store.current, null);
});

test("older pages go in front, and the last one says that there is no more", () => {
  const general = at("#general");
  store.history(general, page([10, 11], true), "first");
  assert.equal(general.more, true);
  assert.equal(general.oldest, 10);
  store.history(general, page([8, 9], true));
  store.history(general, page([], false));
  assert.deepEqual(texts(), ["m8", "m9", "m10", "m11"]);
  assert.equal(general.more, false);
});

test("a longer newest page does not hide that older messages exist", () => {
  const general = at("#general");
  store.history(general, page([1, 2, 3, 4], false), "first");
  store.history(general, page([3, 4], true), "first");
  assert.equal(general.more, false);
});

test("after a login anew, history that joins what is known is merged, and its news are unread", () => {
  store.ensure("room", "#b");
  store.history(at("#b"), page([1, 2], false, "#b"), "first");
  store.saw(2);
  store.welcome(welcome());
  assert.equal(at("#b").loaded, false);
  store.history(at("#b"), page([2, 3, 4], true, "#b"), "first");
  assert.deepEqual(texts("#b"), ["m1", "m2", "m3", "m4"]);
  assert.equal(at("#b").unread, 2);
  assert.equal(at("#b").more, false);
});

test("after a login anew, history that leaves a hole says so, and it can be filled", () => {
  const general = at("#general");
  store.history(general, page([1, 2], false), "first");
  store.saw(2);
  pend("waiting");
  store.welcome(welcome());
  store.apply(message(90)); // live, before the page
  store.history(general, page([50, 60, 90], true), "first");
  assert.deepEqual(texts(), ["m1", "m2", "m50", "m60", "m90", "waiting"]);
  assert.deepEqual([general.hole, general.more, general.oldest], [50, false, 1]);
  store.history(general, page([2, 20, 30], true));
  assert.deepEqual(texts(), ["m1", "m2", "m20", "m30", "m50", "m60", "m90", "waiting"]);
  assert.equal(general.hole, 0);
});

test("what is said live before the first page comes makes no hole", () => {
  const general = at("#general");
  store.apply(message(90));
  store.history(general, page([50, 60, 90], true), "first");
  assert.deepEqual([general.hole, general.more], [0, true]);
});

test("what is said live after a gap that was too long makes no hole of what was forgotten", () => {
  const general = at("#general");
  store.history(general, page([1, 2], false), "first");
  store.saw(2);
  store.resumed({ nick: "Ann", rooms: ["#general"], recovered: false, missed: 0 });
  store.apply(message(90));
  store.history(general, page([50, 60, 90], true), "first");
  assert.deepEqual([texts(), general.hole, general.more], [["m50", "m60", "m90"], 0, true]);
});

test("a second loss before history came does not make a hole pass for known", () => {
  const general = at("#general");
  store.history(general, page([1, 2], false), "first");
  store.saw(2);
  store.welcome(welcome());
  store.apply(message(90));
  store.welcome(welcome());
  store.history(general, page([80, 90], true), "first");
  assert.deepEqual(texts(), ["m1", "m2", "m80", "m90"]);
  assert.equal(general.hole, 80);
});

test("another epoch makes all ids void and keeps what was not sent", () => {
  store.apply(message(5));
  pend("waiting");
  pend("refused");
  store.fail("refused", "why");
  assert.equal(store.hello(hello("e1")), true);
  assert.equal(store.hello(hello("e2")), false);
  assert.equal(store.seen, null);
  assert.deepEqual(texts(), ["refused", "waiting"]);
  store.apply(message(1));
  assert.deepEqual(texts(), ["refused", "m1", "waiting"]);
});

test("a recovered session keeps its messages, one that is not forgets them", () => {
  const resumed = { type: "resumed", nick: "Ann", rooms: ["#general"], missed: 0 };
  store.history(at("#general"), page([1]), "first");
  store.resumed({ ...resumed, recovered: true });
  assert.deepEqual(texts(), ["m1"]);
  assert.equal(at("#general").loaded, true);
  store.resumed({ ...resumed, recovered: false });
  assert.deepEqual(texts(), []);
  assert.equal(at("#general").loaded, false);
});

test("what has been seen rises with events and oks, but not with oks while a gap is filled", () => {
  store.apply(message(5));
  pend("a");
  store.confirm("a", { id: 6, time: "2026-11-20T09:31:00.000Z" });
  assert.equal(store.seen, 6);
  pend("b");
  store.resumed({ nick: "Ann", rooms: ["#general"], recovered: true, missed: 2 });
  store.apply(message(7));
  store.confirm("b", { id: 20, time: "2026-11-20T09:31:00.000Z" });
  assert.equal(store.seen, 7);
  store.apply(message(8));
  assert.equal(store.seen, 8);
  store.apply(message(21));
  assert.equal(store.seen, 21);
});

test("whoever wants to is told of changes", () => {
  let told = 0;
  store.onChange = () => (told += 1);
  store.apply(message(1));
  assert.ok(told > 0);
});

test("a mark stays where one left off, in another conversation or while nobody saw the page", () => {
  const general = at("#general");
  store.apply(message(1));
  store.open(store.ensure("room", "#tea"));
  store.apply(message(2, "ANN!"));
  store.apply(message(3));
  assert.deepEqual([general.unread, general.mentions], [2, 1]);
  store.open(general);
  assert.deepEqual([general.unread, general.mentions, general.mark], [0, 0, 2]);
  store.open(at("#tea"));
  assert.equal(general.mark, 0);
  store.open(general);
  store.setAway(true);
  store.apply(message(4));
  assert.equal(general.unread, 1);
  store.setAway(false);
  assert.deepEqual([general.unread, general.mark], [0, 4]);
});

test("who types is shown for 6 s, or until they say it, or go", () => {
  let now = Date.parse("2026-11-20T09:31:00Z");
  store.now = () => now;
  const general = at("#general");
  const types = (nick) => store.apply({ type: "typing", room: "#general", nick });
  types("Bob");
  now += 3000;
  types("Cleo");
  assert.deepEqual(store.typists(general), ["Bob", "Cleo"]);
  types("Bob"); // goes on
  now += 4000;
  assert.deepEqual(store.typists(general), ["Bob", "Cleo"]);
  store.apply(message(1, "hi", "Cleo"));
  assert.deepEqual(store.typists(general), ["Bob"]);
  store.apply({ type: "disconnected", nick: "Cleo" });
  now += 2000;
  assert.deepEqual(store.typists(general), []);
  types("Bob");
  general.people.set("bob", "Bob");
  store.apply({ type: "left", room: "#general", nick: "Bob" });
  assert.deepEqual(store.typists(general), []);
  types("Bob");
  store.choose({ typing: false });
  assert.deepEqual(store.typists(general), []);
});

test("what one chooses is told to whoever keeps it", () => {
  let kept;
  store.onChoose = (settings) => (kept = settings);
  store.choose({ sound: true });
  assert.deepEqual([kept.sound, kept.typing, store.settings.sound], [true, true, true]);
});

test("whom one ignores is not shown, not counted, calls nobody and opens nothing; all of it can come back", () => {
  const called = [];
  store.onCall = (there, { text }) => called.push([there.name, text]);
  const dm = (id, nick) => ({ ...message(id, `m${id}`, nick), type: "dm", nick, to: "Ann" });
  store.open(store.ensure("room", "#tea"));
  store.apply(message(1));
  store.apply(message(2, "Ann!", "Cleo"));
  store.ignore("bob");
  const general = at("#general");
  store.open(general);
  store.open(at("#tea"));
  store.apply(message(3, "Ann?"));
  store.apply({ type: "typing", room: "#general", nick: "Bob" });
  store.apply(dm(4, "Bob"));
  assert.equal(general.unread, 0);
  assert.deepEqual(store.typists(general), []);
  assert.deepEqual(names(), ["#general", "#tea"]);
  assert.deepEqual(store.visible(general.items).map(({ text }) => text), ["Ann!"]);
  assert.deepEqual(called, [["#general", "Ann!"]]);
  assert.equal(store.seen, 4);
  store.apply({ type: "renamed", old: "Bob", new: "Rob" });
  assert.deepEqual(store.settings.ignored, ["Rob"]);
  store.ignore("Rob", false);
  assert.equal(store.visible(general.items).length, 3);
});

test("a mention and a direct message call us where we do not look, history does not", () => {
  const called = [];
  store.onCall = (there) => called.push(there.name);
  store.apply(message(1, "Ann!")); // before our eyes
  store.setAway(true);
  store.apply(message(2));
  store.apply(message(3, "Ann!"));
  store.apply({ ...message(4, "Ann!", "Ann") });
  store.history(at("#general"), { messages: [message(5, "Ann!")], more: false }, "first");
  store.apply({ ...message(6), type: "dm", to: "Ann" });
  assert.deepEqual(called, ["#general", "Bob"]);
});

test("a direct conversation is called as the person is, if that is known", () => {
  store.users(at("#general"), ["Ann", "Bob"]);
  assert.equal(store.ensure("direct", "bob").name, "Bob");
  const cy = store.ensure("direct", "cy");
  store.apply({ ...message(1, "hi", "Cy"), type: "dm", to: "Ann" });
  assert.equal(cy.name, "Cy");
});

test("what is far from the rest leaves one hole, which is filled from its newer end", () => {
  const general = at("#general");
  const ids = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const known = () => general.items.map(({ id }) => id);
  store.history(general, page(ids(900, 999), true), "first");
  store.history(general, page(ids(400, 420), true), "far");
  assert.deepEqual([general.hole, general.oldest, general.more], [900, 400, true]);
  store.history(general, page(ids(380, 399), true)); // by scrolling up
  assert.equal(general.hole, 900);
  store.history(general, page(ids(100, 120), true), "far"); // takes the place of the other
  assert.deepEqual([general.hole, general.oldest, known().includes(400)], [900, 100, false]);
  store.apply(message(1000));
  for (let before = 900; general.hole; before = general.hole) {
    assert.equal(general.hole, before);
    store.history(general, page(ids(Math.max(100, before - 200), before - 1), true));
  }
  assert.deepEqual(known(), ids(100, 1000));
  assert.equal(general.more, true);
});

test("what is nearly known leaves no hole, nor does one with nothing in it", () => {
  const general = at("#general");
  store.history(general, page([50, 51, 52], true), "first");
  store.history(general, page([48, 49, 50], true), "far");
  assert.deepEqual([general.hole, general.oldest], [0, 48]);
  store.history(general, page([10, 11], false), "far");
  assert.deepEqual([general.hole, general.more], [48, false]);
  store.history(general, page([10, 11], false)); // before 48
  assert.equal(general.hole, 0);
});

test("what is opened while nobody sees the page stays unread until somebody does", () => {
  store.setAway(true);
  store.ensure("direct", "Bob");
  store.apply({ ...message(1), type: "dm", to: "Ann" });
  store.open(at("@Bob"));
  assert.equal(at("@Bob").unread, 1);
  store.setAway(false);
  assert.deepEqual([at("@Bob").unread, at("@Bob").mark], [0, 1]);
});

test("what was missed is marked in the room one looks at, whether it is replayed or read, and is not unread", () => {
  const room = at("#general");
  store.history(room, page([1]), "first");
  store.saw(1);
  store.hello(hello());
  store.resumed({ ...welcome(), recovered: true, missed: 2 });
  store.apply(message(2));
  store.apply(message(3));
  assert.deepEqual([room.mark, room.unread, room.mentions], [2, 0, 0]);
  store.apply(message(4));
  assert.equal(room.mark, 2);
  store.hello(hello());
  store.welcome(welcome());
  store.history(room, page([4, 5, 6]), "first");
  assert.deepEqual([room.mark, room.unread], [5, 0]);
});

test("a direct conversation knows whether the other one is here", () => {
  const bob = store.ensure("direct", "Bob");
  const here = (nicks) => (nicks && store.users(bob, nicks), store.nicksIn(bob));
  assert.deepEqual(here(["Ann", "Cy"]), ["Ann"]);
  assert.deepEqual(here(["Ann", "bob", "Cy"]), ["Ann", "bob"]);
  store.apply({ type: "disconnected", nick: "bob" });
  assert.deepEqual(here(), ["Ann"]);
  store.apply({ type: "joined", room: "#general", nick: "Bob" });
  assert.deepEqual(here(), ["Ann", "Bob"]);
  store.apply({ type: "disconnected", nick: "Bob" });
  store.apply({ type: "dm", id: 9, time: "2026-11-20T09:30:00.123Z", nick: "Bob", to: "Ann", text: "psst" });
  assert.deepEqual(here(), ["Ann", "Bob"]);
});
