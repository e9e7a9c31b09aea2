"""The aiohttp application: the page, its files, `/ws` and `/healthz`."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from core.admission import Admission
from core.chat import Chat
from core.sparing import Sparing
from ws_frontend import pages
from ws_frontend.connection import Visit, WebSockets, conversing
from ws_frontend.doorman import Doorman, Doormen
from ws_frontend.visitors import Visitors

ProtocolFactory = Callable[[], asyncio.Protocol]

logger = logging.getLogger("parlour.web")

BACKLOG: Final = 2048
HEALTH: Final = "/healthz"

REQUEST_PATIENCE: Final = 8.0
"""Seconds a connection may take for its request, headers and all, and may stay open between two of them."""

STOP_PATIENCE: Final = 3.0
"""Seconds in which the WebSockets must have ended when the server stops, and the requests since it shut."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "media-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask each time; what has not changed is answered with 304
    "Server": "parlour",  # not what it is made of, and in which version
}


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


class RequestHandler(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no request never comes as far as the application and its headers."""
        response: web.StreamResponse
        if isinstance(exc, OSError) and exc.errno == errno.ENAMETOOLONG:
            response = web.Response(status=404, text="404: Not Found")  # no file can have such a name
        else:
            response = super().handle_error(request, status, exc, message)
        response.headers.update(HEADERS)
        return response


def application(
    chat: Chat, admission: Admission, visitors: Visitors, sockets: WebSockets, *, version: str
) -> web.Application:
    strangers, foreigners = Sparing(logger), Sparing(logger)

    @web.middleware
    async def known_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
        # A load balancer asks by address, and learns nothing that another site may not know.
        if request.path != HEALTH and not visitors.knows_host(request):
            strangers.log("Refused %s: no such host (421): %r", visitors.address(request), request.host)
            return web.Response(status=421, text="There is no such host here.\n")
        return await handler(request)

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    def let_in(request: web.Request) -> Visit | web.Response:
        if not visitors.allows_origin(request):
            origin = request.headers.getall("Origin", ())
            foreigners.log("Refused %s: a page of another site (403): %r", visitors.address(request), origin)
            return web.Response(status=403, text="Pages of other sites may not connect (--allowed-origin).\n")
        address = visitors.address(request)
        if address == request.remote:
            return Visit(address)  # the doorman has counted it
        if not admission.visit(address):
            return web.Response(status=503, text="too-many-connections\n", headers={"Retry-After": "60"})
        return Visit(address, lambda: admission.depart(address))

    # Each of them keeps as much memory for each WebSocket as a session does.
    app = web.Application(middlewares=[known_hosts] if visitors.public_hosts else [])
    app.on_response_prepare.append(_add_headers)
    app.router.add_get(HEALTH, health)
    app.router.add_get("/ws", conversing(chat, sockets, let_in, version=version))
    pages.add_to(app)
    return app


@asynccontextmanager
async def serve(
    chat: Chat,
    admission: Admission,
    visitors: Visitors,
    sockets: Sequence[socket.socket],
    *,
    version: str,
    sendq: int,
    secured: Callable[[ProtocolFactory], ProtocolFactory] | None = None,
) -> AsyncIterator[Callable[[], None]]:
    """Open the door on these listening sockets; yields what shuts it for newcomers.

    `secured` puts TLS in front. Whoever stops the chat closes the WebSockets; leaving waits for them, but
    not for ever.
    """
    websockets, doormen = WebSockets(), Doormen()
    app = application(chat, admission, visitors, websockets, version=version)
    runner = web.AppRunner(app, shutdown_timeout=STOP_PATIENCE)
    await runner.setup()
    manager = runner.server
    assert manager is not None  # it was set up
    loop = asyncio.get_running_loop()

    def make() -> RequestHandler:
        return RequestHandler(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # None is what aiohttp's own runner passes on
            keepalive_timeout=REQUEST_PATIENCE,
            tcp_keepalive=False,  # the listening socket has it, and so has what it accepts
        )

    def meet() -> asyncio.Protocol:
        return Doorman(make, admission, visitors.proxies, sendq, doormen)

    factory = secured(meet) if secured is not None else meet
    servers = [await loop.create_server(factory, sock=sock, backlog=BACKLOG) for sock in sockets]

    ending: asyncio.TimerHandle | None = None

    def shut() -> None:
        nonlocal ending
        for server in servers:
            server.close()
        # From now on, not after what else is waited for: a stop must not take the sum of all patience.
        ending = ending or loop.call_later(STOP_PATIENCE, doormen.abort)

    watching = [loop.create_task(watch) for watch in (websockets.watch(admission), doormen.watch())]
    try:
        yield shut
    finally:
        shut()
        for task in watching:
            task.cancel()
        await websockets.all_closed(STOP_PATIENCE)
        await runner.cleanup()
        await doormen.all_closed(STOP_PATIENCE)
