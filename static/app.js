import { makeSubmit } from "./actions.js";
import { makeConnection } from "./connection.js";
import { keep, leaveSession, recall, recallSettings, takeSession } from "./memory.js";
import { followAddress, showAddress } from "./route.js";
import { makeSession } from "./session.js";
import { Store } from "./state.js";
import { mountAlerts } from "./views/alerts.js";
import { mountComposer } from "./views/composer.js";
import { mountEntry } from "./views/entry.js";
import { mountFinder } from "./views/finder.js";
import { mountFrame } from "./views/frame.js";
import { mountLog } from "./views/log.js";
import { mountPeople } from "./views/people.js";
import { mountRooms } from "./views/rooms.js";
import { mountSettings } from "./views/settings.js";

const clock = {
  now: Date.now,
  setTimeout: (action, delay) => setTimeout(action, delay),
  clearTimeout: (timer) => clearTimeout(timer),
};
const url = `${location.protocol.replace("http", "ws")}//${location.host}/ws`;

const store = new Store();
const session = makeSession({
  store,
  connect: (on) => makeConnection({ url, WebSocket, clock, on }),
  pause: (delay) => new Promise((done) => setTimeout(done, delay)),
});
store.choose(recallSettings());
const submit = makeSubmit(store, session);
const views = [
  ...[mountEntry, mountFrame, mountRooms, mountLog, mountPeople],
  ...[mountComposer, mountFinder, mountSettings, mountAlerts],
].map((mount) => mount({ store, session, submit, lastNick: recall("nick") }));

// Once a frame (a hidden page gets none), but another conversation at once: the next key belongs to it.
let due = false;
let drawn = null;
let wasIn = false;
function draw() {
  due = false;
  drawn = store.current;
  const before = wasIn;
  wasIn = store.phase === "in";
  if (wasIn && !before) followAddress(store, session); // it may name a room to go to
  if (wasIn) keep("nick", store.nick);
  for (const view of views) view();
  if (wasIn || before) showAddress(wasIn && store.current);
}
store.onChoose = (settings) => keep("settings", JSON.stringify(settings));
store.onChange = () => {
  if (store.current !== drawn) return draw();
  if (due) return;
  due = true;
  if (document.hidden) setTimeout(draw, 100);
  else requestAnimationFrame(draw);
};

function leave() {
  leaveSession(session.snapshot());
}
function comeBack() {
  takeSession();
  session.nudge();
}
addEventListener("popstate", () => wasIn && followAddress(store, session));
addEventListener("online", session.nudge);
addEventListener("offline", session.nudge);
addEventListener("storage", () => store.set({ settings: { ...store.settings, ...recallSettings() } })); // of another tab
addEventListener("pagehide", leave);
addEventListener("pageshow", comeBack);
document.addEventListener("visibilitychange", () => {
  store.setAway(document.hidden);
  if (document.hidden) leave();
  else comeBack();
});

const left = takeSession();
if (left) session.restore(left);
else store.set({ phase: "out" });
