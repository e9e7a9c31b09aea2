const MOST = 8;
const starts = (word) => (name) => name.toLowerCase().startsWith(word.toLowerCase());

/** {start, options: [{text, label}]}, which replace the text from `start` to the cursor; or null. */
export function complete(before, { commands, rooms, nicks, emoji = {} }) {
	const word = before.split(/\s/).at(-1);
	const start = before.length - word.length;
	const named = Object.keys(emoji).filter((name) => `:${name}:`.startsWith(word.toLowerCase()));
	const plain = (names, word, after) => names.filter(starts(word)).map((name) => ({ text: name + after, label: name }));
	let options = [];
	if (/^:[\w+-]{2}/.test(word)) options = named.map((name) => ({ text: `${emoji[name]} `, label: `${emoji[name]} :${name}:` }));
	else if (/^\/\w/.test(word) && !start) options = plain(commands, word, " ");
	else if (/^#\w/.test(word)) options = plain(rooms, word, " ");
	else if (/^@?\w/.test(word)) options = plain(nicks, word.replace("@", ""), start ? " " : ": ");
	return options.length ? { start, options: options.slice(0, MOST) } : null;
}
