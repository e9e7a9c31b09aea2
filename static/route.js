import { isNick, roomName } from "./commands.js";
import { session, store } from "./page.js";

export const hashOf = (kind, name) => (kind === "room" ? `#/room/${name.slice(1)}` : `#/with/${name}`);

export function readHash(hash) {
	const [, kind, word] = hash.match(/^#\/(room|with)\/([A-Za-z0-9_-]+)$/) ?? [];
	if (kind === "room") return ["room", roomName(word)];
	return kind && isNick(word) ? ["direct", word] : null;
}

export function followAddress(visited) {
	const [kind, name] = readHash(location.hash) ?? [];
	if (!name) return;
	if (visited && !store.find(kind, name)) showAddress(store.current, visited);
	else if (kind === "room") session.join(name);
	else session.talkTo(name);
}

export function showAddress(open, visited) {
	const hash = open ? hashOf(open.kind, open.name) : "";
	const changed = hash !== location.hash;
	if (!changed && history.state) return;
	// Where we have been has a state.
	history[changed && !visited && hash && location.hash && history.state ? "pushState" : "replaceState"](true, "", hash || "/");
}
