"""How TCP connections begin and end, whatever the peer does."""

import asyncio
import re
import socket
from contextlib import suppress
from typing import Self

import pytest

from core.admission import Admission
from core.limits import Limits
from tests.clients import DEADLINE, HOST, LineClient, WebClient, commanders, within
from tests.doors import Doors, open_doors
from tests.e2e.sockets import reset_at_close, small_socket
from tests.tcp_frontend.plain import PlainClient

# ------------------------------------------------------------------ half-close


async def test_after_a_half_close_everything_is_answered_and_then_the_connection_closes(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Bob") as (bob,), LineClient(doors.tcp_port) as ann:
        await ann.send(
            "LOGIN Ann", *[f"MSG {n}" for n in range(100)], "PING", "RWHO", "NICK Anna", "MSG last"
        )
        ann.finish()
        assert await ann.rest() == [
            "OK",
            "PONG",
            "INFO --- Users in #general ---",
            *("USER Ann", "USER Bob", "USERS Ann, Bob"),
            "INFO --- End of List ---",
            "OK nick-changed",
        ]
        await bob.expect("INFO Ann connected", *[f"MSG Ann {n}" for n in range(100)])
        await bob.expect("INFO Ann is now known as Anna", "MSG Anna last", "INFO Anna disconnected")
        await bob.hears_nothing()


async def test_after_a_half_close_paced_lines_are_carried_out_too() -> None:
    limits = Limits(rate=200, burst=5, login_timeout=0, idle_timeout=0)
    async with open_doors(limits=limits) as doors, commanders(doors.tcp_port, "Bob") as (bob,):
        async with LineClient(doors.tcp_port) as ann:
            await ann.send("LOGIN Ann", *[f"MSG {n}" for n in range(50)], "PING")
            ann.finish()
            assert await ann.rest() == ["OK", "PONG"]
        await bob.expect("INFO Ann connected", *[f"MSG Ann {n}" for n in range(50)], "INFO Ann disconnected")


async def test_an_unterminated_last_line_is_discarded(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Bob") as (bob,), LineClient(doors.tcp_port) as ann:
        await ann.send_bytes(b"LOGIN Ann\nMSG whole\nMSG not whole")
        ann.finish()
        assert await ann.rest() == ["OK"]
        await bob.expect("INFO Ann connected", "MSG Ann whole", "INFO Ann disconnected")
        await bob.hears_nothing()


@pytest.mark.parametrize("data", [b"", b"\n", b"LOGIN", b"no such verb\n"])
async def test_a_half_close_before_the_login_closes_the_connection(doors: Doors, data: bytes) -> None:
    async with LineClient(doors.tcp_port) as stranger:
        await stranger.send_bytes(data)
        stranger.finish()
        assert len(await stranger.rest()) <= 1


# ------------------------------------------------------------------ the whole stream


async def test_lines_may_come_in_any_pieces(doors: Doors) -> None:
    async with LineClient(doors.tcp_port) as ann, commanders(doors.tcp_port, "Bob") as (bob,):
        for byte in "LOGIN Ann\r\nMSG Grüße\r\0PING\n".encode():
            await ann.send_bytes(bytes([byte]))
        await ann.expect("OK", "PONG")
        await bob.expect("INFO Ann connected", "MSG Ann Grüße")


async def test_telnet_offers_are_refused_and_never_made(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, greeted=False) as ann:
        greeting = await ann.line_bytes() + await ann.line_bytes()
        assert b"\xff" not in greeting
        await ann.send_bytes(b"\xff\xfd\x06LOG\xff\xfb\x1fIN Ann\r\n")
        assert await ann.line_bytes() == b"\xff\xfc\x06\xff\xfe\x1fOK\n"


# ------------------------------------------------------------------ who is let in


async def test_one_connection_too_many_is_told_so_and_closed() -> None:
    async with open_doors(admission=Admission(most=1)) as doors:
        async with LineClient(doors.tcp_port, "LOGIN Ann") as ann:
            async with LineClient(doors.tcp_port, greeted=False) as other:
                await other.send("LOGIN Bob", "MSG hi")
                lines = await other.rest()
                assert [line.partition(" Try")[0] for line in lines] == ["ERR too-many-connections"]
            await ann.hears_nothing()
            await ann.send("QUIT")
            await ann.rest()
        async with LineClient(doors.tcp_port, "LOGIN Ann") as ann:
            await ann.hears_nothing()


async def test_a_peer_that_is_gone_before_it_is_accepted_does_no_harm(doors: Doors) -> None:
    with socket.create_connection((HOST, doors.tcp_port)) as peer:
        # Closing with a reset, and before the event loop gets to run.
        reset_at_close(peer)
    async with LineClient(doors.tcp_port, "LOGIN Ann") as ann:
        await ann.hears_nothing()


async def test_a_peer_that_breaks_off_is_said_to_have_left(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        with socket.create_connection((HOST, doors.tcp_port)) as peer:
            peer.sendall(b"LOGIN Bob\n")
            await ann.expect("INFO Bob connected")
            reset_at_close(peer)
        await ann.expect("INFO Bob disconnected")
        await ann.hears_nothing()


# ------------------------------------------------------------------ time and the end


async def test_without_a_login_in_time_the_connection_closes() -> None:
    limits = Limits(rate=0, login_timeout=0.1, idle_timeout=0)
    async with open_doors(limits=limits) as doors, LineClient(doors.tcp_port) as stranger:
        assert await stranger.rest() == ["ERR login-timeout 0.1"]


async def test_in_the_plain_dialect_the_login_timeout_is_a_sentence() -> None:
    limits = Limits(rate=0, login_timeout=0.5, idle_timeout=0)
    async with open_doors(limits=limits) as doors, PlainClient(doors.tcp_port, "Ann") as ann:
        async with PlainClient(doors.tcp_port) as stranger:
            await stranger.send("Ann")
            await stranger.hears("*** Somebody has that name already. Try another one:")
            assert "0.5 seconds" in await stranger.hear()
            assert await stranger.rest() == []
        await ann.hears_nothing()


IMPATIENT = Limits(rate=0, login_timeout=0, idle_timeout=2, idle_warning=1.9)
"""It warns soon and waits long: no stall of a busy machine is as long. The times are tested in tests/core."""


async def test_a_silent_connection_is_warned_and_then_closes() -> None:
    async with open_doors(limits=IMPATIENT) as doors, LineClient(doors.tcp_port, "LOGIN Ann") as ann:
        assert re.fullmatch(r"INFO idle-warning \d+ Send PING to stay", await ann.line())
        await ann.send("PING")
        await ann.expect("PONG")
        assert re.fullmatch(r"INFO idle-warning \d+ Send PING to stay", await ann.line())
        assert await ann.rest() == ["INFO idle-timeout"]


async def test_in_the_plain_dialect_warning_and_close_are_sentences() -> None:
    async with open_doors(limits=IMPATIENT) as doors, PlainClient(doors.tcp_port, "Ann") as ann:
        assert (await ann.hear()).startswith("You are idle")
        assert "idle-timeout" in await ann.hear()
        assert await ann.rest() == []


async def test_a_stop_tells_everyone_and_closes() -> None:
    async with (
        open_doors() as doors,
        LineClient(doors.tcp_port, "LOGIN Ann") as ann,
        PlainClient(doors.tcp_port, "Bob") as bob,
        LineClient(doors.tcp_port) as stranger,
    ):
        await doors.chat.stop("restarting")
        assert await ann.rest() == ["INFO Bob connected", "INFO server is restarting"]
        await bob.hears("The server is restarting.")
        assert await bob.rest() == []
        assert await stranger.rest() == ["INFO server is restarting"]


# ------------------------------------------------------------------ those who do not read


class Mute:
    """Someone who logs in and never reads."""

    def __init__(self, port: int, nick: str) -> None:
        self._socket = small_socket(port)
        self._socket.sendall(f"LOGIN {nick}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def rest(self) -> bytes:
        """What is left in the pipe, to the end of the connection."""
        self._socket.setblocking(False)
        data = b""
        with suppress(ConnectionResetError):
            async with within(DEADLINE):
                while piece := await asyncio.get_running_loop().sock_recv(self._socket, 65_536):
                    data += piece
        return data


async def test_whoever_does_not_read_is_cut_and_nobody_else_is_hurt() -> None:
    message = "MSG Ann " + "x" * 2000
    async with open_doors(sendq=65_536) as doors, commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        with Mute(doors.tcp_port, "Mute") as mute:
            for person in (ann, bob):
                await person.expect("INFO Mute connected")
            sent = 0
            cut = False
            while not cut:
                await ann.send(*["MSG " + "x" * 2000] * 10, "DM Bob that was all")
                sent += 10
                lines = await bob.until("DM Ann that was all")
                cut = "INFO Mute disconnected" in lines
                assert [line for line in lines if line != "INFO Mute disconnected"] == [message] * 10
                assert sent < 10_000, "somebody who does not read is never cut"
            await ann.expect("INFO Mute disconnected")
            await ann.hears_nothing()
            await bob.hears_nothing()
            rest = await mute.rest()
            assert len(rest) < sent * len(message)
            assert rest.endswith(b"\nERROR sendq exceeded\n")


async def test_whoever_does_not_read_and_falls_silent_does_not_stay_for_ever() -> None:
    """Its end must not wait until it has read what was written, which it never does."""
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0.5, idle_warning=0)
    async with (
        open_doors(limits=limits, sendq=64_000_000) as doors,
        WebClient(doors.web_port, "Ann") as ann,
    ):
        with Mute(doors.tcp_port, "Mute"):
            await ann.expect("joined", nick="Mute")
            for _ in range(5):
                for _ in range(100):
                    await ann.send("msg", room="#general", text="x" * 2000)
                await ann.call("ping")
            while (event := await ann.next())["type"] != "disconnected":
                assert event["type"] == "ok"
            assert event["nick"] == "Mute"


async def test_nothing_comes_behind_the_good_bye_of_someone_who_reads_late() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0.5, idle_warning=0)
    async with open_doors(limits=limits, sendq=64_000_000) as doors, WebClient(doors.web_port, "Ann") as ann:
        with Mute(doors.tcp_port, "Mute") as mute:
            await ann.expect("joined", nick="Mute")
            for _ in range(500):  # more than fits into the pipe
                await ann.send("msg", room="#general", text="x" * 2000)
            while not doors.chat.counters.cuts["idle-timeout"]:
                await ann.call("ping")
            await ann.call("ping")  # it is closed now, but not gone: it has not read the rest
            await ann.call("msg", room="#general", text="too late")
            rest = await mute.rest()
    assert b"too late" not in rest
    assert rest.endswith(b"\nINFO idle-timeout\n")
