// The address names what is open: #/room/python, #/with/Ann. Links, back and forward work.

import { roomName } from "./commands.js";
import { keyOf } from "./conversation.js";

export function hashOf({ kind, name }) {
  return kind === "room" ? `#/room/${name.slice(1)}` : `#/with/${encodeURIComponent(name)}`;
}

/** {kind, name} or null. */
export function readHash(hash) {
  const [, kind, word] = hash.match(/^#\/(room|with)\/([^/]+)$/) ?? [];
  if (kind === "with") return /^[A-Za-z][A-Za-z0-9_-]*$/.test(word) ? { kind: "direct", name: word } : null;
  const name = kind && roomName(word);
  return name ? { kind, name } : null;
}

export function routeTo(conversation) {
  const hash = conversation ? hashOf(conversation) : "";
  if (hash === location.hash) return;
  if (location.hash === "") history.replaceState(null, "", hash || "/");
  else history.pushState(null, "", hash || "/");
}

export function followRoute(store, session) {
  const place = readHash(location.hash);
  if (!place) return;
  const key = keyOf(place.kind, place.name);
  if (key === store.active) return;
  if (store.conversations.has(key)) session.open(key);
  else if (place.kind === "room") session.join(place.name);
  else session.talkTo(place.name);
}
