export const byId = (id) => document.getElementById(id);

/** Whether a key belongs to an input method; Safari tells by the code alone. */
export const composes = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

export function el(tag, properties, ...children) {
	const node = Object.assign(document.createElement(tag), properties);
	node.append(...children);
	return node;
}

export const span = (className, ...children) => el("span", { className }, ...children);
export const button = (onclick, ...children) => el("button", { type: "button", onclick }, ...children);

export const dates = (how) => new Intl.DateTimeFormat(undefined, how);
export const dayName = dates({ dateStyle: "full" });

const kept = new WeakMap(); // parent -> Map(key -> node)

/** The children follow `items`; what stays is not moved and keeps its focus. */
export function follow(parent, items, make, key = (item) => item) {
	const old = kept.get(parent) ?? new Map();
	const nodes = new Map();
	for (const item of items) nodes.set(key(item), old.get(key(item)) ?? make(item));
	for (const [name, node] of old) {
		if (nodes.has(name)) continue;
		if (node.contains(document.activeElement)) parent.closest("[tabindex]").focus();
		node.remove();
	}
	let at = parent.firstChild;
	for (const node of nodes.values()) {
		if (node === at) at = at.nextSibling;
		else parent.insertBefore(node, at);
	}
	kept.set(parent, nodes);
}

export function nickClass(name) {
	let hash = 0;
	for (const char of name.toLowerCase()) hash = (hash * 31 + char.charCodeAt()) >>> 0;
	return `nick hue-${hash % 12}`;
}
