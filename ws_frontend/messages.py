"""Frames to commands, and what is shown to frames. Neither ever raises."""

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, assert_never, get_args

import msgspec

from core import commands as c
from core import facts as f
from core import replies as r
from core.replies import Shown
from core.text import clean
from ws_frontend import events as e

_decoder: Final[msgspec.json.Decoder[c.FromWire]] = msgspec.json.Decoder(c.FromWire)

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a pair: no bytes can be made of it."""

_KNOWN: Final = frozenset(command.__struct_config__.tag for command in get_args(c.FromWire))


def parse(raw: bytes | None) -> c.AnyCommand | None:
    """One text frame. None stands for a ping or a pong, which costs what a frame costs."""
    if raw is None:
        return None
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _why_not(raw, str(error))


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def _why_not(raw: bytes, problem: str) -> c.Invalid:
    """The answer to a frame that is no command; with its `ref`, if one can be found."""
    try:
        # More forgiving than msgspec: it takes half of a surrogate pair, for instance.
        head = json.loads(raw, parse_constant=_no_json)
        if _SURROGATE.search(json.dumps(head, ensure_ascii=False)):
            problem = "Half of a surrogate pair is no character"
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict):
        return c.Invalid("bad-json", "Send one JSON object with a type in each text frame")
    tag, ref = head.get("type"), head.get("ref")
    if not isinstance(ref, str) or len(ref) > 64 or _SURROGATE.search(ref):
        ref = None
    if isinstance(tag, str) and tag not in _KNOWN:
        return c.Invalid("unknown-command", clean(tag)[:64], ref=ref)
    return c.Invalid("bad-request", problem, ref=ref)


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()


_PARTS: Final = tuple(f".{part:03}Z" for part in range(1000))


def rfc3339(milliseconds: int) -> str:
    """UTC with milliseconds: `2026-11-20T09:30:00.123Z`."""
    return _second(milliseconds // 1000) + _PARTS[milliseconds % 1000]


def encode(shown: Shown) -> bytes:
    """The frame for it."""
    match shown:
        case f.Entry():
            return e.frame(_event(shown))
        case r.Stored():
            return e.frame(e.Ok(shown.id, rfc3339(shown.time), ref=shown.ref))
        case r.Welcome(nick=nick, token=token, rooms=rooms, topics=topics, ref=ref):
            return e.frame(e.Welcome(nick, token, rooms, topics, ref))
        case r.Entered(topic=topic, ref=ref):
            return e.frame(e.Ok(topic=topic or None, ref=ref))
        case r.TopicIs(text=text, ref=ref):
            return e.frame(e.Ok(topic=text, ref=ref))
        case r.RoomList(rooms=rooms, ref=ref):
            return e.frame(e.Rooms([e.Room(each.room, each.members, each.topic) for each in rooms], ref))
        case r.Users(room=room, nicks=nicks, ref=ref):
            return e.frame(e.Users(nicks, room, ref))
        case r.HistoryPage(room=room, with_nick=with_nick, entries=entries, more=more, ref=ref):
            messages = [_spoken(entry) for entry in entries]
            return e.frame(e.History(messages, more, room, with_nick, ref))
        case r.Results(entries=entries, ref=ref):
            return e.frame(e.Results([_spoken(entry) for entry in entries], ref))
        case r.Resumed(nick=nick, rooms=rooms, recovered=recovered, missed=missed, topics=topics, ref=ref):
            return e.frame(e.Resumed(nick, rooms, recovered, missed, topics, ref))
        case r.Replayed(entry=entry):
            return e.frame(_event(entry))
        case r.Pong(ref=ref):
            return e.frame(e.Pong(ref))
        case r.Error(code=code, detail=detail, ref=ref):
            return e.frame(e.Error(code, detail, ref))
        case r.Bye(reason=reason):
            return e.frame(e.Bye(reason))
        case r.Done() | r.NickChanged() | r.Goodbye() | r.HelpText() | r.IdleWarning() | r.TokenIs():
            return e.frame(e.Ok(ref=shown.ref))
        case _:
            assert_never(shown)


def _event(entry: f.Entry) -> e.Event:
    fact = entry.fact
    match fact:
        case f.Said():
            return e.Msg(entry.id, rfc3339(entry.time), fact.room, fact.nick, fact.text)
        case f.Shouted():
            return e.Gmsg(entry.id, rfc3339(entry.time), fact.nick, fact.text)
        case f.Told():
            return e.Dm(entry.id, rfc3339(entry.time), fact.nick, fact.to, fact.text)
        case f.Connected(room=room, nick=nick) | f.Joined(room=room, nick=nick):
            return e.Joined(room, nick)
        case f.Left(room=room, nick=nick):
            return e.Left(room, nick)
        case f.Disconnected(nick=nick):
            return e.Disconnected(nick)
        case f.Renamed(old=old, new=new):
            return e.Renamed(old, new)
        case f.TopicChanged(room=room, nick=nick, text=text):
            return e.Topic(room, nick, text)
        case f.Typed(room=room, nick=nick):
            return e.Typing(room, nick)
        case _:
            assert_never(fact)


def _spoken(entry: f.Entry) -> e.Spoken:
    event = _event(entry)
    assert isinstance(event, e.Spoken)  # nothing else is stored
    return event
