import { isNick, roomName } from "./commands.js";
import { session } from "./page.js";

export const hashOf = (kind, name) => (kind === "room" ? `#/room/${name.slice(1)}` : `#/with/${name}`);

export function readHash(hash) {
	const [, kind, word] = hash.match(/^#\/(room|with)\/([A-Za-z0-9_-]+)$/) ?? [];
	if (kind === "room") return ["room", roomName(word)];
	return kind && isNick(word) ? ["direct", word] : null;
}

export function followAddress() {
	const [kind, name] = readHash(location.hash) ?? [];
	if (!name) return;
	if (kind === "room") session.join(name);
	else session.talkTo(name);
}

export function showAddress(open) {
	const hash = open ? hashOf(open.kind, open.name) : "";
	if (hash === location.hash) return;
	history[hash && location.hash ? "pushState" : "replaceState"](null, "", hash || "/");
}
