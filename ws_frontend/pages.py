"""The page and its files. Scripts and styles have an address for each version, so that browsers keep them."""

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

STATIC: Final = Path(__file__).parent.parent / "static"

KEPT: Final = "public, max-age=31536000, immutable"
"""Cache-Control of what can never be anything else: it is not asked for again."""


def _version() -> str:
    """It differs whenever any of the files does."""
    digest = hashlib.sha256()
    for file in sorted(file for file in STATIC.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(STATIC).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def add_to(app: web.Application) -> None:
    """`/`, the files as of now under `/static/<version>/`, and all files under `/static/`.

    The page names its script and its style sheet by version; whatever these name relative to themselves, as
    modules do, has the version too.
    """
    version = _version()
    kept = f"/static/{version}"
    html = (STATIC / "index.html").read_text()
    for name in ("app.js", "style.css"):
        html = html.replace(f'"/static/{name}"', f'"{kept}/{name}"')

    async def page(request: web.Request) -> web.Response:
        if any(tag.value == version for tag in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = web.Response(text=html, content_type="text/html")
        response.etag = version
        return response

    async def keep(request: web.Request, response: web.StreamResponse) -> None:
        if response.status in (200, 206, 304) and request.path.startswith(f"{kept}/"):
            response.headers["Cache-Control"] = KEPT

    app.on_response_prepare.append(keep)
    app.router.add_get("/", page)
    app.router.add_static(kept, STATIC)
    app.router.add_static("/static", STATIC)
