"""The plain dialect: what you type is what you say. PROTOCOL.md has every line of it."""

from collections.abc import Iterable, Iterator
from itertools import starmap
from typing import Final, assert_never

from msgspec import Struct

from core import commands as c
from core import facts as f
from core import replies as r
from core.replies import Shown
from tcp_frontend.lines import line, stamp, wrapped
from tcp_frontend.usage import Usage, dm, history, resume, text, topic, word

RECENT: Final = 10
"""Messages shown on entering a room."""

ACTION: Final = "/me "


def _color(rest: str) -> c.AnyCommand | None:
    encoders = {"on": encode_in_color, "off": encode}
    encoder = encoders.get(rest.strip().lower())
    return None if encoder is None else c.Reencode(encoder)


def _join(name: str) -> c.AnyCommand:
    return c.Join(name if name.startswith("#") else f"#{name}")


_TELL: Final = "say it to one person"

COMMANDS: Final = {
    "quit": Usage("/quit", "leave the chat", lambda _: c.Quit()),
    "whosonline": Usage("/whosonline", "list everyone", lambda _: c.Who()),
    "who": Usage("/who", "list the people of your room", lambda _: c.Who(c.HERE)),
    "join": Usage("/join #room", "go to another room", word(_join)),
    "leave": Usage("/leave", "go back to #general", lambda _: c.Leave(c.HERE)),
    "rooms": Usage("/rooms", "list the rooms", lambda _: c.Rooms()),
    "topic": Usage("/topic [text]", "show or change what it is about; - for nothing", topic),
    "nick": Usage("/nick name", "change your name", word(c.Rename)),
    "msg": Usage("/msg user text", _TELL, dm),
    "dm": Usage("/dm user text", _TELL, dm),
    "pm": Usage("/pm user text", _TELL, dm),
    "all": Usage("/all text", "say it to everyone", text(c.Gmsg)),
    "me": Usage("/me text", "say what you do", text(lambda said: c.Msg(c.HERE, ACTION + said))),
    "history": Usage("/history [n]", "show the last messages of your room", history(RECENT)),
    "search": Usage("/search words", "find what was said", text(c.Search)),
    "token": Usage("/token", "get what /resume takes", lambda _: c.Token()),
    "resume": Usage("/resume token [id]", "come back with what /token gave", resume),
    "color": Usage("/color on|off", "notices, names and errors in colour", _color),
    "help": Usage("/help", "list the commands", lambda _: c.Help()),
}


def parse(said: str) -> c.AnyCommand:
    """One clean line that is not blank, from someone who is logged in."""
    if not said.startswith("/"):
        return c.Msg(c.HERE, said)
    if said.startswith("//"):
        return c.Msg(c.HERE, said[1:])
    name, _, rest = said[1:].partition(" ")
    slash = COMMANDS.get(name.lower())
    if slash is None:
        return c.Invalid("unknown-command", f"/{name}")
    return slash.build(rest) or c.Invalid("usage", slash.usage)


# ---------------------------------------------------------------------- words

_DETAILS: Final = {
    "already-in-general": "You are in #general already.",
    "already-logged-in": "You have come in already.",
    "already-in-that-room": "You are in that room already.",
    "bad-room-name": "A room is called {detail}.",
    "empty-text": "Nothing in that can be seen.",
    "invalid-username": "That cannot be a name: {detail}.",
    "invalid-utf8": "That line was not UTF-8 and was not said.",
    "line-too-long": "That line was longer than {detail} bytes and was not said.",
    "login-required": "Give a name first; /help lists the commands.",
    "login-timeout": "You gave no name within {detail} seconds.",
    "not-resumable": "That session cannot be taken back. Give a name to begin a new one:",
    "nick-taken": "Somebody has that name already.",
    "storage-failed": "{detail}.",
    "storage-full": "The disk is full: that could not be stored, so nobody was shown it. Try again later.",
    "text-too-long": "That is longer than {detail} characters.",
    "too-broad": "That is in too many messages: search for more letters.",
    "too-fast": "Not so fast: try again in {detail} seconds.",
    "unknown-command": "There is no command {detail}; /help lists the commands. To say it, type /{detail}",
    "usage": "Write it like this: {detail}",
    "user-not-found": "Nobody here is called {detail}.",
    "username-taken": "Somebody has that name already. Try another one:",
}
"""Sentences for the codes that people on this door meet; others show as code and detail."""

_TAKEN_BACK: Final = (
    "Somebody is called {detail} now. Take your session back when they have gone,"
    " or give another name to begin anew:"
)
"""For a session whose name was taken meanwhile: another name would not take it back."""

# The mark of an error is one that nobody's name can be.
_PLAIN: Final = ""
_NOTICE: Final = "\x1b[2m"
_NAME: Final = "\x1b[1m"
_ERROR: Final = "\x1b[31m"
_RESET: Final = "\x1b[0m"


class Words(Struct, frozen=True):
    """One line without its end: when, how it may be coloured, whose name comes first, what."""

    time: int | None
    style: str
    name: str
    text: str


def encode(shown: Shown) -> bytes:
    """The line or lines for it; b"" for what this dialect does not show."""
    return b"".join([line(f"{stamp(w.time)} {w.name}{w.text}") for w in _words(shown)])


def encode_in_color(shown: Shown) -> bytes:
    """The same, with our own escape sequences around clean text."""
    return b"".join([_colored(w) for w in _words(shown)])


def _colored(words: Words) -> bytes:
    style = words.style
    start = f"{_NOTICE}{stamp(words.time)}{_RESET} ".encode()
    name = _NAME.encode() + line(words.name)[:-1] + _RESET.encode() if words.name else b""
    text = line(words.text)[:-1]
    if style:
        text = style.encode() + text + _RESET.encode()
    return start + name + text + b"\n"


def _notice(*sentences: str) -> Iterator[Words]:
    return (Words(None, _NOTICE, "", sentence) for sentence in sentences)


def _topic(room: str, text: str) -> str:
    return f"Topic of {room}: {text}"  # more than one word: nobody can be called that


def _words(shown: Shown) -> Iterable[Words]:
    match shown:
        case f.Entry():
            return _entry_words(shown)
        case r.Stored():
            return ()
        case r.Done(what=what):
            return _notice(f"{what.capitalize()} changed.") if what else ()
        case r.Welcome(nick=nick, recent=recent, topics=topics):
            hint = f"You are {nick}, in #general. What you type is what you say; /help lists the commands."
            return [
                *_past(recent),
                *_notice(f"{nick} has joined the chat.", hint, *starmap(_topic, topics.items())),
            ]
        case r.Entered(room=room, recent=recent, topic=text):
            about = [_topic(room, text)] if text else []
            return [*_notice(f"You are in {room} now.", *about), *_past(recent)]
        case r.TopicIs(changed=True):
            return _notice("Topic changed.")
        case r.TopicIs(room=room, text=text):
            return _notice(_topic(room, text) if text else f"{room} has no topic.")
        case r.RoomList(rooms=rooms):
            return _notice(*(f"{each.room} ({each.members}) {each.topic}".rstrip() for each in rooms))
        case r.NickChanged(nick=nick):
            return _notice(f"You are known as {nick} now.")
        case r.Users(room=room, nicks=nicks):
            head = f"In {room}: " if room else "Online users: "
            return _notice(*wrapped(head, nicks, before=len(stamp()) + 1))
        case r.HistoryPage(entries=entries):
            return [*_past(entries), *_notice("End of history.")]
        case r.Results(entries=entries):
            return [*_past(entries), *_notice("End of search.")]
        case r.TokenIs(token=token, last_id=last_id):
            return _notice(f"To come back as yourself: /resume {token} {last_id}")
        case r.Resumed(nick=nick, rooms=rooms, recovered=recovered, missed=missed, topics=topics):
            where = f"You are {nick} again, in {', '.join(rooms)}."
            gap = (
                f"You missed {missed}."
                if recovered
                else "Some of what you missed is not shown: see /history."
            )
            return _notice(f"{where} {gap}", *starmap(_topic, topics.items()))
        case r.Replayed(entry=entry):
            return _past([entry])
        case r.Pong():
            return _notice("pong")
        case r.HelpText():
            return _notice(*(f"{s.usage} - {s.what}" for s in COMMANDS.values()), "//text - say /text")
        case r.Error(code=code, detail=detail):
            sentence = _TAKEN_BACK if code == "username-taken" and detail else _DETAILS.get(code)
            said = (sentence or f"{code} {{detail}}").replace("{detail}", detail)
            return (Words(None, _ERROR, "", f"*** {said}"),)
        case r.Goodbye():
            return _notice("Bye.")
        case r.IdleWarning(seconds=seconds):
            return _notice(f"You are idle: press Enter within {seconds} seconds to stay.")
        case r.Bye():
            return _bye_words(shown)
        case _:
            assert_never(shown)


def _entry_words(entry: f.Entry, mark: str = "") -> Iterable[Words]:
    time, fact = entry.time, entry.fact
    match fact:
        case f.Said(nick=nick, text=text):
            return (_speech(time, mark, nick, text),)
        case f.Shouted(nick=nick, text=text):
            return (_speech(time, mark, f"{nick} (to all)", text),)
        case f.Told(nick=nick, to=to, text=text):
            whom = to if mark else "you"  # what was said before may be one's own
            return (_speech(time, mark, f"{nick} (to {whom})", text),)
        case f.Connected(nick=nick):
            notice = f"{nick} has joined the chat."
        case f.Joined(nick=nick):
            notice = f"{nick} has joined the room."
        case f.Left(nick=nick):
            notice = f"{nick} has left the room."
        case f.Disconnected(nick=nick):
            notice = f"{nick} has left the chat."
        case f.Renamed(old=old, new=new):
            notice = f"{old} is now known as {new}."
        case f.TopicChanged(nick=nick, text=text):
            notice = f"{nick} changed the topic: {text}" if text else f"{nick} took the topic away."
        case f.Typed():
            return ()
        case _:
            assert_never(fact)
    return (Words(time, _NOTICE, "", notice),)


def _speech(time: int, mark: str, who: str, text: str) -> Words:
    if text.startswith(ACTION):
        return Words(time, _PLAIN, f"{mark}* {who}", text.removeprefix(ACTION.rstrip()))
    return Words(time, _PLAIN, f"{mark}{who}", f": {text}")


def _past(entries: Iterable[f.Entry]) -> Iterator[Words]:
    for entry in entries:
        yield from _entry_words(entry, "(history) ")


def _bye_words(bye: r.Bye) -> Iterable[Words]:
    match bye.reason:
        case "quit" | "gone" | "misdirected":
            return ()
        case "restarting":
            return _notice("The server is restarting.")
        case "idle-timeout":
            return _notice(f"Disconnected (idle-timeout): nothing came from you for {bye.detail} seconds.")
        case "login-timeout":
            return _notice(f"Disconnected (login-timeout): you gave no name within {bye.detail} seconds.")
        case "resumed-elsewhere":
            return _notice("Disconnected (resumed-elsewhere): you have come back on another connection.")
        case reason:
            return _notice(f"Disconnected ({reason}).")
