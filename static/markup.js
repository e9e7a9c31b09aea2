const LINK = String.raw`\bhttps?:\/\/[^\s<>"\x60]+`;
const mentionOf = (nick) => String.raw`(?<![\w-])@?${nick.replace(/\W/g, "\\$&")}(?![\w-])`;

export const mentions = (text, nick) => !!nick && new RegExp(mentionOf(nick), "i").test(text);

/** Without punctuation after it, nor a ")" that has no "(". */
function trimmed(link) {
	let spare = link.split(")").length - link.split("(").length;
	let end = link.length;
	while (".,:;!?'\"*".includes(link[end - 1]) || (link[end - 1] === ")" && spare-- > 0)) end -= 1;
	return link.slice(0, end);
}

/** [{type, text}]: all of the text but backticks. */
export function partsOf(text, nick) {
	const parts = [];
	let end = 0;
	const put = (type, part) => part && parts.push({ type, text: part });
	const every = new RegExp(`\`\`\`(.+?)\`\`\`|(?<!\`)\`([^\`]+)\`(?!\`)|${LINK}${nick ? `|${mentionOf(nick)}` : ""}`, "gi");
	for (const { 0: whole, 1: fence, 2: code, index } of text.matchAll(every)) {
		put("text", text.slice(end, index));
		end = index + whole.length;
		if (fence) put("fence", fence);
		else if (code) put("code", code);
		else if (/^https?:/i.test(whole)) {
			const link = trimmed(whole);
			put(URL.canParse(link) ? "link" : "text", link);
			end = index + link.length;
		} else put("mention", whole);
	}
	put("text", text.slice(end));
	return parts;
}
