"""What comes before TLS is in place, and with it."""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

import tcp_frontend.server
from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from gateway import tls
from gateway.sockets import listen
from gateway.tls import Certificate
from storage.memory import MemoryLog
from tcp_frontend import proxy_protocol
from tests.clients import HOST, within
from tests.conftest import LOOPS
from tests.doors import SENDQ, UNLIMITED
from tests.e2e.sockets import dialling
from tests.hostile.house import opened
from tests.hostile.secrets import Pair, make_pair

pytestmark = pytest.mark.asyncio(loop_factories=[*LOOPS])

HEADER = b"PROXY TCP4 203.0.113.9 127.0.0.1 99 80\r\n"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "server")


async def says_all_at_once(
    port: int, pair: Pair, words: bytes, *, again: bool = False, ends: bool = True, head: bytes = b""
) -> None:
    """Someone whose first and last words come in one piece with the end of the handshake.

    With TLS 1.2 that is somebody who was here before: `again`. Who does not end waits for the server.
    `head` comes in one piece with the beginning of the handshake.
    """
    context = ssl.create_default_context(cafile=pair.cert)
    session = None
    if again:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        _, writer = await asyncio.open_connection(HOST, port, ssl=context, server_hostname="localhost")
        session = writer.get_extra_info("ssl_object").session
        writer.transport.abort()
    reader, writer = await asyncio.open_connection(HOST, port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost", session=session)
    try:
        async with within(5):
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(head + outgoing.read())
                    head = b""
                    if not incoming.write(await reader.read(65_536)):
                        incoming.write_eof()
            assert client.session_reused == again
            client.write(words)
            if ends:
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


@asynccontextmanager
async def line_door(
    secured_by: Pair | Certificate,
    admission: Admission | None = None,
    *,
    shaking: Admission | None = None,
    proxies: Trusted | None = None,
) -> AsyncIterator[int]:
    """Gives its port; `shaking` counts the handshakes where they are not to be counted like the door does.

    Fails at the end when an exception has come to nobody but the event loop.
    """
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
    if isinstance(secured_by, Pair):
        secured_by = Certificate(str(secured_by.cert), str(secured_by.key))
    admission = admission or Admission()
    secured = secured_by.door(shaking or admission, proxies or Trusted(), introduced=proxies is not None)
    sockets = listen(HOST, 0, "--tcp-port")
    async with (
        Chat(MemoryLog(), limits=UNLIMITED) as chat,
        tcp_frontend.server.serve(chat, admission, sockets, sendq=SENDQ, proxies=proxies, secured=secured),
    ):
        yield sockets[0].getsockname()[1]
    gc.collect()  # an exception that nobody asked a task for is told of at the end of the task
    assert not problems, problems


async def test_who_is_turned_away_after_a_handshake_and_has_said_all_leaves_no_error(pair: Pair) -> None:
    full = Admission(most=1)
    full.enter("192.0.2.1")
    async with line_door(pair, full, shaking=Admission()) as port:
        await says_all_at_once(port, pair, b"LOGIN Ann\nMSG hi\n")
        assert full.refused == 1


async def first_line(port: int, pair: Pair) -> bytes:
    """What somebody hears who trusts this certificate alone."""
    context = ssl.create_default_context(cafile=pair.cert)
    async with within(5):
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context, server_hostname="localhost")
        try:
            return await reader.readline()
        finally:
            writer.transport.abort()


async def test_files_that_change_once_they_were_loaded_do_no_harm(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever renews them writes one after the other, at any moment."""
    new, certificate = make_pair(tmp_path, "new"), Certificate(str(pair.cert), str(pair.key))
    really = ssl.SSLContext.load_cert_chain

    def just_in_time(self: ssl.SSLContext, *files: str) -> None:
        really(self, *files)
        pair.key.write_text("half")

    async with line_door(certificate) as port:
        for file, content in zip(pair, new, strict=True):
            file.write_bytes(content.read_bytes())
        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", just_in_time)
        for _ in range(2):
            certificate.reload()
            assert (await first_line(port, new)).startswith(b"Welcome!")


async def until(condition: Callable[[], bool]) -> None:
    async with within(5):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def until_cut(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(said)
        async with within(5):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"], ids=["silent", "half a greeting"])
async def test_whoever_does_not_shake_hands_in_time_is_in_the_log(
    pair: Pair, said: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_PATIENCE", 0.1)
    caplog.set_level(logging.INFO)
    async with line_door(pair) as port:
        await until_cut(port, said)
    (line,) = [message for message in caplog.messages if message.startswith("Refused 127.0.0.1:")]
    assert "no TLS handshake: SSL handshake is taking longer than 0.1 seconds" in line


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"], ids=["silent", "half a greeting"])
async def test_whoever_only_looks_whether_anybody_is_there_is_not_in_the_log(
    pair: Pair, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    admission = Admission()
    async with line_door(pair, admission) as port:
        for end in (asyncio.StreamWriter.close, lambda writer: writer.transport.abort()):
            _, writer = await asyncio.open_connection(HOST, port)
            await until(lambda: admission.connected == 1)
            writer.write(said)
            end(writer)
            await until(lambda: admission.connected == 0)
    assert caplog.messages == []


async def test_whoever_is_gone_before_the_handshake_begins_keeps_no_place(pair: Pair) -> None:
    admission = Admission()
    async with line_door(pair, admission) as port:
        for _ in range(20):
            socket.create_connection((HOST, port)).close()
        assert (await first_line(port, pair)).startswith(b"Welcome!"), "whom the door meets after all of them"
        await until(lambda: admission.connected == 0)


@pytest.mark.parametrize("again", [False, True], ids=["TLS 1.3", "TLS 1.2"])
async def test_whoever_says_all_at_once_and_ends_keeps_no_place(pair: Pair, again: bool) -> None:
    admission = Admission()
    async with line_door(pair, admission) as port:
        await says_all_at_once(port, pair, b"LOGIN Ann\nMSG hi\n", again=again)
        await until(lambda: admission.connected == 0)


@pytest.mark.parametrize("again", [False, True], ids=["TLS 1.3", "TLS 1.2"])
async def test_what_is_said_with_the_end_of_the_handshake_is_heard(pair: Pair, again: bool) -> None:
    async with line_door(pair) as port:
        await says_all_at_once(port, pair, b"QUIT\n", again=again, ends=False)


async def test_a_handshake_that_begins_in_one_piece_with_the_header_of_a_proxy_is_made(pair: Pair) -> None:
    async with line_door(pair, proxies=Trusted(["127.0.0.0/8"])) as port:
        await says_all_at_once(port, pair, b"QUIT\n", ends=False, head=HEADER)


async def test_who_is_no_proxy_shakes_hands_at_once_and_its_header_is_not_believed(pair: Pair) -> None:
    async with line_door(pair, proxies=Trusted(["192.0.2.0/24"])) as port:
        await says_all_at_once(port, pair, b"QUIT\n", ends=False)
        with pytest.raises(ssl.SSLError):
            await says_all_at_once(port, pair, b"QUIT\n", ends=False, head=HEADER)


async def test_a_proxy_has_no_deadline_any_more_once_its_header_was_whole(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy_protocol, "HEADER_PATIENCE", 0.05)
    context, over = ssl.create_default_context(cafile=pair.cert), asyncio.Event()
    async with line_door(pair, proxies=Trusted(["127.0.0.0/8"])) as port, within(5):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(HEADER)
            await writer.start_tls(context, server_hostname="localhost")
            asyncio.get_running_loop().call_later(2 * proxy_protocol.HEADER_PATIENCE, over.set)
            await over.wait()
            writer.write(b"LOGIN Ann\n")
            assert [await reader.readline() for _ in range(3)][2] == b"OK\n"
        finally:
            writer.transport.abort()


@pytest.mark.parametrize("said", [b"", b"PROXY TCP4 ", b"PROXY nonsense\r\n"])
async def test_a_proxy_without_a_whole_header_is_cut(
    pair: Pair, said: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hasty = not said.endswith(b"\n")
    monkeypatch.setattr(proxy_protocol, "HEADER_PATIENCE", 0.1 if hasty else 60)
    caplog.set_level(logging.INFO)
    async with line_door(pair, proxies=Trusted(["127.0.0.0/8"])) as port:
        await until_cut(port, said)
    assert ("a PROXY line that is not one" in caplog.text) != hasty
