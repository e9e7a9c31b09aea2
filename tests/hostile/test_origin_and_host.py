"""Who may open a WebSocket, under which names, and the headers on every answer, whatever was asked."""

import asyncio

import pytest

from tests.clients import within
from tests.doors import Doors, open_doors
from tests.hostile.house import answer, opened
from ws_frontend.server import HEADERS
from ws_frontend.visitors import Visitors

UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
)


async def head(port: int, request: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with within(5):
            raw = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()
    status, *lines = raw.decode().split("\r\n")
    pairs = [line.partition(": ") for line in lines if line]
    return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}


def ws(host: bytes = b"chat.example:8080", *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"GET /ws HTTP/1.1\r\nHost: " + host + b"\r\n" + UPGRADE + lines + b"\r\n"


FOREIGN = [
    b"null",
    b"",
    b"http://evil.example",
    b"http://chat.example",
    b"http://chat.example:80",
    b"http://chat.example.:8080",
    b"http://chat.example:8080.evil.example",
    b"http://evil.example#chat.example:8080",
    b"http://evil.example?chat.example:8080",
    b"http://user@evil.example",
    b"file://",
    b"chrome-extension://abcdef",
    b"chat.example:8080",
    b"http:chat.example:8080",
    b"http://evil.example, http://chat.example:8080",
    b"http://evil.example http://chat.example:8080",
    b"http://[",
    b"http://[::1",
    b"http://]",
    b"http://[v1.x]",
    b"\xff\xfe",
    b"http://\xe2\x80\xae",
    b"a" * 4000,
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_or_broken_origin_is_refused_with_403(doors: Doors, origin: bytes) -> None:
    status, _ = await head(doors.web_port, ws(b"chat.example:8080", b"Origin: " + origin))
    assert status == 403


async def test_two_origins_are_not_better_than_one(doors: Doors) -> None:
    own, foreign = b"Origin: http://chat.example:8080", b"Origin: http://evil.example"
    for headers in ((own, foreign), (foreign, own)):
        status, _ = await head(doors.web_port, ws(b"chat.example:8080", *headers))
        assert status in (400, 403)


@pytest.mark.parametrize("host", [b"[", b"[::1", b"]", b"chat.example.", b"chat.example evil", b"\xff"])
async def test_a_broken_host_is_not_a_known_one(host: bytes) -> None:
    async with open_doors(visitors=Visitors(public_hosts=("chat.example",))) as doors:
        for request in (ws(host), b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"):
            status, _ = await head(doors.web_port, request)
            assert status in (400, 421)


async def test_the_running_server_knows_its_origins_and_hosts() -> None:
    options = ("--allowed-origin", "https://one.example,https://two.example", "--public-host", "chat.example")
    async with opened(*options) as house:
        for origin, expected in ((b"https://two.example", 101), (b"https://three.example", 403)):
            status, _ = await head(house.web_port, ws(b"chat.example", b"Origin: " + origin))
            assert status == expected
        status, _ = await head(house.web_port, ws(b"evil.example"))
        assert status == 421


ERRORS = {
    "not HTTP": b"GARBAGE\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no such version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "huge header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00" + b"x" * 100,
    "controls in a header": b"GET / HTTP/1.1\r\nHost: x\r\n\x1b]0;a\x07: y\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "foreign origin": ws(b"x", b"Origin: null"),
    "broken origin": ws(b"x", b"Origin: http://["),
    "not found": b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad path": b"GET /static/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad method": b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "range": b"GET /static/app.js HTTP/1.1\r\nHost: x\r\nRange: bytes=99999-\r\n\r\n",
    "expect": b"GET / HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\n\r\n",
    "old websocket": b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("error", ERRORS)
async def test_every_answer_to_a_bad_request_has_the_security_headers(error: str) -> None:
    async with opened() as house:
        status, headers = await head(house.web_port, ERRORS[error])
        assert 400 <= status < 500
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


BAD_BODIES = [
    b"GET %s HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\nContent-Length: 3\r\n\r\nxyz" % (path, encoding)
    for path in (b"/", b"/ws", b"/static/app.js", b"/nowhere")
    for encoding in (b"gzip", b"deflate", b"br")
]
"""The answer needs no body; what it is not is noticed afterwards."""


async def test_bad_requests_leave_no_traceback_in_the_log() -> None:
    """One event a line: whoever can fill the log with tracebacks hides in it."""
    async with opened() as house:
        for request in (*ERRORS.values(), *BAD_BODIES):
            await head(house.web_port, request)
        assert b"200 OK" in await answer(house.web_port, b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        await house.stops()
        assert not [line for line in house.program.errors if not line.startswith("20")]
