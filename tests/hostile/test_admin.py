"""What an operator sees: numbers that move, a health check that can fail, logs that tell and keep quiet."""

import json
import re
import resource
import socket
from pathlib import Path

import pytest

from tests.e2e.sockets import dialling, web_user
from tests.hostile.house import House, answer, http, opened
from tests.hostile.test_caps import UPGRADE, calling, own_address

ADMIN = ("--rate", "0", "--admin-port", "0")


async def test_every_number_moves_with_what_it_counts() -> None:
    async with opened(*ADMIN, "--login-timeout", "1") as house:
        before = await house.metrics()
        assert before['parlour_connections{door="tcp"}'] == before["parlour_messages_total"] == 0
        async with dialling(house) as ann, web_user(house, "Wes") as wes:
            await ann.send("LOGIN Wes", "LOGIN Ann", "NONSENSE", *["MSG hello"] * 10, "PING")
            await ann.hears("ERR username-taken", "OK", "ERR unknown-command NONSENSE", "PONG")
            await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
            for _ in range(10):
                assert (await wes.event())["text"] == "hello"
            async with dialling(house) as silent:
                await silent.hears("ERR login-timeout 1")
            now = await house.metrics()
        assert now['parlour_connections{door="tcp"}'] in (1, 2)
        assert now['parlour_connections{door="web"}'] == 1
        assert now["parlour_messages_total"] == 10
        assert now["parlour_received_total"] == 15
        assert now["parlour_deliveries_total"] >= 10 + 4
        assert now["parlour_sent_bytes_total"] > 10 * len('{"type":"msg"')
        assert now['parlour_refusals_total{code="username-taken"}'] == 1
        assert now['parlour_refusals_total{code="unknown-command"}'] == 1
        assert now['parlour_cuts_total{reason="login-timeout"}'] == 1
        assert now["parlour_append_seconds_count"] >= 1
        assert now["parlour_append_seconds_sum"] > 0
        assert 0 <= now["parlour_loop_lag_seconds"] < 5


async def test_peers_cannot_make_up_new_numbers() -> None:
    """A label for each word that somebody sends would fill the memory of whoever collects them."""
    async with opened(*ADMIN) as house, dialling(house) as eve:
        await eve.send(
            "LOGIN Eve", *[f"X{n}" for n in range(300)], *[f"DM x{n} y" for n in range(300)], "PING"
        )
        await eve.until("PONG")
        numbers = await house.metrics()
        assert len([name for name in numbers if name.startswith("parlour_")]) < 60


async def test_only_this_machine_may_ask_and_nothing_else_is_there() -> None:
    own = own_address(socket.AF_INET)
    async with opened(*ADMIN, host="0.0.0.0") as house:
        with pytest.raises(OSError):  # noqa: PT011 - refused, or no route
            await answer(house.admin_port, b"GET /metrics HTTP/1.0\r\n\r\n", host=own)
        for method, path, status in (("GET", "/", 404), ("POST", "/metrics", 405), ("GET", "/healthz", 200)):
            assert (await http(house.admin_port, method, path)).startswith(f"HTTP/1.1 {status} ".encode())
        assert b" 404 " in (await http(house.web_port, "GET", "/metrics")).split(b"\r\n")[0]


async def test_without_being_asked_for_there_is_no_admin_port() -> None:
    async with opened("--rate", "0") as house:
        assert house.admin_port == 0


async def test_the_health_check_fails_while_the_log_cannot_write_and_recovers(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for a full disk: every write beyond it fails."""
    limited = ("sh", "-c", 'ulimit -S -f 400; exec "$@"', "sh")
    data = ("--data", str(tmp_path / "chat.db"))
    async with opened(*ADMIN, data=data, before=limited) as house, dialling(house) as ann:
        assert b"HTTP/1.1 200 " in await http(house.admin_port, "GET", "/healthz")
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        refused = 0
        for _ in range(400):  # until not even a short message can be stored
            await ann.send("MSG " + "x" * (1900 if not refused else 1), "PING")
            refused = 0 if await ann.line() == "PONG" else refused + 1
            if refused:
                assert ann.heard[-1].startswith(("ERR storage-full", "ERR storage-failed"))
                await ann.hears("PONG")
            if refused == 3:
                break
        assert refused == 3
        health = await http(house.admin_port, "GET", "/healthz")
        assert health.startswith(b"HTTP/1.1 503 ")
        assert health.endswith((b"storage-full\n", b"storage-failed\n"))
        resource.prlimit(house.program.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await ann.send("MSG again", "PING")
        await ann.hears("PONG")
        assert b"HTTP/1.1 200 " in await http(house.admin_port, "GET", "/healthz")
        house.program.process.terminate()
        assert await house.program.exited() == 0


SECRET = "xyzzy-plugh"


async def busy(house: House) -> None:
    """Everything that is logged, and texts that must not be."""
    evil = "\x1b]0;owned\x07\u202e\x9b2J"
    async with dialling(house) as ann, web_user(house, "Wes") as wes:
        await ann.send(
            "LOGIN Ann", f"MSG {SECRET}", f"GMSG {SECRET}", f"DM Wes {SECRET}", f"NONSENSE {SECRET}{evil}"
        )
        await ann.send(
            f"DM nobody {SECRET}", f"MSG {SECRET}{'x' * 3000}", f"SEARCH {SECRET}", "TOKEN", "RESUME x"
        )
        await wes.send("msg", room="#general", text=f"{SECRET}{evil}", ref=evil)
        await wes.websocket.send(f'{{"type":"{SECRET}"')
        await ann.until("ERR already-logged-in")
    for said in (f"GET /{SECRET}?{evil} HTTP/1.1\r\n\r\n", f"{evil}: x\r\n\r\nQUIT\r\n"):
        await answer(house.tcp_port, said.encode())
    forged = "\x9b2J\u202e, 203.0.113.9\u202e, 203.0.113.9"
    async with calling(house.web_port, UPGRADE + f"X-Forwarded-For: {forged}\r\n\r\n".encode()) as browser:
        assert b" 101 " in await browser.first()


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_log_line_is_one_event_without_texts_and_without_what_moves_a_cursor(form: str) -> None:
    async with opened("--log-format", form, "--trusted-proxy", "127.0.0.0/8") as house:
        await busy(house)
        house.program.process.terminate()
        assert await house.program.exited() == 0
        lines = house.program.errors
        assert len(lines) > 5
        assert not [line for line in lines if SECRET in line]
        assert not [
            line for line in lines if re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
        ]
        if form == "json":
            events = [json.loads(line) for line in lines]
            assert all({"time", "level", "logger", "message"} <= event.keys() for event in events)
        else:
            assert not [
                line for line in lines if not re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ", line)
            ]
