import { keep, leaveSession, recallSettings, takeSession } from "./memory.js";
import { session, store } from "./page.js";
import { followAddress, showAddress } from "./route.js";
import { drawComposer } from "./views/composer.js";
import { drawFrame } from "./views/frame.js";
import { drawLog } from "./views/log.js";
import { drawSettings } from "./views/settings.js";
import { drawSides } from "./views/sides.js";
import "./views/finder.js";

// Once a frame, but another conversation at once: the next key belongs to it.
let due = false;
let drawn = null;
let wasIn = false;
function draw() {
	due = false;
	drawn = store.current;
	const before = wasIn;
	wasIn = store.phase === "in";
	if (wasIn && !before) followAddress();
	if (wasIn) keep("nick", store.nick);
	for (const each of [drawFrame, drawSides, drawLog, drawComposer, drawSettings]) each();
	if (wasIn || before) showAddress(wasIn && store.current);
	if (document.hidden) leave(); // the page may be discarded
}
store.choose(recallSettings());
store.onChoose = (settings) => keep("settings", JSON.stringify(settings));
store.onChange = () => {
	if (store.current !== drawn) return draw();
	if (due) return;
	due = true;
	if (document.hidden) setTimeout(draw, 100);
	else requestAnimationFrame(draw);
};

const leave = () => leaveSession(session.snapshot());
function comeBack() {
	if (!document.hidden) takeSession();
	session.nudge();
}
addEventListener("popstate", ({ state }) => wasIn && followAddress(state));
for (const what of ["online", "offline"]) addEventListener(what, session.nudge);
addEventListener("storage", () => store.choose(recallSettings()));
addEventListener("pagehide", leave);
addEventListener("pageshow", comeBack);
document.addEventListener("visibilitychange", () => {
	store.setAway(document.hidden);
	(document.hidden ? leave : comeBack)();
});

store.setAway(document.hidden);
const left = takeSession();
if (left) session.restore(left);
else store.set();
