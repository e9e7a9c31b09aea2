const TOGETHER = 5 * 60_000; // ms
const NAMES = 6;

export const isAction = ({ text }) => text.startsWith("/me ");

function goesOn(item, before) {
	if (item.kind !== before?.kind || item.kind === "notice" || isAction(item) || isAction(before)) return false;
	return item.nick === before.nick && item.at - before.at < TOGETHER;
}

/** Rows {kind, item, joined, code, items}: a "hole", "day", "new", "presence", or the kind of its item. */
export function rowsOf(items, mark, hole) {
	const rows = [];
	let before = null;
	let fence = false;
	for (const item of items) {
		if (hole && item.id >= hole) {
			rows.push({ kind: "hole", item });
			hole = before = null;
		}
		if (item.day !== before?.day) rows.push({ kind: "day", item });
		const isMark = mark && item.id === mark;
		if (isMark) rows.push({ kind: "new", item });
		const last = rows.at(-1);
		if (item.kind === "presence") {
			if (last.kind === "presence") last.items.push(item);
			else rows.push({ kind: "presence", item, items: [item] });
		} else {
			const joined = !isMark && item.day === before?.day && goesOn(item, before);
			const edge = /^```\w*$/.test(item.text);
			if (!joined) fence = false;
			rows.push({ kind: item.kind, item, joined, code: edge ? "edge" : fence && "code" });
			if (edge) fence = !fence;
		}
		before = item;
	}
	return rows;
}

export function comings(items) {
	const ways = {};
	for (const [nick, how] of new Map(items.map(({ nick, how }) => [nick, how]))) (ways[how] ??= []).push(nick);
	return Object.entries(ways).map(([how, names]) => {
		const others = names.length - NAMES;
		return `${names.slice(0, NAMES).join(", ")}${others > 0 ? ` and ${others} more` : ""} ${how}`;
	});
}
