"""The page and its files. Scripts and styles have an address for each version, so that browsers keep them."""

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web, web_fileresponse

STATIC: Final = Path(__file__).parent.parent / "static"

# asyncio's own loop (uvloop does not) would send files past the transport: nobody could see that the peer
# does not read, and the end of such a connection would be an error.
web_fileresponse.NOSENDFILE = True  # type: ignore[misc]  # it is final, but for its environment variable

# Python's own type for it differs between versions, and browsers do not know each of them.
web_fileresponse.CONTENT_TYPES.add_type("audio/wav", ".wav")

KEPT: Final = "public, max-age=31536000, immutable"
"""Cache-Control of what is not asked for again."""


def _files() -> dict[str, str]:
    """The ETag that aiohttp gives to each file that there is now, by its name relative to the folder."""
    files = {}
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            status = file.stat()
            files[file.relative_to(STATIC).as_posix()] = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return files


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:%s" % (len(part), part))
    return digest.hexdigest()[:16]


def add_to(app: web.Application) -> None:
    """`/`, the files as of now under `/static/<version>/`, and all files under `/static/`.

    The page names its script and its style sheet by version; whatever these name relative to themselves, as
    modules do, has the version too. A page of another version (a browser had it from before, or from a server
    that is not upgraded yet) is led to the files that there are.
    """
    files = _files()
    version = _digest(*(part for name in files for part in (name.encode(), (STATIC / name).read_bytes())))
    html = (STATIC / "index.html").read_bytes()
    for name in (b"app.js", b"style.css"):
        html = html.replace(b'"/static/%s"' % name, b'"/static/%s/%s"' % (version.encode(), name))
    etag = _digest(html)

    async def page(request: web.Request) -> web.Response:
        if any(known.value in (etag, "*") for known in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = web.Response(body=html, content_type="text/html", charset="utf-8")
        response.etag = etag
        return response

    async def lead(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"/static/{request.match_info['name']}")

    app.router.add_get("/", page)
    versioned = app.router.add_static(f"/static/{version}", STATIC)
    app.router.add_get(r"/static/{version:[0-9a-f]{16}}/{name:[\w./-]+}", lead)
    app.router.add_static("/static", STATIC)

    async def keep(request: web.Request, response: web.StreamResponse) -> None:
        """Unless it has changed since: then it is of another version."""
        if request.match_info.route.resource is versioned and response.status in (200, 206, 304):
            now = response.etag
            if now is not None and now.value == files.get(request.match_info["filename"]):
                response.headers["Cache-Control"] = KEPT

    app.on_response_prepare.append(keep)
