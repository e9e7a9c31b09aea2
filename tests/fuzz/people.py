"""The three kinds of people, without sockets: the real code over a transport that only keeps bytes."""

import json
import re
from itertools import count
from typing import Any, Final, cast

from core.admission import Admission
from core.chat import Chat
from core.session import Session
from tcp_frontend.connection import Connection, Connections
from tests.ws_frontend.raw import split
from ws_frontend import messages

Event = tuple[str, ...]
KINDS: Final = ("web", "command", "plain")
_refs = count(1)


class Pipe:
    """A transport, or a wire: what is written is kept."""

    fd = None

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes, /) -> None:
        self.written += data

    def close(self, reason: str = "", /) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def waiting(self) -> int:
        return 0

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, **_: int) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def pause_input(self) -> None: ...
    def resume_input(self) -> None: ...

    def get_extra_info(self, _: str) -> object:
        return ("192.0.2.1", 1)

    def take(self) -> bytes:
        data, self.written = self.written, b""
        return data


class Guest:
    """Someone connected. `events` and `answers` are what came since they were last looked at."""

    def __init__(self, chat: Chat, kind: str) -> None:
        self.kind = kind
        self.pipe = Pipe()
        self.nick = ""
        self.rooms: dict[str, int] = {}
        """With the last id before each was entered."""
        self.came = 0
        """The last id before the login."""
        self.token = ""
        self.identity = next(_refs)
        self.arrived = 0
        """The last id before it came."""
        self.asked: list[str] = []
        self.last_id = 0
        self._chat = chat
        if kind == "web":
            self._session: Session = chat.connect(self.pipe, messages.encode, messages.parse)
        else:
            self._connection = Connection(chat, Admission(), 1 << 30, Connections())
            self._connection.connection_made(cast(Any, self.pipe))

    def sends(self, line: str, kind: str = "", **fields: object) -> None:
        """A line, or on the web door that frame with a ref of its own."""
        if self.kind == "web":
            ref = str(fields.pop("ref", next(_refs)))
            self.asked.append(ref)
            self._chat.receive(self._session, json.dumps({"type": kind, "ref": ref, **fields}).encode())
        else:
            self._connection.data_received(f"{line}\n".encode())

    def sends_bytes(self, data: bytes) -> None:
        if self.kind == "web":
            self._chat.receive(self._session, data)
        else:
            self._connection.data_received(data)

    def goes(self, *, dropped: bool) -> None:
        if self.kind == "web":
            self._chat.end(self._session, dropped=dropped)
        else:
            self._connection.connection_lost(OSError() if dropped else None)

    def hears(self) -> tuple[list[Event], list[dict[str, Any]]]:
        """Events in the same words for all kinds, and answers (only of the web door)."""
        data = self.pipe.take()
        if self.kind == "web":
            frames = [json.loads(payload) for _, payload in split(data)]
            events = [frame for frame in frames if frame["type"] in _WEB and "ref" not in frame]
            for event in events:
                if "id" in event:
                    assert event["id"] > self.last_id, "ids only rise"
                    self.last_id = event["id"]
            answers = [frame for frame in frames if frame not in events]
            return [
                (e["type"], *[e[k] for k in ("nick", "old", "new", "text") if k in e]) for e in events
            ], answers
        assert not data or data.endswith(b"\n")
        found = []
        for line in data.decode().split("\n")[:-1]:
            text = line if self.kind == "command" else re.sub(r"^\[.{19}\] ", "", line)
            for event, pattern in (_COMMAND if self.kind == "command" else _PLAIN).items():
                if match := re.fullmatch(pattern, text):
                    found.append((event, *match.groups()))
                    break
        return found, []


_WEB: Final = {"msg", "gmsg", "dm", "joined", "left", "disconnected", "renamed"}
_COMMAND: Final = {
    "msg": r"MSG (\S+) (.*)", "gmsg": r"GMSG (\S+) (.*)", "dm": r"DM (\S+) (.*)",
    "joined": r"INFO (\S+) (?:joined the room|connected)", "left": r"INFO (\S+) left the room",
    "disconnected": r"INFO (\S+) disconnected", "renamed": r"INFO (\S+) is now known as (\S+)",
}  # fmt: skip
_PLAIN: Final = {
    "joined": r"(\S+) has joined the (?:room|chat)\.", "left": r"(\S+) has left the room\.",
    "disconnected": r"(\S+) has left the chat\.", "renamed": r"(\S+) is now known as (\S+)\.",
    "msg": r"(\w+): (.*)", "gmsg": r"(\w+) \(to all\): (.*)", "dm": r"(\w+) \(to you\): (.*)",
}  # fmt: skip
