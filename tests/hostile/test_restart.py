"""A restart refuses nobody: the listening sockets outlive the server, as with systemd."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.programs import Program
from tests.e2e.server import PARLOUR, environment, parlour
from tests.e2e.sockets import HANDSHAKE, small_socket
from tests.hostile.house import House, at_home, opened
from tests.hostile.secrets import make_pair
from tests.hostile.test_caps import calling

HAND_OVER: Final = """
import fcntl, os, sys
names, *command = sys.argv[1:]
sockets = [int(name.partition("=")[2]) for name in names.split(",")]
for number, fd in enumerate([fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in sockets]):
    os.dup2(fd, 3 + number, inheritable=True)
os.environ |= {"LISTEN_FDS": str(len(sockets)), "LISTEN_PID": os.environ.get("FAKE_PID") or str(os.getpid())}
given = [name.partition("=")[0] for name in names.split(",")]
if any(given):
    os.environ["LISTEN_FDNAMES"] = ":".join(given)
os.execv(command[0], command)
"""
"""What systemd does before it starts the server: sd_listen_fds(3)."""


def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)
    return sock


@asynccontextmanager
async def handed(
    sockets: dict[str, socket.socket], *options: str, names: bool = True, **variables: str
) -> AsyncIterator[Program]:
    """A server that gets these sockets by their names, or in this order where names are not given."""
    fds = ",".join(f"{name if names else ''}={sock.fileno()}" for name, sock in sockets.items())
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HAND_OVER, fds, PARLOUR, "serve", "--host", "127.0.0.1", *options,
        stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**variables),
        pass_fds=[sock.fileno() for sock in sockets.values()],
    )  # fmt: skip
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await program.exited()
        await program.rest()


async def test_whoever_connects_while_the_server_is_down_is_served_by_the_next_one(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "chat.db"), "--rate", "0")
    with bound() as tcp, bound() as web:
        sockets = {"web": web, "tcp": tcp}  # the names tell, not the order
        port, web_port = tcp.getsockname()[1], web.getsockname()[1]
        async with handed(sockets, *data) as program:
            house = await at_home(program, ())
            assert (house.tcp_port, house.web_port) == (port, web_port)
            async with calling(port, b"LOGIN Ann\nMSG before\nPING\n") as ann:
                while await ann.first() != b"PONG\n":
                    pass
                program.process.send_signal(signal.SIGTERM)
                assert await ann.first() == b"INFO server is restarting\n"
            assert await program.exited() == 0
        async with AsyncExitStack() as stack:
            waiting = [
                await stack.enter_async_context(calling(port, f"LOGIN P{n}\nHISTORY\n".encode()))
                for n in range(20)
            ]
            browser = await stack.enter_async_context(calling(web_port, HANDSHAKE))
            async with handed(sockets, *data) as program:
                for caller in waiting:
                    while not (line := await caller.first()).startswith(b"HIST "):
                        assert line, "the connection was not kept"
                    assert line.endswith(b" Ann before\n")
                assert (await browser.first()).startswith(b"HTTP/1.1 101 ")
                program.process.send_signal(signal.SIGTERM)
                assert await program.exited() == 0


async def test_without_names_the_first_is_for_lines_and_the_second_for_pages() -> None:
    with bound() as tcp, bound() as web:
        async with handed({"a": tcp, "b": web}, "--data", "memory", names=False) as program:
            house = await at_home(program, ())
            assert (house.tcp_port, house.web_port) == (tcp.getsockname()[1], web.getsockname()[1])


async def test_sockets_that_are_meant_for_another_process_are_left_alone() -> None:
    with bound() as tcp, bound() as web:
        ports = ("--tcp-port", "0", "--web-port", "0", "--data", "memory")
        async with handed({"tcp": tcp, "web": web}, *ports, FAKE_PID="1") as program:
            house = await at_home(program, ())
            assert house.tcp_port != tcp.getsockname()[1]


async def test_what_is_no_listening_socket_is_one_line_and_status_1() -> None:
    with socket.socket() as idle, bound() as web:
        idle.bind(("127.0.0.1", 0))
        async with handed({"tcp": idle, "web": web}, "--data", "memory") as program:
            assert await program.exited() == 1
            (line,) = program.errors
            assert "descriptor 3 (tcp) is not a listening socket" in line


@pytest.mark.parametrize("names", [True, False], ids=["named", "the third"])
async def test_a_socket_for_tls_is_not_served_without_a_certificate(names: bool) -> None:
    with bound() as tcp, bound() as web, bound() as secure:
        sockets = {"tcp": tcp, "web": web, "tls-tcp": secure}
        async with handed(sockets, "--data", "memory", names=names) as program:
            assert await program.exited() == 1
            (line,) = program.errors
            assert line.startswith("parlour: ")
            assert "tls-tcp" in line
            assert "--tls-cert" in line
            assert await program.rest() == []


async def test_peers_that_are_stuck_in_every_way_do_not_hold_up_the_end(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "server")
    options = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--tls-tcp-port", "0", "--rate", "0")
    proxied = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol")
    async with opened(*options, *proxied, "--sendq", "100000000") as house, AsyncExitStack() as stack:
        for port in (house.tcp_port, house.web_port, house.tls_port):
            for said in (b"", b"\x16\x03\x01", b"PROXY TCP4 "):
                await stack.enter_async_context(calling(port, said))
        deaf = stack.enter_context(small_socket(house.tcp_port))
        deaf.sendall(b"PROXY UNKNOWN\r\nLOGIN Deaf\n" + b"HELP\n" * 5000)
        await house.logs("Accepted connection")
        began = time.monotonic()
        await house.stops()
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_second_signal_ends_it_at_once_whoever_is_stuck(first: signal.Signals) -> None:
    async with (
        opened("--rate", "0", "--sendq", "100000000") as house,
        calling(house.tcp_port, b"LOGIN Ann\n") as ann,
    ):
        for _ in range(3):
            await ann.first()
        with small_socket(house.tcp_port) as deaf:
            deaf.sendall(b"LOGIN Deaf\n" + b"HELP\n" * 5000 + b"DM Ann asked\n")
            while await ann.first() != b"DM Deaf asked\n":
                pass
            os.kill(house.program.process.pid, first)
            await house.logs("Stopping")
            began = time.monotonic()
            exited = asyncio.create_task(house.program.exited())
            while not exited.done():  # one that comes within 50 ms of the first may be lost
                with suppress(ProcessLookupError):
                    house.program.process.send_signal(signal.SIGTERM)
                await asyncio.wait([exited], timeout=0.2)
            assert exited.result() == 1
            assert time.monotonic() - began < 1.5


async def test_a_stop_while_a_crowd_is_coming_in_is_clean() -> None:
    async with opened("--rate", "0") as house, AsyncExitStack() as stack:
        calls = [
            stack.enter_async_context(calling(house.tcp_port, f"LOGIN P{n}\nMSG x\n".encode()))
            for n in range(100)
        ]
        callers = [await call for call in calls]
        house.program.process.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*[caller.end(10) for caller in callers])
        assert await house.program.exited() == 0
        # Whose first words were not read when the server closed has a reset, and nothing for certain.
        let_in = [end for end in ends if b"\nOK\n" in end]
        assert [end for end in let_in if not end.endswith(b"INFO server is restarting\n")] == []
        assert not [line for line in house.program.errors if " INFO " not in line]


async def test_sockets_that_systemd_names_after_their_unit_go_by_their_order() -> None:
    with bound() as tcp, bound() as web:
        ports = tcp.getsockname()[1], web.getsockname()[1]
        async with handed({"parlour.socket": tcp, "parlour-web.socket": web}, "--data", "memory") as program:
            house = await at_home(program, ())
            assert (house.tcp_port, house.web_port) == ports


async def test_the_admin_port_may_be_handed_over_alone() -> None:
    with bound() as admin:
        ports = ("--tcp-port", "0", "--web-port", "0")
        async with handed({"admin": admin}, *ports, "--data", "memory") as program:
            await program.until(rf"Metrics on http://127\.0\.0\.1:{admin.getsockname()[1]}/metrics")


async def test_a_socket_of_an_unknown_name_or_kind_is_one_clear_line(tmp_path: Path) -> None:
    with bound() as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "socket"))
        local.listen()
        for sockets, named in (
            ({"lines": tcp}, "none of tcp, web"),
            ({"web": local}, "not a listening socket of TCP"),
        ):
            async with handed(sockets, "--data", "memory") as program:
                assert await program.exited() == 1
                (line,) = program.errors
                assert line.startswith("parlour: descriptor 3 ")
                assert named in line


async def test_a_bad_number_of_sockets_is_ignored() -> None:
    variables = {"LISTEN_FDS": "two", "LISTEN_PID": "1"}
    async with parlour(
        "serve",
        "--host",
        "127.0.0.1",
        "--tcp-port",
        "0",
        "--web-port",
        "0",
        "--data",
        "memory",
        variables=variables,
    ) as program:
        assert isinstance(await at_home(program, ()), House)
