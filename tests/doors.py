"""A whole Parlour in the test's own process: the chat and both doors on free ports."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

import tcp_frontend.server
import ws_frontend.server
from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from core.limits import Limits
from core.log import Log
from gateway.sockets import listen
from storage.memory import MemoryLog
from tests.clients import HOST
from ws_frontend.visitors import Visitors

UNLIMITED: Final = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=0)
SENDQ: Final = 262_144


class Doors(Struct, frozen=True):
    chat: Chat
    tcp_port: int
    web_port: int


class _Keeper(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self, kept: list[object]) -> None:
        super().__init__(logging.ERROR)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())


@asynccontextmanager
async def open_doors(
    log: Log | None = None,
    *,
    limits: Limits = UNLIMITED,
    admission: Admission | None = None,
    sendq: int = SENDQ,
    visitors: Visitors = Visitors(),  # noqa: B008 - frozen
    proxies: Trusted | None = None,
) -> AsyncIterator[Doors]:
    """Fails at the end when an exception has come to nobody but the event loop or aiohttp."""
    admission = admission or Admission()
    lines, web = listen(HOST, 0, "--tcp-port"), listen(HOST, 0, "--tcp-port")
    loop = asyncio.get_running_loop()
    problems: list[object] = []
    loop.set_exception_handler(lambda _, problem: problems.append(problem))
    errors = _Keeper(problems)
    logging.getLogger("aiohttp").addHandler(errors)
    async with (
        Chat(log or MemoryLog(), limits=limits) as chat,
        tcp_frontend.server.serve(chat, admission, lines, sendq=sendq, proxies=proxies),
        ws_frontend.server.serve(chat, admission, visitors, web, version="test", sendq=sendq),
    ):
        try:
            yield Doors(chat, lines[0].getsockname()[1], web[0].getsockname()[1])
        finally:
            await chat.stop("restarting")
            logging.getLogger("aiohttp").removeHandler(errors)
    assert not problems, problems
