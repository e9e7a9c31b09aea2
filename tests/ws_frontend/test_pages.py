"""The page, its files and the health check, with the headers that keep the page to itself."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.clients import DEADLINE, HOST
from tests.doors import Doors, open_doors
from ws_frontend import pages
from ws_frontend.pages import STATIC

FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())


def client(doors: Doors) -> aiohttp.ClientSession:
    base, timeout = f"http://{HOST}:{doors.web_port}", aiohttp.ClientTimeout(DEADLINE)
    return aiohttp.ClientSession(base, timeout=timeout)


@pytest.fixture
async def http(doors: Doors) -> AsyncIterator[aiohttp.ClientSession]:
    async with client(doors) as session:
        yield session


async def test_the_page_is_at_the_root(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as response:
        assert response.status == 200
        assert (response.content_type, response.charset) == ("text/html", "utf-8")
        page = await response.read()
        assert re.sub(rb"/static/[0-9a-f]{16}/", b"/static/", page) == (STATIC / "index.html").read_bytes()


async def version(http: aiohttp.ClientSession) -> str:
    """Where the page has its script and its style sheet from."""
    async with http.get("/") as response:
        text = await response.text()
        (script,) = re.findall(r'<script .*src="(/static/\w+/)app.js"', text)
        (style,) = re.findall(r'<link rel="stylesheet" href="(/static/\w+/)style.css"', text)
    assert script == style
    return str(script)


async def test_a_browser_keeps_scripts_and_styles_until_there_are_others(http: aiohttp.ClientSession) -> None:
    where = await version(http)
    for name in FILES:
        async with http.get(where + name) as response:
            assert await response.read() == (STATIC / name).read_bytes()
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            known = {"If-None-Match": response.headers["ETag"]}
        async with http.get(where + name, headers=known) as again:  # somebody holds Shift
            assert (again.status, again.headers["Cache-Control"]) == (
                304,
                response.headers["Cache-Control"],
            )
        async with http.get(where + name, headers={"Range": "bytes=0-9"}) as part:  # a download is resumed
            assert (part.status, await part.read()) == (206, (STATIC / name).read_bytes()[:10])
            assert part.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in (f"{where}nothing.js", where):
        async with http.get(path) as response:
            assert response.status in (403, 404)
            assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_page_of_another_version_gets_the_files_that_there_are(
    http: aiohttp.ClientSession, method: str
) -> None:
    for name in FILES:
        async with http.request(method, f"/static/0123456789abcdef/{name}", allow_redirects=True) as response:
            (led,) = response.history
            assert led.status == 307
            assert (response.status, response.url.path) == (200, f"/static/{name}")
            for answer in (led, response):
                assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get("/static/0123456789abcdef/nothing.js") as response:
        assert (response.status, len(response.history)) == (404, 1)


@pytest.mark.parametrize("past", ["../app.js", "%2e%2e/app.js", "views/../../app.js", "app.js/"])
async def test_nothing_is_kept_as_of_a_version_that_is_not_of_it(
    doors: Doors, http: aiohttp.ClientSession, past: str
) -> None:
    """A browser tidies such a path up; a proxy might not."""
    answer = await raw(doors, await version(http) + past)
    assert b"Cache-Control: no-cache\r\n" in answer


async def test_what_has_changed_since_the_start_is_not_kept_as_what_it_was(copied: Path) -> None:
    async with open_doors() as doors, client(doors) as http:
        where = await version(http)
        (copied / "rows.js").write_text("// changed")
        (copied / "new.js").write_text("// new")
        for name, kept in {"rows.js": False, "new.js": False, "app.js": True}.items():
            async with http.get(where + name) as response:
                assert response.status == 200
                assert ("immutable" in response.headers["Cache-Control"]) is kept, name


def test_no_script_reaches_past_its_version() -> None:
    """Modules that name others relative to themselves have them from the same version."""
    count = 0
    for file in STATIC.rglob("*.js"):
        for imported in re.findall(r"(?:from|import)[ (]*[\"'](.*?)[\"']", file.read_text(encoding="utf-8")):
            assert imported.startswith("."), f"{imported} in {file}"
            other = (file.parent / imported).resolve()
            assert other.is_file(), f"{imported} in {file}"
            assert other.is_relative_to(STATIC)
            count += 1
    assert count > 30


async def test_the_page_is_the_same_in_every_locale() -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code = (
        "import asyncio; from aiohttp import web; from ws_frontend import pages;"
        "pages.add_to(web.Application()); print('ready')"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=plain, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"ready\n"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, from which a server that is started now has them."""
    shutil.copytree(STATIC, tmp_path / "static")
    monkeypatch.setattr(pages, "STATIC", tmp_path / "static")
    return tmp_path / "static"


async def test_other_files_have_another_address(http: aiohttp.ClientSession, copied: Path) -> None:
    seen = {await version(http)}
    changes: list[Callable[[], object]] = [
        lambda: (copied / "rows.js").write_bytes((copied / "rows.js").read_bytes().upper()),
        lambda: (copied / "rows.js").rename(copied / "rowz.js"),
        (copied / "views" / "new.js").touch,
        (copied / "emoji.json").unlink,
    ]
    for change in changes:
        change()
        async with open_doors() as changed, client(changed) as other:
            known = await version(other)
        assert known not in seen
        seen.add(known)


@pytest.mark.parametrize("name", FILES)
async def test_the_files_of_the_page_are_served_with_their_types(
    http: aiohttp.ClientSession, name: str
) -> None:
    types = {
        "css": ["text/css"],
        "html": ["text/html"],
        "js": ["text/javascript", "application/javascript"],
        "json": ["application/json"],
        "png": ["image/png"],
        "svg": ["image/svg+xml"],
        "wav": ["audio/wav"],
    }
    async with http.get(f"/static/{name}") as response:
        assert response.status == 200
        assert response.content_type in types[name.rpartition(".")[2]]
        assert await response.read() == (STATIC / name).read_bytes()


async def test_the_health_check_says_ok(http: aiohttp.ClientSession) -> None:
    async with http.get("/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")


async def test_an_unchanged_file_is_not_sent_again(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as first:
        known = {"If-None-Match": first.headers["ETag"]}
    for asked in (known, {"If-None-Match": "*"}):
        async with http.get("/", headers=asked) as second:
            assert (second.status, await second.read()) == (304, b"")


ANYWHERE = [
    ("GET", "/", 200),
    ("HEAD", "/", 200),
    ("GET", f"/static/{FILES[0]}", 200),
    ("GET", "/healthz", 200),
    ("GET", "/nothing", 404),
    ("GET", "/static/nothing.js", 404),
    ("POST", "/", 405),
    ("GET", "/ws", 400),  # without the wish for a WebSocket
]


@pytest.mark.parametrize(("method", "path", "status"), ANYWHERE)
async def test_every_answer_has_the_security_headers(
    http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, path) as response:
        assert response.status == status
        headers = response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-cache"
        policy = dict(part.split(maxsplit=1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]


async def test_the_handshake_has_them_too(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect("/ws") as ws:
        assert ws._response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/views/",
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..\\pyproject.toml",
        "/static/%00",
        "/static/" + "x" * 300,
        "/core/chat.py",
        "/../pyproject.toml",
    ],
)
async def test_nothing_else_of_the_machine_is_served(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(URL(path, encoded=True)) as response:
        assert response.status in (400, 403, 404)
        assert b"[project]" not in await response.read()


async def raw(doors: Doors, path: str) -> bytes:
    """The answer to exactly this path."""
    reader, writer = await asyncio.open_connection(HOST, doors.web_port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(DEADLINE):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_raw_path_upwards_is_not_served(doors: Doors) -> None:
    answer = await raw(doors, "/static/../../../../../../etc/passwd")
    assert answer.split()[1] in (b"400", b"403", b"404")
    assert b"root:" not in answer
