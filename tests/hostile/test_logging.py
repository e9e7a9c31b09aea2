"""What the log says of those who are turned away or only look whether anybody is there."""

import socket
from pathlib import Path

from tests.e2e.sockets import reset_at_close
from tests.hostile.house import answer, opened
from tests.hostile.secrets import make_pair
from tests.hostile.test_caps import UPGRADE, calling


def looks_in(port: int, *, reset: bool) -> None:
    """As load balancers do, every second or so."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        if reset:
            reset_at_close(sock)


async def test_a_load_balancer_that_only_looks_in_leaves_no_lines() -> None:
    async with opened() as house:
        for n in range(20):
            looks_in(house.tcp_port, reset=n % 2 == 0)
        async with calling(house.tcp_port, b"PING\n") as ann:
            for _ in range(3):
                await ann.first()
        await house.logs("Closed connection")
        await house.stops()
        logged = [line.partition(" INFO ")[2].partition(" from ")[0] for line in house.program.errors]
        assert logged[1:] == ["Accepted connection", "Closed connection", "Stopping"]


async def test_the_log_tells_who_is_behind_an_address() -> None:
    async with opened() as house:
        async with calling(house.tcp_port, b"LOGIN Ann\nNICK Anna\nTOKEN\n") as ann:
            token = await ann.first()
            while not token.startswith(b"OK token "):
                token = await ann.first()
        async with calling(house.tcp_port, b"RESUME " + token.split()[2] + b"\n") as ann:
            while b"OK resumed" not in await ann.first():
                pass
        who = r" INFO 127\.0\.0\.1:\d+ is "
        for name in ("Ann", "Anna now", "Anna again"):
            (_,) = await house.logs(f"{who}{name}$")


async def test_whoever_is_turned_away_is_logged_with_the_reason_but_not_each_time() -> None:
    options = ("--public-host", "chat.example", "--max-connections", "1")
    async with opened(*options) as house:
        for _ in range(50):
            await answer(house.web_port, b"GET / HTTP/1.0\r\nHost: 192.0.2.1\r\n\r\n")
            foreign = (
                UPGRADE.replace(b"Host: x", b"Host: chat.example") + b"Origin: http://evil.example\r\n\r\n"
            )
            assert b" 403 " in await answer(house.web_port, foreign + b"GET / HTTP/1.0\r\n\r\n")
            await answer(house.tcp_port, b"GET / HTTP/1.0\r\n\r\n")
        async with calling(house.tcp_port) as ann:
            await ann.first()
            for _ in range(50):
                await answer(house.tcp_port, b"PING\n")
        reasons = [
            r"WARNING Refused 127\.0\.0\.1: no such host \(421\): '192\.0\.2\.1'",
            r"WARNING Refused 127\.0\.0\.1: a page of another site \(403\): \['http://evil\.example'\]",
            r"WARNING Refused 127\.0\.0\.1:\d+: it does not speak lines \(421\)",
            r"WARNING Refused 127\.0\.0\.1: too-many-connections, 1 in all",
        ]
        for reason in reasons:
            assert len(await house.logs(reason)) < 20


async def test_a_handshake_that_fails_is_one_line(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "server")
    options = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--tls-tcp-port", "0")
    async with opened(*options) as house:
        looks_in(house.tls_port, reset=False)
        looks_in(house.tls_port, reset=True)
        await answer(house.tls_port, b"LOGIN Ann\n")
        (line,) = await house.logs("no TLS handshake")
        assert " INFO Refused 127.0.0.1:" in line
        await house.stops()
        assert len(house.program.errors) == 3
