// The little that the views share. Texts only ever become text nodes.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Words for those who cannot see what the eye is told by colour or place. */
export const spoken = (text) => el("span", { className: "spoken" }, text);

const kept = new WeakMap(); // parent -> Map(key -> node)

/**
 * Make the children of `parent` follow `items`, moving as little as possible (a moved node loses focus).
 * `make(item, before)` creates a node; `fresh(node, item, before)` tells whether an old one still serves.
 */
export function follow(parent, items, { key, make, fresh = () => true }) {
  const old = kept.get(parent) ?? new Map();
  const nodes = new Map();
  items.forEach((item, index) => {
    const name = key(item);
    const node = old.get(name);
    const before = items[index - 1];
    nodes.set(name, node && fresh(node, item, before) ? node : make(item, before));
  });
  for (const [name, node] of old) if (nodes.get(name) !== node) node.remove();
  let at = parent.firstChild;
  for (const node of nodes.values()) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  kept.set(parent, nodes);
}

/** Where there is a keyboard, focus may go where the user will type; a phone would open its own. */
export const hasKeyboard = () => matchMedia("(pointer: fine)").matches;
