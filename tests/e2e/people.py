"""The person at the web door, and all kinds of people by their names."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.e2e.line_people import CommandUser, PlainUser
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.e2e.sockets import Page, dialling, opening


class WebUser(Person):
    kind = "web door"

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._refs = itertools.count()  # the same one twice would be a repetition

    def _take(self, event: dict[str, object]) -> None:
        words = {key: str(value) for key, value in event.items()}
        assert words.get("room", self.room) == self.room, f"{event} is not for {self.room}"
        assert words.get("to", self.name) == self.name, f"{event} is not for {self.name}"
        parts = [words[key] for key in ("nick", "old", "new", "text") if key in words]
        self.heard.append((words["type"], *parts))

    async def _hear(self) -> None:
        self._take(await self._page.event())

    async def _ask(self, type_: str, **fields: str) -> dict[str, object]:
        ref = str(next(self._refs))
        await self._page.send(type_, ref=ref, **fields)
        while (event := await self._page.event()).get("ref") != ref:
            self._take(event)
        return event

    async def _code(self, type_: str, **fields: str) -> str:
        return str((await self._ask(type_, **fields)).get("code", ""))

    async def say(self, text: str) -> str:
        return await self._code("msg", room=self.room, text=text)

    async def act(self, text: str) -> str:
        return await self._code("msg", room=self.room, text=f"/me {text}")

    async def shout(self, text: str) -> str:
        return await self._code("gmsg", text=text)

    async def tell(self, to: str, text: str) -> str:
        return await self._code("dm", to=to, text=text)

    async def look(self) -> list[str]:
        nicks = (await self._ask("who", room=self.room))["nicks"]
        assert isinstance(nicks, list)
        return [str(nick) for nick in nicks]

    async def quit(self) -> None:
        await self._ask("quit")
        await self._page.hears({"type": "bye", "reason": "quit"})
        assert await self._page.close_code() == 1000

    def vanish(self) -> None:
        self._page.abort()

    async def _login(self, name: str) -> str:
        return await self._code("login", nick=name)

    async def _rename(self, name: str) -> str:
        return await self._code("nick", nick=name)

    async def _move(self, room: str) -> str:
        """This door may be in many rooms; whoever wants to be in one leaves the other first."""
        here = self.room
        code = await self._code("join", room=room)
        if not code:
            await self._code("leave", room=here)
        return code


KINDS: Final = (CommandUser.kind, PlainUser.kind, WebUser.kind)


@asynccontextmanager
async def arriving(kind: str, server: Server) -> AsyncIterator[Person]:
    """A person of that kind, connected and not logged in."""
    if kind == WebUser.kind:
        async with opening(server) as page:
            yield WebUser(page)
    else:
        async with dialling(server) as line:
            yield CommandUser(line) if kind == CommandUser.kind else PlainUser(line)
