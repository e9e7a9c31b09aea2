const MOST = 8;
const starts = (word) => (name) => name.toLowerCase().startsWith(word.toLowerCase());

/** {start, options: [{text, label}]}, which replace the text from `start` to the cursor; or null. */
export function complete(before, { commands, rooms, nicks, emoji }) {
	const word = before.split(/\s/).at(-1);
	const start = before.length - word.length;
	const rest = word.slice(1);
	let options = [];
	if (/^:[\w+-]{2}/.test(word)) {
		const names = Object.keys(emoji).filter(starts(rest));
		options = names.map((name) => ({ text: `${emoji[name]} `, label: `${emoji[name]} :${name}:` }));
	} else {
		const plain = (names, word, after) => names.filter(starts(word)).map((name) => ({ text: name + after, label: name }));
		if (/^\/\w/.test(word) && !start) options = plain(commands, word, " ");
		else if (/^#\w/.test(word)) options = plain(rooms, word, " ");
		else if (/^@?\w/.test(word)) options = plain(nicks, word.replace("@", ""), start ? " " : ": ");
	}
	return options.length ? { start, options: options.slice(0, MOST) } : null;
}
