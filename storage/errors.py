"""What goes wrong with a file, in words for the one who runs the server."""

import sqlite3
from pathlib import Path

from core.log import LogError


class CannotOpen(Exception):
    """The log cannot be used at all; one line that says why."""


def cannot_use(path: Path, error: OSError | sqlite3.Error) -> CannotOpen:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_CANTOPEN"):  # it was not even made
        return CannotOpen(f"cannot use {path}: {path.parent} cannot be written ({error})")
    if name == "SQLITE_IOERR_SHMSIZE":  # the first file that grows
        return CannotOpen(f"cannot use {path}: the disk may be full ({error})")
    return CannotOpen(f"cannot use {path}: {error}")


def log_error(error: sqlite3.Error) -> LogError:
    """The error as the chat passes it on to the one whose message was not stored."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte is the primary code
        case sqlite3.SQLITE_FULL:
            return LogError("storage-full", "The message was not stored; try again later")
        case _:
            return LogError()
