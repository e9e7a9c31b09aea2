"""What comes before TLS is in place, and with it."""

import asyncio
import gc
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

import tcp_frontend.server
from core.admission import Admission
from core.chat import Chat
from gateway.sockets import listen
from gateway.tls import Certificate
from storage.memory import MemoryLog
from tests.clients import HOST, within
from tests.doors import SENDQ, UNLIMITED
from tests.e2e.sockets import dialling
from tests.hostile.house import opened
from tests.hostile.secrets import Pair, make_pair


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "server")


async def says_all_at_once(port: int, pair: Pair, words: bytes) -> None:
    """Someone whose first and last words come in one piece with the end of the handshake."""
    reader, writer = await asyncio.open_connection(HOST, port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=pair.cert)
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        async with within(5):
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(65_536))
            client.write(words)
            with suppress(ssl.SSLWantReadError):  # our end is said, theirs is yet to come
                client.unwrap()
            writer.write(outgoing.read())
            await reader.read()
    finally:
        writer.transport.abort()


async def test_what_comes_with_the_handshake_is_heard_and_leaves_no_error(pair: Pair) -> None:
    options = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--tls-tcp-port", "0")
    async with opened(*options) as house, dialling(house) as bob:
        await bob.send("LOGIN Bob")
        await bob.hears("OK")
        await says_all_at_once(house.tls_port, pair, b"LOGIN Ann\nMSG hi\n")
        await bob.hears("INFO Ann connected", "MSG Ann hi", "INFO Ann disconnected")
        await says_all_at_once(house.tls_port, pair, b"GET / HTTP/1.1\r\n\r\n")
        await house.stops()


async def test_who_is_turned_away_after_a_handshake_and_has_said_all_leaves_no_error(pair: Pair) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
    full = Admission(most=1)
    full.enter("192.0.2.1")
    sockets = listen(HOST, 0, "--tcp-port")
    secured = Certificate(str(pair.cert), str(pair.key)).door(Admission())
    async with (
        Chat(MemoryLog(), limits=UNLIMITED) as chat,
        tcp_frontend.server.serve(chat, full, sockets, sendq=SENDQ, secured=secured),
    ):
        await says_all_at_once(sockets[0].getsockname()[1], pair, b"LOGIN Ann\nMSG hi\n")
        assert full.refused == 1
    gc.collect()  # an exception that nobody asked a task for is told of at the end of the task
    assert not problems, problems
