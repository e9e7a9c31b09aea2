"""Log lines: one event each, as text or as JSON, with nothing in them that moves a cursor."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from core.text import clean


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


def set_up(form: str) -> None:
    """Log lines go to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.getLogger("aiohttp.server").addFilter(_Rubbish())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
