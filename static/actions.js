// What the user does, in one place: typed texts and commands become calls of the session.

import { helpLines, messagesOf, parse, tooLong } from "./commands.js";
import { keyOf } from "./conversation.js";

export function makeActions(store, session) {
  /** Say it all or, with a reason shown, nothing. True when it went. */
  function sayAll(text, say) {
    const messages = messagesOf(text);
    const why = messages.length ? tooLong(messages, store.limits.text) : "There is nothing to say in that.";
    store.setProblem(why);
    if (why) return false;
    for (const message of messages) say(message);
    return true;
  }

  async function tellOnline() {
    const nicks = await session.online();
    if (nicks) store.notice(`Online users: ${nicks.join(", ")}`, store.current);
  }

  function direct({ to, text }) {
    const before = store.active;
    session.talkTo(to);
    const there = store.current;
    const went = text === "" || sayAll(text, (message) => session.say(message, there));
    if (went) return true;
    const { problem } = store;
    if (before) session.open(before); // where the text still stands, to be made shorter
    store.setProblem(problem);
    return false;
  }

  function leave(room) {
    const key = room ? keyOf("room", room) : store.active;
    if (key) session.leave(key);
    return true;
  }

  /** True when the text is done with, false when it should stay in the box. */
  function submit(text) {
    if (text.trim() === "") return false;
    store.setProblem("");
    const intent = parse(text);
    const here = store.current;
    switch (intent.type) {
      case "say":
        if (here) return sayAll(intent.text, (message) => session.say(message, here));
        store.setProblem("Join a room first.");
        return false;
      case "all":
        return sayAll(intent.text, (message) => session.sayToAll(message));
      case "direct":
        return direct(intent);
      case "join":
        session.join(intent.room);
        return true;
      case "leave":
        return leave(intent.room);
      case "nick":
        session.rename(intent.nick);
        return true;
      case "who":
        if (here) store.notice(`In ${here.name}: ${[...here.people.values()].join(", ")}`, here);
        return true;
      case "online":
        tellOnline();
        return true;
      case "history":
        if (here) session.recent(here, intent.count);
        return true;
      case "help":
        for (const line of helpLines()) store.notice(line, here);
        return true;
      case "quit":
        session.quit();
        return true;
      default:
        store.setProblem(intent.why);
        return false;
    }
  }

  return { submit };
}
