"""A browser can be made to speak to the line port. It is turned away, and nothing it sends is carried out."""

import pytest

from tests.browser.chromium import chromium
from tests.clients import HOST, LineClient, commanders, within
from tests.doors import Doors
from tests.e2e.sockets import dialling
from tests.hostile.house import answer, opened

METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "MKCOL",
    "M-SEARCH",
    "QUERY",
    "x",
]
COMMANDS = b"LOGIN Eve\r\nMSG boo\r\nGMSG boo\r\nEve2\r\nboo\r\n"


def assert_turned_away(heard: bytes) -> None:
    greeting, _, rest = heard.partition(b"HTTP/1.1 421 Misdirected Request\r\n")
    assert greeting.count(b"\n") >= 2
    head, _, body = rest.partition(b"\r\n\r\n")
    assert b"\r\nConnection: close" in head
    assert body.count(b"\n") == 1, body
    assert b"page" in body


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "target", [b"/", b"/x?y=LOGIN%20Eve", b"*", b"localhost:4000", b"http://localhost:4000/"]
)
async def test_no_method_gets_further_than_421(doors: Doors, method: str, target: bytes) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        request = method.encode() + b" " + target + b" HTTP/1.1\r\n\r\n" + COMMANDS
        assert_turned_away(await answer(doors.tcp_port, request))
        await ann.hears_nothing()


@pytest.mark.parametrize(
    "header", [b"Host: localhost", b"content-type:text/plain", b"X-A:\tb", b"Cookie: a=b", b"Origin: null"]
)
async def test_two_header_lines_are_enough(doors: Doors, header: bytes) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        assert_turned_away(await answer(doors.tcp_port, header + b"\r\nAccept: */*\r\n" + COMMANDS))
        await ann.hears_nothing()


@pytest.mark.parametrize("size", [10, 4090, 4096, 4097, 9000, 100_000])
async def test_a_request_line_of_any_length_is_not_the_way_around_it(doors: Doors, size: int) -> None:
    """Where the first line is too long to be read, the headers that browsers send tell."""
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        request = b"POST /" + b"a" * size + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" + COMMANDS
        assert_turned_away(await answer(doors.tcp_port, request))
        await ann.hears_nothing()


@pytest.mark.parametrize("line", [b"POST /" + b"a" * 5000 + b" HTTP/1.1", b"\xff\x00" * 5000])
async def test_behind_a_first_line_that_cannot_be_read_nothing_is_a_command(
    doors: Doors, line: bytes
) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        assert_turned_away(await answer(doors.tcp_port, line + b"\r\n" + COMMANDS))
        await ann.hears_nothing()


@pytest.mark.parametrize(
    "line",
    [
        b"GET /\xff\xfex HTTP/1.1",
        b"GET /\xe9 HTTP/1.0",
        b"G\xff\xf1ET / HTTP/1.1",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nAccept: y",
    ],
)
async def test_odd_bytes_in_a_request_line_do_not_hide_it(doors: Doors, line: bytes) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        assert_turned_away(await answer(doors.tcp_port, line + b"\r\n" + COMMANDS))
        await ann.hears_nothing()


@pytest.mark.parametrize(
    "greeting", ["Ann: hello", "LOGIN: Ann", "Ann:hello", "note:\thello", "http://localhost:4000/"]
)
async def test_a_newcomer_who_writes_a_colon_is_no_browser(doors: Doors, greeting: str) -> None:
    async with LineClient(doors.tcp_port) as eve:
        await eve.send(greeting, "LOGIN Eve", "MSG todo: buy milk", "MSG Host: x", "PING")
        assert (await eve.line()).startswith(("ERR login-required ", "ERR invalid-username "))
        await eve.expect("OK", "PONG")


@pytest.mark.parametrize(
    "login",
    ["\ufeffLOGIN Eve", "LO\x08GIN\x7f Eve", "LOGIN\tEve", "\tEve", "E\x00ve", "\ufeffEve", "E\x08ve\x7f"],
)
async def test_whoever_is_logged_in_speaks_with_colons_whatever_the_login_looked_like(
    doors: Doors, login: str
) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as eve:
        verb = "MSG " if "G" in login else ""
        said = ["todo: buy milk", "Host: x", "Accept: y", "GET / HTTP/1.1"]
        await eve.send(login, *(verb + text for text in said), "x" * 5000, verb + "last: words")
        await ann.expect("INFO Eve connected", *(f"MSG Eve {text}" for text in [*said, "last: words"]))


async def test_it_does_not_matter_how_the_request_is_cut(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        request = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + COMMANDS
        for size in (1, 2, 3, 5, 7, 11, 16, 17, 18, 27):
            pieces = [request[n : n + size] for n in range(0, len(request), size)]
            assert_turned_away(await answer(doors.tcp_port, *pieces))
        await ann.hears_nothing()


async def test_a_request_behind_wrong_lines_is_turned_away_too(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as browser:
        await browser.send("nonsense here", "HELP ME", "LOGIN 1bad")
        await browser.send_bytes(b"GET / HTTP/1.1\r\n" + COMMANDS)
        assert "HTTP/1.1 421 Misdirected Request\r" in await browser.rest()
        await ann.hears_nothing()


async def test_a_name_and_a_text_with_a_colon_may_come_in_one_piece(doors: Doors) -> None:
    """`printf 'Eve\\nnote: hello\\n' | nc` is no browser: its first line is a name."""
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as eve:
        await eve.send("Eve", "note: hello", "GET / HTTP/1.1")
        await ann.expect("INFO Eve connected", "MSG Eve note: hello", "MSG Eve GET / HTTP/1.1")


@pytest.mark.browser
async def test_a_page_that_fetches_the_line_port_says_nothing_in_the_chat() -> None:
    async with (
        opened("--rate", "0", "--admin-port", "0") as house,
        dialling(house) as ann,
        chromium() as browser,
    ):
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        page = await browser.new_page()
        await page.goto(f"http://{HOST}:{house.web_port}/healthz")
        # A page of another site, without our policy: about:blank may connect to anything.
        await page.goto("about:blank")
        fetch = """([url, method, body]) => fetch(url, {method, body, mode: "no-cors"})
                   .then(() => "answered", () => "failed")"""
        url = f"http://{HOST}:{house.tcp_port}/"
        body = "\r\nLOGIN Eve\r\nMSG boo\r\nGMSG boo\r\n"
        async with within(20):
            for method, said in (("GET", None), ("POST", body), ("POST", body + "x" * 100_000)):
                assert await page.evaluate(fetch, [url, method, said]) == "failed"
            form = """([url, body]) => { const form = document.createElement("form");
                form.method = "POST"; form.action = url; form.enctype = "text/plain";
                const field = document.createElement("textarea"); field.name = body; form.append(field);
                document.body.append(form); form.submit(); }"""
            async with page.expect_event("requestfailed"):
                await page.evaluate(form, [url, body])
        assert "misdirected" in str(await house.metrics())
        await ann.send("PING", "WHO")
        await ann.hears("PONG", "INFO --- All Connected Users ---", "USER Ann", "USERS Ann")
