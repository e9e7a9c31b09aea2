"""The aiohttp application: the page, its files, `/ws` and `/healthz`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from core.admission import Admission
from core.chat import Chat
from ws_frontend.connection import converse

STATIC: Final = Path(__file__).parent.parent / "static"
BACKLOG: Final = 2048

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask each time; unchanged files are answered with 304
}


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def application(chat: Chat, admission: Admission, *, version: str, sendq: int) -> web.Application:
    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def websocket(request: web.Request) -> web.StreamResponse:
        address = request.remote or ""
        if not admission.enter(address):
            return web.Response(status=503, text="too-many-connections\n", headers={"Retry-After": "60"})
        try:
            return await converse(request, chat, version=version, sendq=sendq)
        finally:
            admission.leave(address)

    app = web.Application()
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/", page)
    app.router.add_get("/healthz", health)
    app.router.add_get("/ws", websocket)
    app.router.add_static("/static", STATIC)
    return app


@asynccontextmanager
async def serve(
    chat: Chat, admission: Admission, *, host: str, port: int, version: str, sendq: int
) -> AsyncIterator[list[tuple[str, int]]]:
    """Open the door; yields the addresses it listens on. Port 0 picks a free one.

    Raises OSError when the address cannot be used. Whoever stops the chat closes the WebSockets.
    """
    app = application(chat, admission, version=version, sendq=sendq)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        yield [address[:2] for address in runner.addresses]
    finally:
        await runner.cleanup()
