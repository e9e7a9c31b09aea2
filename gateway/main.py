"""The command `parlour`."""

import asyncio
import gc
import logging
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import tcp_frontend.server
import ws_frontend.server
from core.admission import Admission
from core.chat import Chat
from core.limits import Limits
from core.log import Log
from gateway.config import BadConfig, Config, complain, load, parse
from gateway.connect import connect
from storage.errors import CannotOpen
from storage.memory import MemoryLog
from storage.sqlite import SqliteLog

logger = logging.getLogger("parlour")


class CannotServe(Exception):
    """A door that cannot be opened, as one line."""


async def serve(config: Config) -> None:
    """Run both doors until a signal asks to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = Limits(
        rate=config.rate,
        burst=config.burst,
        login_timeout=config.login_timeout,
        linger=config.linger,
        idle_timeout=config.idle_timeout,
    )
    admission = Admission(most=config.max_connections, most_per_address=config.max_connections_per_address)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(_log(config))
        chat = await stack.enter_async_context(Chat(log, limits=limits))
        host, sendq = config.host, config.sendq
        try:
            port = config.tcp_port
            tcp = tcp_frontend.server.serve(chat, admission, host=host, port=port, sendq=sendq)
            for address, opened in await stack.enter_async_context(tcp):
                print(f"Server listening on {address}:{opened}", flush=True)
            port = config.web_port
            web = ws_frontend.server.serve(
                chat, admission, host=host, port=port, sendq=sendq, version=version("parlour")
            )
            for address, opened in await stack.enter_async_context(web):
                print(f"Page on http://{_for_browsers(address)}:{opened}/", flush=True)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise CannotServe(f"cannot listen on {host}:{port}: {why}") from None
        # What exists now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        await stop.wait()
        logger.info("Stopping")
        await chat.stop("restarting")


def _log(config: Config) -> AbstractAsyncContextManager[Log]:
    if config.data == "memory":
        return MemoryLog(history_per_room=config.history_per_room)
    return SqliteLog(
        Path(config.data).expanduser(),
        durability=config.durability,
        history_per_room=config.history_per_room,
        history_days=config.history_days,
    )


def _for_browsers(address: str) -> str:
    if address in ("0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - a comparison
        return "localhost"
    return f"[{address}]" if ":" in address else address


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        from uvloop import new_event_loop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return new_event_loop()


def main() -> None:
    """Entry point. Exit status: 0 after a stop, 1 when a door cannot be opened, 2 for bad configuration."""
    try:
        arguments = parse(sys.argv[1:])
        if arguments.command == "connect":
            sys.exit(connect(arguments.host, arguments.port))
        config = load(arguments)
    except BadConfig as problem:
        complain(problem)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            runner.run(serve(config))
    except (CannotServe, CannotOpen) as problem:
        print(f"parlour: {problem}", file=sys.stderr)
        sys.exit(1)
