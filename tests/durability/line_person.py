"""Someone on the line door, in the command dialect, who comes back with RESUME.

The dialect shows no ids and acknowledges nothing, so this person asks: a PONG behind a message says that
it is stored, and `HISTORY 1` gives an id up to which everything was shown. What comes again after a
RESUME is known by its text.
"""

import asyncio
from random import Random
from typing import Final

from core.names import LOBBY
from tests.clients import HOST
from tests.durability.crowd import WINDOW, Door, Person
from tests.durability.traces import HALL, Acked, May, Must, Resumed, Seen, Sent, mail

ASKS_EVERY: Final = 20
"""Lines after which this person asks for its place in the log."""


class LinePerson(Person):
    def __init__(self, nick: str, door: Door, chance: Random, *, talks: bool = True) -> None:
        super().__init__(nick, door, chance, talks=talks)
        self._writer: asyncio.StreamWriter | None = None
        self._in = False
        self._token = ""
        self._known = 0
        """Everything up to this id was shown."""
        self._unsure: list[str] = []
        """Texts without a PONG behind them; whether they are stored is not known after a cut."""
        self._replayed = 0
        """HIST lines to come that were missed."""
        self._heard: set[str] = set()
        self._lines = 0

    @property
    def here(self) -> bool:
        return self._in

    @property
    def silent(self) -> bool:
        return self._in and not self._unsure

    async def speaks(self) -> None:
        self.speaking = self.talks
        self._pump()

    async def marks(self) -> None:
        self._say()

    # ------------------------------------------------------------------ one connection

    async def _converse(self, port: int) -> None:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            self.connections += 1
            await self._line(reader)
            await self._line(reader)
            await self._begin(reader, writer)
            while True:
                self._hear(await self._line(reader))
        except (OSError, EOFError):
            pass  # the network; the next connection goes on from what is known
        finally:
            self._writer, self._in, self._unsure, self._replayed = None, False, [], 0
            if writer is not None:
                writer.transport.abort()

    async def _line(self, reader: asyncio.StreamReader) -> str:
        data = await reader.readuntil(b"\n")  # raises IncompleteReadError, an EOFError, at the end
        return data[:-1].decode()

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._token:
            writer.write(f"RESUME {self._token} {self._known}\n".encode())
            verb, what, nick, missed = (await self._line(reader)).split()
            assert (verb, what, nick) == ("OK", "resumed", self.nick), (verb, what, nick, missed)
            recovered = missed != "not-recovered"
            self._replayed = int(missed) if recovered else 0
            self.trace.steps.append(Resumed(self._known, recovered, self._replayed))
        else:
            writer.write(f"LOGIN {self.nick}\nTOKEN\n".encode())
            assert await self._line(reader) == "OK"
            verb, what, self._token, known = (await self._line(reader)).split()
            self._known = int(known)
            self.trace.steps += [May(LOBBY), May(HALL), May(mail(self.nick))]
            self.trace.steps += [Must(LOBBY), Must(HALL), Must(mail(self.nick))]
        self._writer, self._in = writer, True
        self._changed.set()
        self._pump()

    def _hear(self, line: str) -> None:
        match line.split(" ", 2):
            case ["MSG", nick, text]:
                self._see(Seen(0, LOBBY, nick, text))
            case ["GMSG", nick, text]:
                self._see(Seen(0, HALL, nick, text))
            case ["DM", nick, text]:
                self._see(Seen(0, mail(self.nick), nick, text))
            case ["HIST" | "HISTGMSG" | "HISTDM" as kind, number, rest]:
                _, nick, text = rest.split(" ", 2)
                if kind == "HISTDM":
                    to, _, text = text.partition(" ")
                    assert to == self.nick, "nobody is shown what others told each other"
                self._known = max(self._known, int(number))
                if self._replayed:
                    self._replayed -= 1
                    if text not in self._heard:
                        self._see(Seen(int(number), "", nick, text, replayed=True))
            case ["PONG"]:
                self._acknowledged()
            case ["INFO", *_] | ["OK", "bye"]:
                pass
            case _:
                raise AssertionError(f"{self.nick} heard {line!r}")
        self._lines += 1
        if self._lines % ASKS_EVERY == 0 and self._writer is not None:
            self._writer.write(b"HISTORY 1\n")

    def _see(self, seen: Seen) -> None:
        self._heard.add(seen.text)
        self.trace.steps.append(seen)

    def _acknowledged(self) -> None:
        self.trace.steps.append(Acked(self._unsure.pop(0)))
        self._pump()
        self._changed.set()

    # ------------------------------------------------------------------ what it says

    def _pump(self) -> None:
        while self.speaking and self._in and len(self._unsure) < WINDOW:
            self._say(self._chance.choice(("MSG", "MSG", "GMSG")))

    def _say(self, verb: str = "MSG") -> None:
        text = self._new_text()
        self.trace.steps.append(Sent("", text))
        if self._writer is not None:
            self._unsure.append(text)
            self._writer.write(f"{verb} {text}\nPING\n".encode())

    async def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.write(b"QUIT\n")
