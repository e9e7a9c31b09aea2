"""Whoever asks for pages and does not take them does not keep its place."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

import ws_frontend.server
from core.admission import Admission
from core.chat import Chat
from gateway.sockets import listen
from gateway.tls import Certificate
from storage.memory import MemoryLog
from tests.clients import DEADLINE, HOST, within
from tests.doors import SENDQ, UNLIMITED, open_doors
from tests.e2e.sockets import small_socket
from tests.hostile.secrets import Pair, make_pair
from ws_frontend import doorman
from ws_frontend.doorman import Doorman, Doormen
from ws_frontend.visitors import Visitors

PAGES = b"GET /static/style.css HTTP/1.1\r\nHost: x\r\n\r\n" * 40
LAST = b"GET /static/session.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MOST = 3


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "ANSWER_PATIENCE", 0.2)
    monkeypatch.setattr(doorman, "WATCH_EVERY", 0.05)


async def until_nobody_is_there(admission: Admission) -> None:
    async with within(DEADLINE):
        while admission.connected:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("said", [PAGES, PAGES + LAST], ids=["kept alive", "closing"])
async def test_whoever_does_not_take_its_answers_makes_room_for_others(said: bytes) -> None:
    admission = Admission(most=MOST)
    async with open_doors(admission=admission) as doors:
        with ExitStack() as stack:
            for _ in range(MOST):
                stack.enter_context(small_socket(doors.web_port)).sendall(said)
            async with within(DEADLINE):
                while admission.connected < MOST:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.01)
            await until_nobody_is_there(admission)


@asynccontextmanager
async def secure_page(pair: Pair, admission: Admission) -> AsyncIterator[int]:
    sockets, secured = (
        listen(HOST, 0, "--web-port"),
        Certificate(str(pair.cert), str(pair.key)).door(admission),
    )
    async with (
        Chat(MemoryLog(), limits=UNLIMITED) as chat,
        ws_frontend.server.serve(
            chat, admission, Visitors(), sockets, version="test", sendq=SENDQ, secured=secured
        ),
    ):
        yield sockets[0].getsockname()[1]


def deaf(port: int, pair: Pair, said: bytes) -> socket.socket:
    sock = socket.create_connection((HOST, port), DEADLINE)
    context = ssl.create_default_context(cafile=pair.cert)
    secure = context.wrap_socket(sock, server_hostname="localhost")
    secure.sendall(said)
    return secure


@pytest.mark.parametrize("said", [PAGES, LAST], ids=["kept alive", "closing"])
async def test_whoever_does_not_answer_the_end_of_tls_makes_room_too(tmp_path: Path, said: bytes) -> None:
    """By itself TLS waits for half a minute."""
    pair, admission = make_pair(tmp_path, "server"), Admission(most=MOST)
    async with secure_page(pair, admission) as port:
        with await asyncio.to_thread(deaf, port, pair, said):
            assert admission.connected
            await until_nobody_is_there(admission)


class Transport(asyncio.Transport):
    """As much of one as is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.aborted = 0, False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.aborted = True


async def test_whoever_takes_something_now_and_then_may_take_its_time() -> None:
    transport = Transport()
    one = Doorman(asyncio.Protocol, Admission(), Visitors().proxies, SENDQ, Doormen())
    one._transport = transport
    now = 0.0
    for transport.waiting in (0, 500, 500, 499, 499, 800, 300, 0, 0, 0, 0, 700, 600, 500):
        one.look_after(now)
        assert not transport.aborted
        now += 0.09
    for _ in range(3):
        one.look_after(now)
        now += 0.09
    assert transport.aborted
