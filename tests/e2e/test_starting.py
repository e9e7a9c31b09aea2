"""The server process from its start until its doors are open, and what keeps it from starting."""

import asyncio
import json
import os
import re
import shlex
import socket
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import pytest

from storage.sqlite import SqliteLog
from tests.e2e.netcat import GREETING
from tests.e2e.programs import DEADLINE, running
from tests.e2e.server import (
    FREE_PORTS,
    IN_MEMORY,
    LOOPBACK,
    PARLOUR,
    Server,
    environment,
    parlour,
    port_in,
    serving,
)
from tests.e2e.sockets import dialling, opening


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def answer(port: int, request: bytes = b"") -> bytes:
    """The first that comes from the port, which must be open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(DEADLINE):
            return await reader.readline()
    finally:
        writer.transport.abort()


async def test_each_door_is_open_as_soon_as_its_address_is_printed() -> None:
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY) as program:
        line = await program.line()
        port = port_in(r"Server listening on 127\.0\.0\.1:(\d+)", line)
        assert await answer(port) == f"{GREETING[0]}\n".encode()
        line = await program.line()
        port = port_in(r"Page on http://localhost:(\d+)/", line)
        assert await answer(port, b"GET /healthz HTTP/1.0\r\n\r\n") == b"HTTP/1.0 200 OK\r\n"


async def test_nothing_else_is_printed_and_the_log_goes_to_stderr() -> None:
    async with serving() as server:
        async with dialling(server) as line:
            await line.send("PING")
            await server.logs("Accepted connection from")
        await server.stops()
        assert await server.program.rest() == []


async def test_the_log_says_which_version_it_is_and_where_messages_are_kept(tmp_path: Path) -> None:
    data = tmp_path / "parlour.db"
    async with serving("--data", str(data)) as server:
        await server.logs(rf" INFO Parlour {re.escape(version('parlour'))} .*{re.escape(str(data))}$")


async def test_a_path_that_is_no_unicode_is_a_log_line_too(tmp_path: Path) -> None:
    data = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.db")
    async with serving("--data", data, "--log-format", "json") as server:
        await server.logs("is ready")
        await server.stops()
        assert all(json.loads(line) for line in server.program.errors)


@pytest.mark.parametrize("host", ["*", "[127.0.0.1]"])
async def test_a_host_may_be_all_addresses_or_one_in_brackets_and_the_page_is_named_once(host: str) -> None:
    async with parlour("serve", "--host", host, *FREE_PORTS, *IN_MEMORY) as program:
        lines = await program.until("Page on .*")
        assert lines[0].startswith("Server listening on ")
        await program.complains("is ready")
        program.process.terminate()
        assert await program.exited() == 0
        assert await program.rest() == []


async def test_a_variable_that_means_nothing_is_told_of() -> None:
    variables = {"PARLOUR_MAX_CONECTIONS": "1", "PARLOUR_RATE": "0"}
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY, variables=variables) as program:
        await program.until("Page on .*")
        (line,) = await program.complains("WARNING")
        assert "PARLOUR_MAX_CONECTIONS" in line


@pytest.mark.parametrize("ends", ["> >(true)", "> /dev/full", ">&-", "<&- >&-"])
async def test_it_serves_and_stops_though_nobody_reads_what_it_prints(ends: str, tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "parlour.db"
    where = (*LOOPBACK, "--tcp-port", str(port), "--web-port", "0", "--data", str(data))
    command = f"exec {shlex.join([PARLOUR, 'serve', *where])} {ends}"
    async with running("bash", "-c", command, env=environment()) as program:
        await program.complains("is ready")
        async with dialling(Server(program, port, 0)) as ann:
            await ann.send("LOGIN Ann", "MSG kept", "PING")
            await ann.hears("OK", "PONG")
        program.process.terminate()
        assert await program.exited() == 0
    async with SqliteLog(data) as log:
        assert log.last_id == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux shows the descriptors of others")
async def test_what_is_closed_of_the_standard_streams_is_nobody_elses() -> None:
    command = f"exec {shlex.join([PARLOUR, 'serve', *LOOPBACK, *FREE_PORTS, *IN_MEMORY])} <&- 2>&-"
    async with running("bash", "-c", command, env=environment()) as program:
        await program.until("Page on .*")
        for stream in (0, 2):
            assert Path(f"/proc/{program.process.pid}/fd/{stream}").readlink() == Path("/dev/null")
        program.process.terminate()
        assert await program.exited() == 0


async def test_every_connection_is_logged_once_as_accepted_and_once_as_closed(server: Server) -> None:
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(dialling(server)) for _ in range(3)]
        pages = [await stack.enter_async_context(opening(server)) for _ in range(2)]
        sockets = [line.writer.get_extra_info("sockname") for line in lines]
        sockets += [page.websocket.local_address for page in pages]
        for line in lines:
            await line.send("LOGIN Ann")  # one of them gets the name
        for page in pages:
            await page.send("login", nick="Wes")
        logged = await server.logs("Accepted connection from ", times=len(sockets))
    assert sorted(line.partition(" from ")[2] for line in logged) == sorted(
        f"{host}:{port}" for host, port in sockets
    )
    await server.logs("Closed connection from ", times=len(sockets))
    await server.stops()
    for words in ("Accepted", "Closed"):
        assert len(await server.logs(f"{words} connection from ", times=len(sockets))) == len(sockets)


@pytest.mark.parametrize("door", ["--tcp-port", "--web-port"])
async def test_a_port_in_use_is_one_clear_line_and_exit_status_1(door: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with parlour("serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY, door, port) as program:
            assert await program.exited() == 1
            (line,) = program.errors
            assert line.startswith(f"parlour: cannot listen on 127.0.0.1:{port}: Address already in use; ")
            assert line.endswith(f" {door} chooses another port")
            assert await program.rest() == []


@pytest.mark.parametrize("way", ["option", "variable", "file"])
async def test_a_bad_value_is_one_clear_line_and_exit_status_2(tmp_path: Path, way: str) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text("tcp_port = 'many'\n")
    options = {"option": ["--tcp-port", "many"], "variable": [], "file": ["--config", str(file)]}[way]
    variables = {"CHAT_PORT": "many"} if way == "variable" else {}
    named = {"option": "--tcp-port", "variable": "CHAT_PORT", "file": str(file)}[way]
    async with parlour("serve", *options, variables=variables) as program:
        assert await program.exited() == 2
        (line,) = program.errors
        assert await program.rest() == []
    assert line.startswith("parlour: ")
    assert named in line


async def test_the_port_can_be_given_in_every_way_and_the_nearest_wins(tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    ports = [free_port() for _ in range(4)]
    file.write_text(f"host = '127.0.0.1'\ndata = 'memory'\nweb_port = 0\ntcp_port = {ports[0]}\n")
    ways: list[tuple[list[str], dict[str, str]]] = [
        ([], {}),
        ([], {"CHAT_PORT": str(ports[1])}),
        ([], {"CHAT_PORT": str(ports[1]), "PARLOUR_TCP_PORT": str(ports[2])}),
        ([str(ports[3])], {"PARLOUR_TCP_PORT": str(ports[2])}),
        (["--tcp-port", str(ports[3])], {"PARLOUR_TCP_PORT": str(ports[2])}),
    ]
    for (options, variables), port in zip(ways, [*ports, ports[3]], strict=True):
        async with parlour("serve", "--config", str(file), *options, variables=variables) as program:
            await program.hears(f"Server listening on 127.0.0.1:{port}")


async def test_the_port_of_the_page_can_be_given_in_every_way_too(tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    ports = [free_port() for _ in range(3)]
    file.write_text(f"host = '127.0.0.1'\ndata = 'memory'\nweb_port = {ports[0]}\ntcp_port = 0\n")
    ways: list[tuple[list[str], dict[str, str]]] = [
        ([], {}),
        ([], {"PARLOUR_WEB_PORT": str(ports[1])}),
        (["--web-port", str(ports[2])], {"PARLOUR_WEB_PORT": str(ports[1])}),
    ]
    for (options, variables), port in zip(ways, ports, strict=True):
        async with parlour("serve", "--config", str(file), *options, variables=variables) as program:
            await program.line()
            await program.hears(f"Page on http://localhost:{port}/")
