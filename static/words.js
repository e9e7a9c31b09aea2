import words from "./words.json" with { type: "json" };

export const { lines, ways, phases } = words;
const plain = (code) => code.replaceAll("-", " ");

export function explain({ code, detail = "" }) {
	return words.errors[code]?.replaceAll("{}", () => detail) ?? `Sorry, ${plain(code)}${detail && `: ${detail}`}.`;
}

const listed = new Intl.ListFormat("en");

export function whoTypes(nicks) {
	if (!nicks.length) return "";
	return `${nicks.length > 3 ? "Several people" : listed.format(nicks)} ${nicks.length > 1 ? "are" : "is"} typing…`;
}

export const farewell = (reason, code) => words.endings[reason || code] ?? plain(reason);

export function describe({ phase, why }, inside) {
	const { [phase]: word, other } = phases[inside];
	return (word ?? other).replace("{}", () => why && ` (${why})`);
}
