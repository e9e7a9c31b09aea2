"""The server process from its start until its doors are open, and what keeps it from starting."""

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.netcat import GREETING
from tests.e2e.programs import DEADLINE
from tests.e2e.server import FREE_PORTS, IN_MEMORY, LOOPBACK, Server, parlour, port_in, serving
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
        async with dialling(server):
            await server.logs("Accepted connection from")
        await server.stops()
        assert await server.program.rest() == []


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
    assert sorted(line.partition(" from ")[2] for line in logged) == sorted(str(name) for name in sockets)
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
            assert line == f"parlour: cannot listen on 127.0.0.1:{port}: Address already in use"
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
