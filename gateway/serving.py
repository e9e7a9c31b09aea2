"""Puts the parts together and runs them until a signal asks to stop."""

import asyncio
import gc
import logging
import os
import resource
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from threading import Timer
from typing import Final

import tcp_frontend.server
import ws_frontend.server
from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from core.limits import Limits
from core.log import Log
from gateway import admin
from gateway.config import Config
from gateway.sockets import CannotListen, for_browsers, inherited, listen, shown
from gateway.standard import announce
from gateway.tls import Certificate
from storage.errors import CannotOpen
from storage.memory import MemoryLog
from storage.sqlite import SqliteLog
from ws_frontend.visitors import Visitors

logger = logging.getLogger("parlour")

COLLECT: Final = (20_000, 50, 50)
"""New objects between two looks of the cyclic collector (and looks between the longer ones). A login makes
some hundred objects that stay: with Python's 700 the collector would look at them several times a second."""

RESERVE: Final = 64
"""Descriptors kept for the log, the page's files and our own sockets."""

SAME_WISH: Final = 0.5
"""Seconds within which the same signal again means the same (wrappers pass on what a group got)."""

STOP_PATIENCE: Final = 9.0
"""Seconds after which a stop ends the process, whatever it still waits for."""


async def serve(config: Config) -> None:
    """Run both doors until SIGINT, SIGTERM or SIGHUP (without TLS); a second one ends the process at once.

    Raises CannotOpen, CannotListen, CannotUse before anything is served.
    """
    stop = asyncio.Event()
    _on_signals(stop)
    certificate = Certificate(config.tls_cert, config.tls_key) if config.tls_cert else None
    if certificate is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.reload)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(_log(config))
        chat = await stack.enter_async_context(Chat(log, limits=_limits(config)))
        doors = await _open_doors(stack, config, chat, log, certificate)
        logger.info("Parlour %s is ready, messages are kept in %s", version("parlour"), config.data)
        # What exists now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        await stop.wait()
        _end_within(STOP_PATIENCE)
        logger.info("Stopping")
        for shut in doors:
            shut()  # whoever comes now is for the next server
        await chat.stop("restarting")


async def _open_doors(
    stack: AsyncExitStack, config: Config, chat: Chat, log: Log, certificate: Certificate | None
) -> list[Callable[[], None]]:
    """Open them; what is returned shuts them for newcomers."""
    handed = inherited()
    doors = []
    tcp = handed.get("tcp") or listen(config.host, config.tcp_port, "--tcp-port")
    web = handed.get("web") or listen(config.host, config.web_port, "--web-port")
    secure = handed.get("tls-tcp", ())
    if config.tls_tcp_port is not None:
        secure = secure or listen(config.host, config.tls_tcp_port, "--tls-tcp-port")
    if secure and certificate is None:
        raise CannotListen("the line door with TLS (tls-tcp) needs --tls-cert and --tls-key")
    private = handed.get("admin", ())
    if config.admin_port is not None:
        private = private or listen("127.0.0.1", config.admin_port, "--admin-port")
    most = _most_connections(config.max_connections)
    most_per_address = config.max_connections_per_address
    lines = Admission(most=most, most_per_address=most_per_address)
    pages = Admission(most=most, most_per_address=most_per_address)
    proxies = Trusted(config.trusted_proxy)
    tls = certificate is not None
    visitors = Visitors(config.allowed_origin, config.public_host, proxies)
    believed = proxies if config.proxy_protocol else None
    plain = tcp_frontend.server.serve(chat, lines, tcp, sendq=config.sendq, proxies=believed)
    doors.append(await stack.enter_async_context(plain))
    page = ws_frontend.server.serve(
        chat,
        pages,
        visitors,
        web,
        version=version("parlour"),
        sendq=config.sendq,
        secured=certificate.door(pages, proxies) if certificate is not None else None,
    )
    doors.append(await stack.enter_async_context(page))
    for sock in tcp:
        announce(f"Server listening on {shown(sock)}")
    for address in dict.fromkeys(map(for_browsers, web)):
        announce(f"Page on {'https' if tls else 'http'}://{address}/")
    if secure and certificate is not None:
        encrypted = tcp_frontend.server.serve(
            chat,
            lines,
            secure,
            sendq=config.sendq,
            proxies=believed,
            secured=certificate.door(lines, proxies, introduced=config.proxy_protocol),
        )
        doors.append(await stack.enter_async_context(encrypted))
        for sock in secure:
            announce(f"Server listening with TLS on {shown(sock)}")
    if private:
        await stack.enter_async_context(admin.serve(chat, log, {"tcp": lines, "web": pages}, private))
        for sock in private:
            announce(f"Metrics on http://{shown(sock)}/metrics")
    return doors


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    first = (0, 0.0)

    def asked(number: int) -> None:
        nonlocal first
        same = number == first[0] or signal.SIGHUP in (number, first[0])  # which comes beside another one
        if not stop.is_set():
            first = number, loop.time()
            stop.set()
        elif not same or loop.time() - first[1] > SAME_WISH:
            os._exit(1)  # asked twice: nothing is waited for any more

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)
    # The end of its terminal, which nohup has it outlive; with TLS the certificate is loaded anew instead.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, asked, signal.SIGHUP)


def _end_within(seconds: float) -> None:
    """On a thread of its own: what is waited for may hold up the event loop or the interpreter's end."""
    timer = Timer(seconds, os._exit, (1,))  # without a word: the terminal may be what does not go on
    timer.daemon = True
    timer.start()


def _log(config: Config) -> AbstractAsyncContextManager[Log]:
    if config.data == "memory":
        return MemoryLog(history_per_room=config.history_per_room)
    if config.data.endswith("/"):
        raise CannotOpen(f"cannot use {config.data}: the messages go into a file, and that names a folder")
    return SqliteLog(
        Path(config.data),
        durability=config.durability,
        history_per_room=config.history_per_room,
        history_days=config.history_days,
    )


def _limits(config: Config) -> Limits:
    return Limits(
        rate=config.rate,
        burst=config.burst,
        login_timeout=config.login_timeout,
        idle_timeout=config.idle_timeout,
        linger=config.linger,
    )


def _most_connections(asked: int) -> int:
    """The cap of each door, so that both together stay below the limit of descriptors.

    At that limit the kernel refuses without a word and the loop cannot even read a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = max(2, hard - RESERVE) // 2
    return min(asked, possible) if asked else possible
