"""The person at the line door, in both dialects."""

import re
from typing import Final

from tests.e2e.person import LOBBY, Person, event_in
from tests.e2e.programs import STAMP
from tests.e2e.sockets import Line


class CommandUser(Person):
    kind = "command dialect"
    SHOWN: Final = {
        "msg": r"MSG (\S+) (.*)",
        "gmsg": r"GMSG (\S+) (.*)",
        "dm": r"DM (\S+) (.*)",
        "connected": r"INFO (\S+) connected",
        "joined": r"INFO (\S+) joined the room",
        "left": r"INFO (\S+) left the room",
        "disconnected": r"INFO (\S+) disconnected",
        "renamed": r"INFO (\S+) is now known as (\S+)",
    }

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    async def _hear(self) -> None:
        self.heard.append(event_in(await self._line.line(), self.SHOWN))

    async def _ask(self, command: str) -> str:
        """HELP ends with a line of its own, before and after the login."""
        await self._line.send(command, "HELP")
        code = ""
        while (text := await self._line.line()) != "INFO QUIT - leave the chat":
            if text.startswith("ERR "):
                code = text.split()[1]
            elif not re.match("OK|INFO .* - ", text):
                self.heard.append(event_in(text, self.SHOWN))
        return code

    async def say(self, text: str) -> str:
        return await self._ask(f"MSG {text}")

    async def act(self, text: str) -> str:
        return await self._ask(f"MSG /me {text}")

    async def shout(self, text: str) -> str:
        return await self._ask(f"GMSG {text}")

    async def tell(self, to: str, text: str) -> str:
        return await self._ask(f"DM {to} {text}")

    async def look(self) -> list[str]:
        await self._line.send("RWHO")
        while (text := await self._line.line()) != f"INFO --- Users in {self.room} ---":
            self.heard.append(event_in(text, self.SHOWN))
        *listed, users, _ = await self._line.until("INFO --- End of List ---")
        names = users.removeprefix("USERS ").split(", ")
        assert listed == [f"USER {name}" for name in names]
        return names

    async def quit(self) -> None:
        await self._line.send("QUIT")
        *texts, last = await self._line.rest()
        self.heard += [event_in(text, self.SHOWN) for text in texts]
        assert last == "OK bye"

    def vanish(self) -> None:
        self._line.abort()

    async def _login(self, name: str) -> str:
        return await self._ask(f"LOGIN {name}")

    async def _rename(self, name: str) -> str:
        return await self._ask(f"NICK {name}")

    async def _move(self, room: str) -> str:
        return await self._ask("LEAVE" if room == LOBBY and self.room != LOBBY else f"JOIN {room}")


class PlainUser(Person):
    kind = "plain dialect"
    SHOWN: Final = {
        "act": r"\* (\S+) (.*)",
        "gmsg": r"(\S+) \(to all\): (.*)",
        "dm": r"(\S+) \(to you\): (.*)",
        "connected": r"(\S+) has joined the chat\.",
        "joined": r"(\S+) has joined the room\.",
        "left": r"(\S+) has left the room\.",
        "disconnected": r"(\S+) has left the chat\.",
        "renamed": r"(\S+) is now known as (\S+)\.",
        "msg": r"(\S+): (.*)",
    }
    ANSWERS: Final = r"You are .*|Bye\.|\(history\) .*"
    REFUSALS: Final = {
        "username-taken": r"Somebody has that name already\. Try another one:",
        "nick-taken": r"Somebody has that name already\.",
        "invalid-username": r"That cannot be a name: .*",
        "user-not-found": r"Nobody here is called .*\.",
        "bad-room-name": r"A room is called .*",
        "already-in-that-room": r"You are in that room already\.",
        "text-too-long": r"That is longer than 2000 characters\.",
    }
    """This dialect has sentences for people where the others have codes."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    async def _shown(self) -> str:
        text = await self._line.line()
        stamp = STAMP.match(text)
        assert stamp, f"{text!r} has no timestamp"
        return text[stamp.end() :]

    async def _hear(self) -> None:
        self._take(await self._shown())

    def _take(self, text: str) -> str:
        """Keep the event, if it is one; the code, if it is a refusal."""
        if text.startswith("*** "):
            return event_in(text.removeprefix("*** "), self.REFUSALS)[0]
        if not re.fullmatch(self.ANSWERS, text):
            kind, nick, *rest = event_in(text, self.SHOWN)
            assert not (kind == "msg" and rest[0].startswith("/me ")), f"{text!r} is to be shown as an action"
            if kind == "act":
                kind, rest = "msg", ["/me " + rest[0]]
            if not (kind == "connected" and nick == self._newcomer):
                self.heard.append((kind, nick, *rest))
        return ""

    async def _ask(self, typed: str) -> str:
        await self._line.send(typed, "/who")
        code = ""
        while not (text := await self._shown()).startswith("In #"):
            code = self._take(text) or code
        return code

    _newcomer = ""
    """Our own arrival is shown to us; it is no news."""

    async def _login(self, name: str) -> str:
        self._newcomer = name
        await self._line.send(name)
        text = await self._shown()
        while not text.startswith(("*** ", "You are ")):
            self._take(text)
            text = await self._shown()
        return self._take(text)

    async def say(self, text: str) -> str:
        return await self._ask("/" + text if text.startswith("/") else text)

    async def act(self, text: str) -> str:
        return await self._ask(f"/me {text}")

    async def shout(self, text: str) -> str:
        return await self._ask(f"/all {text}")

    async def tell(self, to: str, text: str) -> str:
        return await self._ask(f"/msg {to} {text}")

    async def look(self) -> list[str]:
        await self._line.send("/who")
        while not (text := await self._shown()).startswith(f"In {self.room}: "):
            self._take(text)
        return text.removeprefix(f"In {self.room}: ").split(", ")

    async def quit(self) -> None:
        await self._line.send("/quit")
        while (text := await self._shown()) != "Bye.":
            self._take(text)
        assert await self._line.rest() == []

    def vanish(self) -> None:
        self._line.abort()

    async def _rename(self, name: str) -> str:
        return await self._ask(f"/nick {name}")

    async def _move(self, room: str) -> str:
        return await self._ask("/leave" if room == LOBBY and self.room != LOBBY else f"/join {room}")
