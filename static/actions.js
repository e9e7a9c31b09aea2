import { fold } from "./conversation.js";
import { HELP, messagesOf, objection, parse } from "./commands.js";

/** Returns submit(text): true when the text is done with, false when it should stay in the box. */
export function makeSubmit(store, session) {
  function say(text, how) {
    const messages = messagesOf(text);
    const problem = objection(messages, store.limits.text);
    store.set({ problem });
    if (problem) return false;
    messages.forEach(how);
    return true;
  }

  const handlers = {
    say: ({ text }, here) => say(text, (message) => session.say(message, here)),
    all: ({ text }) => say(text, (message) => session.sayToAll(message)),
    direct({ to, text }) {
      const send = (message) => session.say(message, store.ensure("direct", to));
      if (text && !say(text, send)) return false;
      session.talkTo(to);
    },
    join: ({ room }) => void session.join(room),
    leave({ room }, here) {
      const there = room ? store.find("room", room) : here;
      if (!there) return handlers.wrong({ why: `You are not in ${room}.` });
      session.leave(there);
    },
    topic({ text }, here) {
      if (here.kind !== "room") return handlers.wrong({ why: "Only rooms have topics." });
      if (text === undefined) store.notice(here.topic ? `Topic: ${here.topic}` : `${here.name} has no topic.`, here);
      else session.setTopic(here, text);
    },
    rooms: () => store.set({ finding: true }),
    nick: ({ nick }) => void session.rename(nick),
    quit: () => void session.quit(),
    who: (_, here) => store.notice(`In ${here.name}: ${[...here.people.values()].join(", ")}`, here),
    online(_, here) {
      session.online().then(({ nicks }) => nicks && store.notice(`Online users: ${nicks.join(", ")}`, here));
    },
    ignore({ nick }, here) {
      const { ignored } = store.settings;
      if (nick === "?") return store.notice(ignored.length ? `You ignore ${ignored.join(", ")}.` : "You ignore nobody.", here);
      if (fold(nick) === fold(store.nick)) return handlers.wrong({ why: "That is you." });
      store.ignore(nick);
      store.notice(`You ignore ${nick} now; /unignore ${nick} ends that.`, here);
    },
    unignore({ nick }, here) {
      if (!store.ignores(nick)) return handlers.wrong({ why: `You do not ignore ${nick}.` });
      store.ignore(nick, false);
      store.notice(`You do not ignore ${nick} any more.`, here);
    },
    help: (_, here) => store.notice(HELP, here),
    wrong({ why }) {
      store.set({ problem: why });
      return false;
    },
  };
  const ANYWHERE = ["join", "nick", "quit", "direct", "wrong"];

  return (text) => {
    if (!text.trim()) return false;
    store.set({ problem: "" });
    const intent = parse(text);
    const here = store.current;
    if (!here && !ANYWHERE.includes(intent.type)) return handlers.wrong({ why: "Join a room first." });
    return handlers[intent.type](intent, here) !== false;
  };
}
