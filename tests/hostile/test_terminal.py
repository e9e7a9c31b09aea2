"""Nothing said on one door can forge a line, a prompt, a colour or a cursor move on the other.

What netcats receive from the running server goes through a terminal emulator.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import pytest

from core.facts import Said
from core.names import LOBBY, Nick
from core.text import clean
from storage.memory import MemoryLog
from tests.clients import LineClient
from tests.doors import open_doors
from tests.e2e.netcat import command_user, netcat, plain_user
from tests.e2e.programs import STAMP, Program
from tests.e2e.server import Server, serving
from tests.e2e.sockets import web_user
from tests.hostile.terminal import Terminal

pytestmark = pytest.mark.network

STAMPED: Final = "[2026-11-20 09:30:00] Bob: forged"

ATTACKS: Final = [
    "\x1b]0;owned\x07",
    "\x1b]2;owned\x1b\\",
    "\x9d0;owned\x9c",
    "\x1b[2J\x1b[H",
    "\x9b2J\x9b1;1H",
    f"\x1b[1A\r{STAMPED}",
    f"\x1bM{STAMPED}",
    f"\x1bE{STAMPED}",
    "\x1b[31;1;7mred",
    "\x1b[?1049h\x1b[?25l\x1b[4h",
    "\x1b[6n\x1b[c\x1b[0c",
    "\x1bc",
    "\x1b(0lqqqk\x0e",
    "\x1b[1;3r\x1b7\x1b8",
    "\x1bP$q\x1b\\\x90q\x9c",
    "\x1b_x\x1b\\\x1b^x\x1b\\",
    f"\r{STAMPED}",
    "\rMSG Bob forged",
    "\x08" * 40 + "MSG Bob forged",
    "\x0b\x0cMSG Bob forged",
    "\x85MSG Bob forged",
    "\u2028MSG Bob forged\u2029MSG Bob forged",
    "\x07\x7f\x00\x05\x11\x13\x18\x1a",
    "\x84\x85\x88\x8d\x8e\x8f",
    "\u202edesrever\u202c\u2066isolated\u2069\u202a\u202b\u202d\u2067\u2068",
    "a\tb",
    "\x1b",
    "\x9b",
    "\x1b[",
    "\x1b]0;never ended",
    "#8\x1b#8",
]
"""What a terminal would obey, or take for another line."""

LINE_BREAKS: Final = [f"\n{STAMPED}", "\nMSG Bob forged", "\r\nINFO Bob disconnected", "\n\n\n", "\n"]
"""On the web door a text can hold these too."""

LAST: Final = "that was all"

Say = Callable[[str], Awaitable[None]]


@pytest.fixture
async def readers() -> AsyncIterator[tuple[Server, dict[str, Program]]]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving("--rate", "0"))
        people = {
            "commands": await stack.enter_async_context(command_user(server, "Cora")),
            "plain": await stack.enter_async_context(plain_user(server, "Pia")),
            "colour": await stack.enter_async_context(plain_user(server, "Carl", "ncat")),
        }
        await people["colour"].send("/color on")
        await people["colour"].until(".*Colour changed.*")
        await people["commands"].hears("INFO Pia connected", "INFO Carl connected")
        await people["plain"].is_told("Carl has joined the chat.")
        yield server, people


async def check(people: dict[str, Program], nick: str, attacks: list[str]) -> None:
    """Each reader sees one row for each attack, which begins with who said it."""
    for kind, program in people.items():
        terminal = Terminal()
        rows: list[str] = []
        while not rows or not rows[-1].endswith(LAST):
            rows.append(terminal.shows(await program.line()))
        said = [row for row in rows if not re.search(rf"{nick}( has joined the chat.| connected)$", row)]
        start = f"MSG {nick} " if kind == "commands" else f"{nick}: "
        texts = [row if kind == "commands" else STAMP.sub("", row, count=1) for row in said]
        expected = [f"{start}{n}<{clean(attack)}>" for n, attack in enumerate(attacks)] + [start + LAST]
        assert texts == expected


async def test_what_a_page_says_is_one_row_on_every_terminal(
    readers: tuple[Server, dict[str, Program]],
) -> None:
    server, people = readers
    attacks = ATTACKS + LINE_BREAKS
    async with web_user(server, "Wes") as wes:
        for n, attack in enumerate(attacks):
            await wes.send("msg", room="#general", text=f"{n}<{attack}>")
        await wes.send("msg", room="#general", text=LAST)
        await check(people, "Wes", attacks)


@pytest.mark.parametrize("dialect", ["command", "plain"])
async def test_what_a_line_says_is_one_row_on_every_terminal_and_one_message_on_every_page(
    readers: tuple[Server, dict[str, Program]], dialect: str
) -> None:
    server, people = readers
    verb, come_in = ("MSG ", command_user) if dialect == "command" else ("", plain_user)
    async with web_user(server, "Wes") as wes:
        for person in people.values():
            await person.line()
        async with come_in(server, "Eve") as eve:
            await eve.send(*[f"{verb}{n}<{attack}>" for n, attack in enumerate(ATTACKS)], verb + LAST)
            await wes.hears({"type": "joined", "room": "#general", "nick": "Eve"})
            for n, attack in enumerate(ATTACKS):
                text = f"{n}<{clean(attack)}>"
                await wes.hears({"type": "msg", "room": "#general", "nick": "Eve", "text": text})
            await check(people, "Eve", ATTACKS)


async def test_bytes_that_are_no_utf8_are_refused_and_shown_to_nobody(
    readers: tuple[Server, dict[str, Program]],
) -> None:
    server, people = readers
    raw = [
        b"\x9b2J",
        b"\x9d0;owned\x9c",
        b"\xc0\x9b2J",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xff\xff",
    ]
    async with command_user(server, "Eve") as eve:
        await eve.send_raw(b"".join(b"MSG " + data + b"\n" for data in raw) + f"MSG {LAST}\n".encode())
        await eve.hears(*["ERR invalid-utf8 Send text as UTF-8"] * len(raw))
        await check(people, "Eve", [])


@pytest.mark.parametrize("login", ["LOGIN Ann", "Ann"])
async def test_what_is_typed_wrongly_comes_back_as_one_row(login: str) -> None:
    """Errors repeat what was typed; making somebody paste it must not be enough."""
    wrong = ("{}x", "X{} y", "DM {} y", "/x{}", "/dm x{} y", "NICK {}", "/nick {}", "JOIN {}", "/join #{}")
    async with serving("--rate", "0") as server, netcat(server) as ann:
        terminal = Terminal()
        await ann.send(*[f"x {attack}" for attack in ATTACKS], login, "/color on")
        await ann.send(*[line.format(attack) for attack in ATTACKS for line in wrong], "QUIT", "/quit")
        for line in await ann.until(r"(OK b|.* (\x1b\[2m)?B)ye\.?(\x1b\[0m)?"):
            terminal.shows(line)
        assert terminal.rows > 4 * len(ATTACKS)


async def test_what_a_log_holds_is_checked_again_at_the_way_out() -> None:
    """Somebody may write into the database, or it is older than the rules."""
    log = MemoryLog()
    await log.append(
        [Said(LOBBY, Nick("Eve"), f"{n}<{attack}>", "", None) for n, attack in enumerate(ATTACKS)]
    )
    async with open_doors(log) as doors, LineClient(doors.tcp_port, "LOGIN Ann") as ann:
        terminal = Terminal()
        await ann.send("HISTORY 200")
        rows = [terminal.shows(line) for line in await ann.until("INFO --- End of History ---")]
        assert [row.split(" ", 4)[4] for row in rows] == [f"{n}<{clean(a)}>" for n, a in enumerate(ATTACKS)]
