"""The command dialect: `MSG hello` in, `MSG Ann hello` out. PROTOCOL.md has every line of it."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, assert_never

from core import commands as c
from core import facts as f
from core import replies as r
from core.replies import Shown
from tcp_frontend.lines import line, utc, wrapped
from tcp_frontend.usage import Usage, dm, history, resume, text, topic, word

VERBS: Final = {
    "LOGIN": Usage("LOGIN <username>", "come in", word(c.Login)),
    "MSG": Usage("MSG <text>", "say it in your room", text(partial(c.Msg, c.HERE))),
    "GMSG": Usage("GMSG <text>", "say it to everyone", text(c.Gmsg)),
    "DM": Usage("DM <username> <message>", "say it to one person", dm),
    "JOIN": Usage("JOIN <#room>", "go to another room", word(c.Join)),
    "LEAVE": Usage("LEAVE", "go back to #general", lambda _: c.Leave(c.HERE)),
    "WHO": Usage("WHO", "list everyone", lambda _: c.Who()),
    "RWHO": Usage("RWHO", "list the people of your room", lambda _: c.Who(c.HERE)),
    "ROOMS": Usage("ROOMS", "list the rooms", lambda _: c.Rooms()),
    "TOPIC": Usage("TOPIC [text]", "show what your room is about, or change it; - for nothing", topic),
    "NICK": Usage("NICK <new>", "change your name", word(c.Rename)),
    "HISTORY": Usage("HISTORY [n]", "show the last messages of your room", history(c.HISTORY_DEFAULT)),
    "SEARCH": Usage("SEARCH <words>", "find what was said", text(c.Search)),
    "TOKEN": Usage("TOKEN", "get what RESUME takes", lambda _: c.Token()),
    "RESUME": Usage("RESUME <token> [<id>]", "take your session back, instead of LOGIN", resume),
    "PING": Usage("PING", "show that you are there; answered with PONG", lambda _: c.Ping()),
    "HELP": Usage("HELP", "list the commands", lambda _: c.Help()),
    "QUIT": Usage("QUIT", "leave the chat", lambda _: c.Quit()),
}


BEFORE_LOGIN: Final = frozenset({"LOGIN", "RESUME", "HELP", "QUIT"})


def parse(said: str) -> c.AnyCommand:
    """One clean line that is not blank."""
    name, _, rest = said.lstrip().partition(" ")
    verb = VERBS.get(name.upper())
    if verb is None:
        return c.Invalid("unknown-command", name)
    return verb.build(rest) or c.Invalid("usage", verb.usage)


def encode(shown: Shown) -> bytes:
    """The line or lines for it; b"" for what this dialect does not show."""
    lines = _fact_lines(shown.fact) if isinstance(shown, f.Entry) else _lines(shown)
    return line(lines[0]) if len(lines) == 1 else b"".join(map(line, lines))


def _lines(shown: r.AnyReply) -> Sequence[str]:
    match shown:
        case r.Stored() | r.Done():
            return ()  # silence is consent
        case r.Welcome(topics=topics):
            return ["OK", *_topic_lines(topics.values())]
        case r.Entered(room=room, topic=text):
            return [f"OK joined {room}", *_topic_lines([text] if text else [])]
        case r.TopicIs(changed=True):
            return ("OK topic-changed",)
        case r.TopicIs(text=text):
            return _topic_lines([text]) if text else ("INFO no topic",)
        case r.RoomList(rooms=rooms):
            lines = (f"ROOM {each.room} {each.members} {each.topic}".rstrip() for each in rooms)
            return ["INFO --- Rooms ---", *lines, "INFO --- End of List ---"]
        case r.NickChanged():
            return ("OK nick-changed",)
        case r.Users(room=room, nicks=nicks):
            head = f"INFO --- Users in {room} ---" if room else "INFO --- All Connected Users ---"
            each_of_them = (f"USER {nick}" for nick in nicks)
            return [head, *each_of_them, *wrapped("USERS ", nicks), "INFO --- End of List ---"]
        case r.HistoryPage(entries=entries):
            return [*map(_past_line, entries), "INFO --- End of History ---"]
        case r.Results(entries=entries):
            return [*map(_past_line, entries), "INFO --- End of Search ---"]
        case r.TokenIs(token=token, last_id=last_id):
            return (f"OK token {token} {last_id}",)
        case r.Resumed(nick=nick, rooms=rooms, recovered=recovered, missed=missed, topics=topics):
            where = (f"INFO room: {room}" for room in rooms)
            ok = f"OK resumed {nick} {missed if recovered else 'not-recovered'}"
            return [ok, *where, *_topic_lines(topics.values())]
        case r.Replayed(entry=entry):
            return (_past_line(entry),)
        case r.Pong():
            return ("PONG",)
        case r.HelpText():
            return [f"INFO {verb.usage} - {verb.what}" for verb in VERBS.values()]
        case r.Error(code="usage", detail=usage):
            return (f"ERR usage: {usage}",)
        case r.Error(code=code, detail=detail):
            return (f"ERR {code} {detail}".rstrip(),)
        case r.Goodbye():
            return ("OK bye",)
        case r.IdleWarning(seconds=seconds):
            return (f"INFO idle-warning {seconds} Send PING to stay",)
        case r.Bye():
            return _bye_lines(shown)
        case _:
            assert_never(shown)


def _topic_lines(topics: Iterable[str]) -> list[str]:
    return [f"INFO topic: {text}" for text in topics]


def _fact_lines(fact: f.Fact) -> tuple[str, ...]:
    match fact:
        case f.Said():
            return (f"MSG {fact.nick} {fact.text}",)
        case f.Shouted():
            return (f"GMSG {fact.nick} {fact.text}",)
        case f.Told():
            return (f"DM {fact.nick} {fact.text}",)
        case f.Connected(nick=nick):
            return (f"INFO {nick} connected",)
        case f.Joined(nick=nick):
            return (f"INFO {nick} joined the room",)
        case f.Left(nick=nick):
            return (f"INFO {nick} left the room",)
        case f.Disconnected(nick=nick):
            return (f"INFO {nick} disconnected",)
        case f.Renamed(old=old, new=new):
            return (f"INFO {old} is now known as {new}",)
        case f.TopicChanged(nick=nick, text=text):
            said = f"INFO {nick} changed the topic: {text}" if text else f"INFO {nick} took the topic away"
            return (said,)
        case f.Typed():
            return ()  # lines have no place for it
        case _:
            assert_never(fact)


def _past_line(entry: f.Entry) -> str:
    fact = entry.fact
    match fact:
        case f.Said():
            return f"HIST {entry.id} {utc(entry.time)} {fact.nick} {fact.text}"
        case f.Shouted():
            return f"HISTGMSG {entry.id} {utc(entry.time)} {fact.nick} {fact.text}"
        case f.Told():
            return f"HISTDM {entry.id} {utc(entry.time)} {fact.nick} {fact.to} {fact.text}"
        case _:
            raise AssertionError(fact)  # only speech is stored


def _bye_lines(bye: r.Bye) -> tuple[str, ...]:
    match bye.reason:
        case "quit" | "gone" | "misdirected":
            return ()
        case "restarting":
            return ("INFO server is restarting",)
        case "login-timeout":
            return (f"ERR login-timeout {bye.detail}",)
        case reason:
            return (f"INFO {reason}",)
