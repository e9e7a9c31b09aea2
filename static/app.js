// Composition: the one file that knows everybody. It makes the parts, draws what changed, and tells the
// session about the world outside (network, visibility, address, reload).

import { makeActions } from "./actions.js";
import { Connection } from "./connection.js";
import { lastNick, leaveSession, rememberNick, takeSession } from "./memory.js";
import { followRoute, routeTo } from "./route.js";
import { Session } from "./session.js";
import { Store } from "./state.js";
import { mountComposer } from "./views/composer.js";
import { mountEntry } from "./views/entry.js";
import { mountFrame } from "./views/frame.js";
import { mountLog } from "./views/log.js";
import { mountPeople } from "./views/people.js";
import { mountRooms } from "./views/rooms.js";
import { mountStatus } from "./views/status.js";

const clock = {
  now: () => Date.now(),
  setTimeout: (action, delay) => setTimeout(action, delay),
  clearTimeout: (timer) => clearTimeout(timer),
};
const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;

const store = new Store();
const session = new Session({
  store,
  connect: (on) => new Connection({ url, WebSocket, clock, on }),
  pause: (delay) => new Promise((resolve) => setTimeout(resolve, delay)),
});
const actions = makeActions(store, session);

const views = [mountEntry, mountFrame, mountStatus, mountRooms, mountLog, mountPeople, mountComposer].map(
  (mount) => mount({ store, session, actions, lastNick: lastNick() }),
);

// Many events may come in one frame; each topic is drawn once. A hidden page gets no animation frames.
const dirty = new Set();
function draw() {
  const topics = new Set(dirty);
  dirty.clear();
  for (const view of views) view(topics);
  if (topics.has("list") && store.phase === "in") routeTo(store.current);
}
store.subscribe((topic) => {
  if (dirty.size === 0) document.hidden ? setTimeout(draw, 100) : requestAnimationFrame(draw);
  dirty.add(topic);
});

let wasIn = false;
store.subscribe((topic) => {
  if (topic !== "me") return;
  const isIn = store.phase === "in";
  if (isIn) rememberNick(store.nick);
  if (isIn && !wasIn) followRoute(store, session); // the address may name a room to go to
  if (wasIn && store.phase === "out" && store.conversations.size === 0) history.replaceState(null, "", "/");
  wasIn = isIn;
});
addEventListener("popstate", () => store.phase === "in" && followRoute(store, session));

addEventListener("online", () => session.nudge());
addEventListener("offline", () => session.nudge()); // not believed (loopback works without), but checked
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return leaveSession(session.snapshot());
  takeSession();
  session.nudge();
});
addEventListener("pagehide", () => leaveSession(session.snapshot()));
addEventListener("pageshow", ({ persisted }) => persisted && (takeSession(), session.nudge()));

const left = takeSession();
if (left) session.restore(left);
else store.setPhase("out");
