import { attempt } from "../memory.js";
import { session, store } from "../page.js";
import { button, byId, el, follow } from "./dom.js";

const { theme, typing, sound, notify: choice } = byId("choices");
const { Notification } = window;
const beep = () => byId("call").play().catch(() => {}); // the browser wants a click first

function notify(there, { nick, text }) {
	const title = there.isRoom ? `${nick} in ${there.name}` : nick;
	const note = new Notification(title, { body: text.replace(/^\/me /, "* "), tag: there.name, icon: "/static/icon-192.png" });
	note.onclick = () => {
		focus();
		if (store.all.includes(there)) session.open(there);
		note.close();
	};
}

const wanted = () => store.settings.notify && Notification?.permission === "granted";

store.onCall = (there, item) => {
	if (store.settings.sound) beep();
	if (wanted()) attempt(() => notify(there, item)); // some phones refuse
};
sound.onclick = () => !sound.checked || beep();
choice.onclick = async () => {
	store.choose({ notify: !wanted() && (await Notification.requestPermission()) === "granted" });
};

byId("choices").onchange = () => {
	store.choose({ theme: theme.value, typing: typing.checked, sound: sound.checked });
};

function makeIgnored(nick) {
	const undo = button(() => store.ignore(nick, false), "Unignore");
	undo.ariaLabel = `Unignore ${nick}`;
	return el("li", {}, nick, undo);
}

export function drawSettings() {
	const { settings } = store;
	theme.value = settings.theme;
	typing.checked = settings.typing;
	sound.checked = settings.sound;
	follow(byId("ignored"), settings.ignored, makeIgnored);
	choice.disabled = (Notification?.permission ?? "denied") === "denied";
	choice.textContent = choice.disabled ? "Blocked by the browser" : `Turn ${wanted() ? "off" : "on"} notifications`;
}
