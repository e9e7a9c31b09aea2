// One colour per name, the same on every page: a class of the palette in style.css.

import { fold } from "../conversation.js";

const COLOURS = 12;

export function nickClass(nick) {
  let hash = 0;
  for (const char of fold(nick)) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return `nick hue-${hash % COLOURS}`;
}
