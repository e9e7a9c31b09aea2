"""Which pages may connect, under which names the server is known, and whom a proxy speaks for."""

import aiohttp
import pytest

from core.addresses import Trusted
from core.admission import Admission
from tests.clients import HOST
from tests.doors import Doors, open_doors
from ws_frontend.visitors import Visitors


async def status(port: int, path: str = "/ws", **headers: str) -> int:
    """Of the answer to the wish for a WebSocket, or of a page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession(f"http://{HOST}:{port}") as session:
        if path != "/ws":
            async with session.get(path, headers=named) as response:
                return response.status
        try:
            async with session.ws_connect(path, headers=named):
                return 101
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://{host}", 101),
        ("https://{host}", 101),
        ("http://evil.example", 403),
        ("http://{host}.evil.example", 403),
        ("http://evil.example/{host}", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_a_page_of_another_site_may_not_connect(doors: Doors, origin: str, expected: int) -> None:
    host = f"{HOST}:{doors.web_port}"
    assert await status(doors.web_port, Origin=origin.replace("{host}", host)) == expected


async def test_no_page_is_of_a_server_without_a_name(doors: Doors) -> None:
    """`null` is the origin of a page in a sandbox, or in a file: it has no host either."""
    assert await status(doors.web_port, Host="") == 101
    for origin in ("null", "file://"):
        assert await status(doors.web_port, Host="", Origin=origin) == 403


async def test_a_client_that_is_no_page_may_connect(doors: Doors) -> None:
    assert await status(doors.web_port) == 101


async def test_the_page_of_a_site_that_is_allowed_may_connect() -> None:
    visitors = Visitors(allowed_origins=("https://chat.example",))
    async with open_doors(visitors=visitors) as doors:
        assert await status(doors.web_port, Origin="https://chat.example") == 101
        assert await status(doors.web_port, Origin="https://chat.example.org") == 403


@pytest.mark.parametrize("path", ["/", "/ws", "/static/app.js", "/healthz/"])
async def test_where_host_names_are_given_no_other_is_served(path: str) -> None:
    async with open_doors(visitors=Visitors(public_hosts=("Chat.example",))) as doors:
        served = {"/ws": 101, "/healthz/": 404}.get(path, 200)
        assert await status(doors.web_port, path, Host="chat.example") == served
        assert await status(doors.web_port, path, Host="CHAT.example:8080") == served
        for host in ("rebound.example", "chat.example.org", "127.0.0.1", ""):
            assert await status(doors.web_port, path, Host=host) in (400, 421)


async def test_a_load_balancer_may_ask_by_address_whether_the_server_is_well() -> None:
    async with open_doors(visitors=Visitors(public_hosts=("chat.example",))) as doors:
        for host in ("chat.example", "192.0.2.1:8080", "rebound.example"):
            assert await status(doors.web_port, "/healthz", Host=host) == 200


async def test_the_address_behind_a_trusted_proxy_is_the_one_that_counts() -> None:
    visitors = Visitors(proxies=Trusted(["127.0.0.0/8"]))
    async with (
        open_doors(visitors=visitors, admission=Admission(most_per_address=1)) as doors,
        aiohttp.ClientSession(f"http://{HOST}:{doors.web_port}") as session,
        session.ws_connect("/ws", headers={"X-Forwarded-For": "203.0.113.5"}),
    ):
        assert await status(doors.web_port, X_Forwarded_For="203.0.113.5") == 503
        assert await status(doors.web_port, X_Forwarded_For="203.0.113.6") == 101
        assert await status(doors.web_port) == 101


async def test_who_gets_no_websocket_behind_a_trusted_proxy_does_not_count() -> None:
    visitors = Visitors(proxies=Trusted(["127.0.0.0/8"]))
    async with (
        open_doors(visitors=visitors, admission=Admission(most_per_address=1)) as doors,
        aiohttp.ClientSession(f"http://{HOST}:{doors.web_port}") as session,
    ):
        visitor = {"X-Forwarded-For": "203.0.113.5"}
        for _ in range(3):
            async with session.get("/ws", headers=visitor) as response:  # without the wish for one
                assert response.status == 400
        async with session.ws_connect("/ws", headers=visitor):
            assert await status(doors.web_port, X_Forwarded_For="203.0.113.5") == 503


async def test_whoever_is_not_a_trusted_proxy_speaks_for_itself_only() -> None:
    async with (
        open_doors(admission=Admission(most_per_address=1)) as doors,
        aiohttp.ClientSession(f"http://{HOST}:{doors.web_port}") as session,
        session.ws_connect("/ws", headers={"X-Forwarded-For": "203.0.113.5"}),
    ):
        # Both come from this machine, which has no limit.
        assert await status(doors.web_port, X_Forwarded_For="203.0.113.5") == 101


async def test_whoever_comes_and_goes_without_end_is_refused_after_a_while() -> None:
    """Each connection has a new burst of commands: so an address has a pace of connections."""
    visitors = Visitors(proxies=Trusted(["127.0.0.0/8"]))
    admission = Admission(most_per_address=5, clock=lambda: 0.0)
    async with open_doors(visitors=visitors, admission=admission) as doors:
        statuses = [await status(doors.web_port, X_Forwarded_For="203.0.113.5") for _ in range(22)]
        assert statuses == [101] * 20 + [503] * 2
        assert await status(doors.web_port, X_Forwarded_For="203.0.113.6") == 101
        assert {await status(doors.web_port) for _ in range(30)} == {101}
