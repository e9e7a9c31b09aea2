"""TLS on both doors, against the programs that people use, and against those who never finish a handshake."""

import asyncio
import shutil
import signal
import socket
import ssl
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest
from websockets.asyncio.client import connect

from tcp_frontend.proxy_protocol import SIGNATURE
from tests.clients import require, within
from tests.e2e.programs import DEADLINE, Program, running
from tests.e2e.server import IN_MEMORY, LOOPBACK, parlour
from tests.e2e.sockets import reset_at_close
from tests.hostile.house import House, opened, with_few_descriptors
from tests.hostile.secrets import Pair, make_pair
from tests.hostile.test_caps import calling, own_address

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_pair(folder, name) for name in ("first", "second")}


@pytest.fixture
def used(made: dict[str, Pair], tmp_path: Path) -> Pair:
    """What the server is told to use; a test may put something else there."""
    pair = Pair(tmp_path / "server.crt", tmp_path / "server.key")
    put(made["first"], pair)
    return pair


def put(source: Pair, target: Pair) -> None:
    shutil.copy(source.cert, target.cert)
    shutil.copy(source.key, target.key)


def tls(pair: Pair, *more: str) -> tuple[str, ...]:
    return (
        "--tls-cert",
        str(pair.cert),
        "--tls-key",
        str(pair.key),
        "--tls-tcp-port",
        "0",
        "--rate",
        "0",
        *more,
    )


async def name_of(port: int, *trusted: Pair) -> str:
    """The name in the certificate that is served now, to somebody who trusts these."""
    context = ssl.create_default_context()
    for pair in trusted:
        context.load_verify_locations(pair.cert)
    async with within(DEADLINE):
        _, writer = await asyncio.open_connection("localhost", port, ssl=context)
    subject = dict(field[0] for field in writer.get_extra_info("peercert")["subject"])
    writer.transport.abort()
    return str(subject["commonName"])


async def greeted(program: Program) -> None:
    await program.until("Or type just a name.*")


def s_client(house: House, pair: Pair, *options: str) -> tuple[str, ...]:
    where = f"127.0.0.1:{house.tls_port}"
    return (
        "openssl",
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        str(pair.cert),
        "-connect",
        where,
        *options,
    )


async def test_openssl_ncat_and_a_websocket_meet_a_plain_line(used: Pair) -> None:
    async with opened(*tls(used)) as house, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ann = await enter(running(*s_client(house, used)))
        await greeted(ann)
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        ncat = ("ncat", "--ssl-verify", "--ssl-trustfile", str(used.cert), "localhost", str(house.tls_port))
        bob = await enter(running(*ncat))
        await greeted(bob)
        await bob.send("LOGIN Bob")
        await bob.hears("OK")
        cy = await enter(calling(house.tcp_port, b"LOGIN Cy\n"))
        for _ in range(3):
            await cy.first()
        context = ssl.create_default_context(cafile=used.cert)
        wes = await enter(connect(f"wss://localhost:{house.web_port}/ws", ssl=context, proxy=None))
        await wes.send('{"type":"login","nick":"Wes"}')
        await bob.hears("INFO Cy connected", "INFO Wes connected")
        await wes.send('{"type":"msg","room":"#general","text":"hello"}')
        for person in (ann, bob):
            await person.until("MSG Wes hello")
        assert await cy.first() == b"INFO Wes connected\n"
        assert await cy.first() == b"MSG Wes hello\n"
        await house.logs(r"Accepted connection from 127\.0\.0\.1:", times=4)


@pytest.mark.parametrize(
    ("version", "works"), [("-tls1_1", False), ("-tls1", False), ("-tls1_2", True), ("-tls1_3", True)]
)
async def test_only_tls_1_2_and_later_are_spoken(used: Pair, version: str, works: bool) -> None:
    async with opened(*tls(used)) as house:
        for port in (house.tls_port, house.web_port):
            where = ("-connect", f"127.0.0.1:{port}", "-cipher", "DEFAULT@SECLEVEL=0")
            async with running("openssl", "s_client", *where, version) as client:
                await client.end_input()
                said = "\n".join(await client.rest())
                assert ("BEGIN CERTIFICATE" in said) == works


async def test_a_hangup_loads_the_new_certificate_and_drops_nobody(used: Pair, made: dict[str, Pair]) -> None:
    async with opened(*tls(used)) as house, running(*s_client(house, used)) as ann:
        await greeted(ann)
        put(made["second"], used)
        assert await name_of(house.tls_port, *made.values()) == "first"
        house.program.process.send_signal(signal.SIGHUP)
        await house.logs("Certificate loaded anew")
        for port in (house.tls_port, house.web_port):
            assert await name_of(port, *made.values()) == "second"
        await ann.send("LOGIN Ann", "PING")
        await ann.hears("OK", "PONG")


BROKEN = {
    "missing": "{cert}: No such file or directory",
    "no key": "{key}: No such file or directory",
    "empty": "{key} holds no private key (PEM)",
    "no certificate": "{cert} holds no certificate (PEM)",
    "another key": "key values mismatch",
    "a password": "{key} is locked with a password",
}
"""What may be wrong with a pair, and what is said about it."""


def break_pair(how: str, used: Pair, made: dict[str, Pair], folder: Path) -> None:
    match how:
        case "missing":
            used.cert.unlink()
        case "no key":
            used.key.unlink()
        case "empty":
            used.key.write_bytes(b"")
        case "no certificate":
            used.cert.write_text("hello")
        case "another key":
            shutil.copy(made["second"].key, used.key)
        case _:
            put(make_pair(folder, "locked", password="secret"), used)


@pytest.mark.parametrize("how", BROKEN)
async def test_a_new_pair_that_cannot_be_used_leaves_the_old_one_in_use(
    used: Pair, made: dict[str, Pair], tmp_path: Path, how: str
) -> None:
    async with opened(*tls(used)) as house:
        break_pair(how, used, made, tmp_path)
        house.program.process.send_signal(signal.SIGHUP)
        (line,) = await house.logs("The old certificate stays in use")
        assert str(used.cert) in line
        assert BROKEN[how].format(cert=used.cert, key=used.key) in line
        for port in (house.tls_port, house.web_port):
            assert await name_of(port, *made.values()) == "first"
        house.program.process.terminate()
        assert await house.program.exited() == 0


@pytest.mark.parametrize("how", BROKEN)
async def test_a_pair_that_cannot_be_used_at_the_start_is_one_line_and_status_1(
    used: Pair, made: dict[str, Pair], tmp_path: Path, how: str
) -> None:
    break_pair(how, used, made, tmp_path)
    options = ("--tcp-port", "0", "--web-port", "0", *LOOPBACK, *IN_MEMORY, *tls(used))
    async with parlour("serve", *options) as program:
        assert await program.exited() == 1
        (line,) = program.errors
        assert line.startswith("parlour: cannot use ")
        assert BROKEN[how].format(cert=used.cert, key=used.key) in line


async def test_handshakes_that_never_end_are_cut_and_leave_nothing_behind(used: Pair) -> None:
    async with opened(*tls(used)) as house, AsyncExitStack() as stack:
        before = await house.descriptors()
        silent = [
            await stack.enter_async_context(calling(port, said))
            for port in (house.tls_port, house.web_port)
            for said in (
                b"",
                b"\x16\x03\x01",
                b"\x16\x03\x01\x02\x00\x01",
                b"GET / HTTP/1.1\r\n\r\n",
                b"LOGIN Ann\n",
            )
        ]
        began = time.monotonic()
        await asyncio.gather(*[caller.end(15) for caller in silent])
        assert time.monotonic() - began < 10
        assert await name_of(house.tls_port, used) == "first"
        await house.back_to(before)
        assert [line for line in house.program.errors if " INFO " not in line] == []


def breaks_off(port: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
        reset_at_close(sock)
        sock.sendall(said)


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"], ids=["no TLS", "half a greeting"]
)
async def test_whoever_breaks_off_instead_of_shaking_hands_costs_one_line_of_the_log_at_most(
    used: Pair, said: bytes
) -> None:
    anyone = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol")
    async with opened(*tls(used, *anyone)) as house:
        for port, words in (
            (house.web_port, said),
            (house.tls_port, V1 % b"127.0.0.1" + said),
            (house.tls_port, said),
        ):
            for _ in range(50):
                breaks_off(port, words)
        assert await name_of(house.web_port, used) == "first"
        await house.stops()
        assert len([line for line in house.program.errors if "Refused" not in line]) < 5


async def test_handshakes_that_never_begin_count_as_connections_until_they_are_cut(used: Pair) -> None:
    """Uncounted they would take every descriptor, and with them the page's files and the other doors."""
    options = tls(used, "--admin-port", "0")
    async with opened(*options, before=with_few_descriptors(256)) as house, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(calling(house.tls_port)) for _ in range(300)]
        async with within(DEADLINE):
            refusals = 'parlour_cuts_total{reason="too-many-connections"}'
            while (await house.metrics())[refusals] < 200:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.02)
        refused = await stack.enter_async_context(calling(house.tcp_port))
        assert (await refused.first()).startswith(b"ERR too-many-connections")
        page = await asyncio.to_thread(fetch, house.web_port, used)
        assert page.startswith(b"HTTP/1.1 200 ")
        await asyncio.gather(*[caller.end(15) for caller in silent])
        newcomer = await stack.enter_async_context(calling(house.tcp_port))
        assert (await newcomer.first()).startswith(b"Welcome!")


def fetch(port: int, pair: Pair) -> bytes:
    context = ssl.create_default_context(cafile=pair.cert)
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return secure.recv(100)


async def test_a_slow_reader_behind_tls_is_cut_too(used: Pair) -> None:
    context = ssl.create_default_context(cafile=used.cert)
    async with opened(*tls(used, "--sendq", "65536")) as house, running(*s_client(house, used)) as ann:
        await greeted(ann)
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        _, writer = await asyncio.open_connection("localhost", house.tls_port, ssl=context)
        writer.write(b"LOGIN Mute\n")
        await ann.hears("INFO Mute connected")
        cast(asyncio.Transport, writer.transport).pause_reading()
        heard = ""
        for _ in range(400):
            await ann.send(*["MSG " + "x" * 2000] * 20, "PING")
            while (line := await ann.line()) != "PONG":
                heard = line
            if heard == "INFO Mute disconnected":
                break
        assert heard == "INFO Mute disconnected"
        await house.logs("Cut .* were waiting for it")
        writer.transport.abort()


def never_answers(port: int, pair: Pair, said: bytes) -> ssl.SSLSocket:
    """Someone who shakes hands, says this, and from then on takes nothing."""
    context = ssl.create_default_context(cafile=pair.cert)
    sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
    try:
        secure = context.wrap_socket(sock, server_hostname="localhost")
        secure.sendall(said)
    except BaseException:
        sock.close()
        raise
    return secure


async def test_whoever_does_not_answer_the_end_of_tls_does_not_keep_its_descriptor(used: Pair) -> None:
    async with opened(*tls(used, "--idle-timeout", "1")) as house, calling(house.tcp_port) as ann:
        for _ in range(2):
            await ann.first()
        before = await house.descriptors()
        with await asyncio.to_thread(never_answers, house.tls_port, used, b"LOGIN Mute\n"):
            await house.logs("Accepted connection")
            await house.logs("Closed connection", times=1)
            await house.back_to(before)


async def test_peers_that_do_not_answer_do_not_hold_up_a_stop_however_many_there_are(used: Pair) -> None:
    """Each patience by itself is short; one after the other they would be longer than a stop may take."""
    async with opened(*tls(used)) as house, AsyncExitStack() as stack:
        pages = b"GET /static/style.css HTTP/1.1\r\nHost: x\r\n\r\n" * 40
        for port, said in ((house.web_port, pages),) * 3 + ((house.tls_port, b"LOGIN Mute\n"),):
            stack.enter_context(await asyncio.to_thread(never_answers, port, used, said))
        await house.logs("Accepted connection")
        began = time.monotonic()
        await house.stops()
        assert time.monotonic() - began < 6


# ------------------------------------------------------------------ behind a proxy

PROXIED = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol", "--max-connections-per-address", "2")
V1 = b"PROXY TCP4 %s 127.0.0.1 99 80\r\n"
V2 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([203, 0, 113, 9, 127, 0, 0, 1, 0, 99, 0, 80])


def introduced(port: int, pair: Pair, *pieces: bytes) -> tuple[ssl.SSLSocket, bytes]:
    """Someone whom a proxy introduces in the clear, and the first line it gets."""
    context = ssl.create_default_context(cafile=pair.cert)
    sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
        secure = context.wrap_socket(sock, server_hostname="localhost")
        return secure, secure.recv(100).split(b"\n")[0]
    except BaseException:
        sock.close()
        raise


@pytest.mark.parametrize("head", [V1 % b"203.0.113.9", V2], ids=["version 1", "version 2"])
async def test_a_proxy_tells_in_front_of_tls_whose_connection_it_is(used: Pair, head: bytes) -> None:
    async with opened(*tls(used, *PROXIED)) as house, AsyncExitStack() as stack:

        async def greeting(*pieces: bytes) -> bytes:
            try:
                sock, line = await asyncio.to_thread(introduced, house.tls_port, used, *pieces)
            except OSError:
                return b"no handshake"
            stack.enter_context(sock)
            return line

        assert (await greeting(head)).startswith(b"Welcome!")
        assert (await greeting(*(head[n : n + 1] for n in range(len(head))))).startswith(b"Welcome!")
        await house.logs(r"Accepted connection from 203\.0\.113\.9 through 127\.0\.0\.1:", times=2)
        assert await greeting(head) == b"no handshake", "two are there already"
        assert (await greeting(V1 % b"203.0.113.10")).startswith(b"Welcome!")
        for _ in range(3):  # the proxy's own
            assert (await greeting(b"PROXY UNKNOWN\r\n")).startswith(b"Welcome!")
        for _ in range(10):
            assert await greeting(V1 % b"nonsense") == b"no handshake"
        await house.logs(r"Refused .*: a PROXY line that is not one")
        assert await greeting() == b"no handshake"


async def test_a_connection_with_tls_counts_as_one_of_its_address(used: Pair) -> None:
    """It is counted before its handshake and once more behind it."""
    async with opened(*tls(used, *PROXIED)) as house:

        async def greeting() -> bytes:
            sock, line = await asyncio.to_thread(introduced, house.tls_port, used, V1 % b"203.0.113.9")
            with sock:
                sock.sendall(b"QUIT\n")
                while sock.recv(100):
                    pass
            return line

        heard = [await greeting() for _ in range(15)]
        assert all(line.startswith(b"Welcome!") for line in heard), heard


async def test_behind_haproxy_that_speaks_tls_to_the_line_door(used: Pair, tmp_path: Path) -> None:
    program = require("haproxy")
    async with opened(*tls(used, *PROXIED)) as house, AsyncExitStack() as stack:
        with socket.socket() as lines:
            lines.bind(("0.0.0.0", 0))
            lines.listen(10)
            file = tmp_path / "haproxy.cfg"
            file.write_text(
                "defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
                f"listen lines\n bind fd@{lines.fileno()}\n"
                f" server parlour 127.0.0.1:{house.tls_port} send-proxy-v2 ssl verify none\n"
            )
            proxy = await asyncio.create_subprocess_exec(
                program, "-db", "-q", "-f", str(file), pass_fds=(lines.fileno(),)
            )
            try:
                port, own = lines.getsockname()[1], own_address(socket.AF_INET)
                for first in (b"Welcome!", b"Welcome!", b""):
                    caller = await stack.enter_async_context(calling(port, b"PING\n", host=own))
                    assert (await caller.first()).startswith(first)
                await house.logs(rf"Accepted connection from {own} through 127\.0\.0\.1:", times=2)
            finally:
                proxy.kill()
                await proxy.wait()
