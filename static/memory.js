const SESSION = "parlour.session";

export function attempt(action) {
	try {
		return action();
	} catch {
		return null; // storage may be forbidden
	}
}

export const recall = (what) => attempt(() => localStorage.getItem(`parlour.${what}`)) ?? "";
export const keep = (what, value) => attempt(() => localStorage.setItem(`parlour.${what}`, value));

export const recallSettings = () => attempt(() => JSON.parse(recall("settings")));

// Only while nobody sees the page: a duplicated tab would take it away.
export const leaveSession = (session) =>
	attempt(() => sessionStorage.setItem(SESSION, JSON.stringify(session)));
export const takeSession = () =>
	attempt(() => {
		const text = sessionStorage.getItem(SESSION);
		sessionStorage.removeItem(SESSION);
		return JSON.parse(text);
	});
