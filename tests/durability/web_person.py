"""Someone on the web door who survives everything: resumes, retries, joins and leaves rooms."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from core.names import LOBBY
from tests.clients import HOST
from tests.durability.crowd import WINDOW, Door, Person
from tests.durability.traces import (
    HALL,
    Acked,
    Early,
    Late,
    Leaves,
    Left,
    May,
    Must,
    Refused,
    Resumed,
    Seen,
    Sent,
    mail,
)

Event = dict[str, Any]


class Waiting(Struct):
    """A command without an answer."""

    command: Mapping[str, str]
    times: int = 0


class WebPerson(Person):
    def __init__(
        self,
        nick: str,
        door: Door,
        chance: Random,
        *,
        talks: bool = True,
        friends: Sequence[str] = (),
        elsewhere: Sequence[str] = (),
    ) -> None:
        """`friends` are sent direct messages, `elsewhere` are rooms to go in and out of."""
        super().__init__(nick, door, chance, talks=talks)
        self._friends = [friend for friend in friends if friend != nick]
        self._elsewhere = elsewhere
        self._ws: ClientConnection | None = None
        self._in = False
        self._token = ""
        self._epoch = ""
        self._seen = 0
        self._rooms: list[str] = []
        self._waiting: dict[str, Waiting] = {}
        self._moving: Mapping[str, str] | None = None
        """A join or leave without an answer; nothing else is under way then."""
        self._restless = elsewhere != ()
        """Will go to another room, or leave one, as soon as everything it said was answered."""
        self._replayed = 0
        """Events to come that were missed."""
        self._over = False
        """This connection has heard its `bye`."""
        self.byes: list[str] = []
        """Why connections ended, and what a second one was refused for."""

    @property
    def here(self) -> bool:
        return self._in

    @property
    def silent(self) -> bool:
        return self._in and not self._waiting and self._moving is None

    async def speaks(self) -> None:
        self.speaking = self.talks
        held, self.holds = self.holds, False
        if self._in:
            if held:
                await self._resend()
            await self._pump()

    async def marks(self) -> None:
        await self._say({"type": "msg", "room": LOBBY})

    # ------------------------------------------------------------------ one connection

    async def _converse(self, port: int) -> None:
        try:
            async with connect(
                f"ws://{HOST}:{port}/ws",
                compression=None,
                max_queue=None,
                ping_interval=None,
                proxy=None,
                close_timeout=1,
            ) as ws:
                self.connections += 1
                await self._begin(ws)
                async for data in ws:
                    await self._hear(json.loads(data))
        except (OSError, EOFError, WebSocketException):
            pass  # the network; whatever it was, the next connection goes on from what is known
        finally:
            self._ws, self._in = None, False

    async def _begin(self, ws: ClientConnection) -> None:
        self._over = False
        hello = json.loads(await ws.recv())
        assert hello["type"] == "hello", hello
        assert self._epoch in ("", hello["epoch"]), "another log"
        self._epoch = hello["epoch"]
        if self._token:
            await ws.send(
                json.dumps({"type": "resume", "token": self._token, "after": self._seen, "ref": "?"})
            )
            await self._resumed(await self._answer(ws))
        else:
            await ws.send(json.dumps({"type": "login", "nick": self.nick, "ref": "?"}))
            welcome = await self._answer(ws)
            assert welcome["type"] == "welcome", welcome
            self._token, self._rooms = welcome["token"], welcome["rooms"]
            self.trace.steps += [May(LOBBY), May(HALL), May(mail(self.nick))]
            self.trace.steps += [Must(LOBBY), Must(HALL), Must(mail(self.nick))]
        self._ws, self._in = ws, True
        self._changed.set()
        if not self.holds:
            await self._resend()
            await self._pump()

    async def _answer(self, ws: ClientConnection) -> Event:
        while True:
            event: Event = json.loads(await ws.recv())
            if event.get("ref") == "?":
                return event
            if "id" in event:
                self.trace.steps.append(Early(event["text"]))
            elif event["type"] == "bye":
                self._bye(event)

    def _bye(self, event: Event) -> None:
        self.byes.append(event["reason"])
        self._over = True

    async def _resumed(self, answer: Event) -> None:
        assert answer["type"] == "resumed", (self.nick, answer)
        self.trace.steps.append(Resumed(self._seen, answer["recovered"], answer["missed"]))
        self._replayed = answer["missed"]
        rooms: list[str] = answer["rooms"]
        moving, self._moving = self._moving, None
        room = moving["room"] if moving else ""
        assert set(rooms) ^ set(self._rooms) <= {room}, f"{self.nick}: {rooms} after {self._rooms}, {moving}"
        if room:
            self.trace.steps.append(Must(room) if room in rooms else Left(room))
        self._rooms = rooms

    async def _hear(self, event: Event) -> None:
        ref = event.get("ref")
        if self._over and "id" in event:
            self.trace.steps.append(Late(json.dumps(event)))
        elif ref is not None:
            self._answered(ref, event)
            if self.speaking:
                await self._pump()
            self._changed.set()
        elif event["type"] in ("msg", "gmsg", "dm"):
            self._seen = max(self._seen, event["id"])
            place = event.get("room") or (mail(event["to"]) if event["type"] == "dm" else HALL)
            replayed = self._replayed > 0
            self._replayed -= replayed
            self.trace.steps.append(Seen(event["id"], place, event["nick"], event["text"], replayed))
        elif event["type"] == "bye":
            self._bye(event)
        else:
            assert event["type"] in ("joined", "left", "disconnected"), event

    def _answered(self, ref: str, event: Event) -> None:
        if self._moving is not None and ref == self._moving["ref"]:
            moving, self._moving = self._moving, None
            assert event["type"] == "ok", event
            room = moving["room"]
            if moving["type"] == "join":
                self._rooms.append(room)
                self.trace.steps.append(Must(room))
            else:
                self._rooms.remove(room)
                self.trace.steps.append(Left(room))
            return
        waiting = self._waiting.pop(ref)
        text = waiting.command["text"]
        if event["type"] == "ok":
            again = waiting.times > 1
            self.trace.steps.append(Acked(text, event["id"], again=again))
            if not again:
                self._seen = max(self._seen, event["id"])
        else:
            self.trace.steps.append(Refused(text, event["code"]))

    # ------------------------------------------------------------------ what it says

    async def _send(self, command: Mapping[str, str]) -> None:
        if self._ws is not None:
            with suppress(ConnectionClosed):  # the reader of this connection sees it too
                await self._ws.send(json.dumps(command))

    async def _transmit(self, waiting: Waiting) -> None:
        if self._ws is None:
            return
        waiting.times += 1
        self.trace.steps.append(Sent(waiting.command["ref"], waiting.command["text"]))
        await self._send(waiting.command)

    async def _resend(self) -> None:
        for waiting in list(self._waiting.values()):
            await self._transmit(waiting)

    async def _say(self, command: Mapping[str, str]) -> None:
        text = self._new_text()
        ref = text.partition(" ")[0]
        waiting = self._waiting[ref] = Waiting({**command, "text": text, "ref": ref})
        await self._transmit(waiting)

    async def _pump(self) -> None:
        while self.speaking and self._in and self._moving is None and len(self._waiting) < WINDOW:
            self._restless = self._restless or (self._elsewhere != () and self._chance.random() < 0.1)
            if not self._restless:
                await self._say(self._something())
            elif not self._waiting:  # else first hear about what was said
                self._restless = False
                await self._move()
            else:
                return

    def _something(self) -> dict[str, str]:
        kind = self._chance.random()
        if kind < 0.15:
            return {"type": "gmsg"}
        if kind < 0.35 and self._friends:
            return {"type": "dm", "to": self._chance.choice(self._friends)}
        return {"type": "msg", "room": self._chance.choice(self._rooms)}

    async def _move(self) -> None:
        room = self._chance.choice(self._elsewhere)
        kind = "leave" if room in self._rooms else "join"
        self.trace.steps.append(May(room) if kind == "join" else Leaves(room))
        self._count += 1
        self._moving = {"type": kind, "room": room, "ref": f"move-{self._count}"}
        await self._send(self._moving)

    async def doubles(self) -> None:
        """Come back twice at once, as a page in two tabs does; the first of them is told to go."""
        if not self._token:
            return
        port = await self._door.port()
        with suppress(OSError, EOFError, WebSocketException):
            async with connect(f"ws://{HOST}:{port}/ws", compression=None, proxy=None) as ws:
                command = {"type": "resume", "token": self._token, "after": self._seen}
                await ws.send(json.dumps(command))
                resumed = False
                async for data in ws:
                    event = json.loads(data)
                    resumed = resumed or event["type"] == "resumed"
                    if "id" in event and not resumed:
                        self.trace.steps.append(Early(event["text"]))
                    elif event["type"] == "bye":
                        self.byes.append(event["reason"])
                    elif event["type"] == "error":
                        self.byes.append(event["code"])
                        return

    async def _hang_up(self) -> None:
        if self._ws is not None:
            await self._ws.close(1001)
