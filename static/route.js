import { isNick, roomName } from "./commands.js";
import { session, store } from "./page.js";

export const hashOf = ({ isRoom, name }) => (isRoom ? `#/room/${name.slice(1)}` : `#/with/${name}`);

export function followAddress(visited) {
	const [, way, word = ""] = location.hash.match(/^#\/(room|with)\/(.+)$/) ?? [];
	const isRoom = way === "room";
	const name = isRoom ? roomName(word) : isNick(word) && word;
	if (!name) return;
	if (visited && !store.find(isRoom ? "room" : "direct", name)) showAddress(store.current, visited);
	else if (isRoom) session.join(name);
	else session.open(store.ensure("direct", name));
}

export function showAddress(open, visited) {
	const hash = open ? hashOf(open) : "";
	const changed = hash !== location.hash;
	if (!changed && history.state) return;
	// Where we have been has a state.
	history[changed && !visited && hash && location.hash && history.state ? "pushState" : "replaceState"](true, "", hash || "/");
}
