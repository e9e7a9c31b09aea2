"""Log lines: one event each, as text or as JSON, with nothing in them that moves a cursor."""

import logging
import os
import time
from datetime import UTC, datetime
from queue import SimpleQueue
from select import select
from threading import Thread
from typing import Any, Final

import msgspec
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from core.text import clean
from gateway.standard import STDERR

MOST_WAITING: Final = 10_000
"""Lines that wait for whoever reads the log; what comes then is left out."""

PAUSE: Final = 0.02
"""Seconds in which the thread lets lines gather: to be woken for each costs more than to write it."""

END_PATIENCE: Final = 1.0
"""Seconds it has at the end to take what waits."""


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # A traceback is ours and keeps its lines; a message may hold what a peer has said.
        message = clean(record.getMessage())
        line = f"{self.formatTime(record)} {record.levelname} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),  # JSON has no way to write what is no Unicode
        }
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            event["exception"] = trace.encode(errors="backslashreplace").decode()
        return msgspec.json.encode(event).decode()


class _Rubbish(logging.Filter):
    """What is no HTTP is the sender's fault: one line, no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | RequestPayloadError):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.INFO, "INFO"
            if isinstance(error, RequestPayloadError):  # aiohttp calls it an unhandled exception
                record.msg = "A request's body is not what its headers say"
        return True


class Stderr(logging.Handler):
    """Past `sys.stderr`: that has a lock, and Python's end waits for it when a thread is stuck with it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001 - as every handler: a bad record must not end the log
            self.handleError(record)
            return
        while line:
            try:
                line = line[os.write(STDERR, line) :]
            except BlockingIOError:  # whoever shares the pipe has made it one that does not wait
                select([], [STDERR], [])
            except OSError:  # nobody reads it, or the disk is full
                return


class Aside(logging.Handler):
    """Has a thread write the lines: who stops to read them (Ctrl+S, a full pipe) stops nothing else."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._queue: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._handler = handler
        self._left_out = 0
        self._thread = Thread(target=self._work, name="log-lines", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._queue.qsize() >= MOST_WAITING:
            self._left_out += 1
            return
        if self._left_out:
            words, self._left_out = f"{self._left_out} lines are left out: nobody read them", 0
            self._queue.put(logging.LogRecord("parlour", logging.WARNING, "", 0, words, None, None))
        self._queue.put(record)

    def close(self) -> None:
        """`logging` calls it at the end."""
        self._queue.put(None)
        self._thread.join(END_PATIENCE)
        super().close()

    def _work(self) -> None:
        while (record := self._queue.get()) is not None:
            self._handler.emit(record)  # without its lock, for which the end of logging waits, too
            if self._queue.empty():
                time.sleep(PAUSE)


def set_up(form: str) -> None:
    """Log lines go to stderr."""
    # What no line of ours has is not looked up for each: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = Stderr()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.getLogger("aiohttp.server").addFilter(_Rubbish())
    logging.basicConfig(level=logging.INFO, handlers=[Aside(handler)])
