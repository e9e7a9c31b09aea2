"""What the wires of both doors have in common: bytes go straight to the socket while it takes them."""

import asyncio
import os
import sys

from core.session import Session


def _descriptor(transport: asyncio.Transport) -> int | None:
    """The file descriptor that takes what the transport would write; None where that is not so easy."""
    if sys.platform == "win32" or transport.get_extra_info("sslcontext") is not None:
        return None
    fd: int = transport.get_extra_info("socket").fileno()
    return fd


class Stream(asyncio.Protocol):
    """The part of a `core.session.Wire` that writes.

    A write is one call of the operating system, as long as the peer reads. What its socket does not take
    waits in the transport, and all that follows waits behind it: `fd` is None until that is through.
    """

    __slots__ = ("_ended", "_straight", "_transport", "fd", "session")

    session: Session
    """Set before anything is written."""

    def _write_to(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._straight = _descriptor(transport)
        self._ended = False
        self.fd = None if transport.get_write_buffer_size() else self._straight

    def _write_no_more(self) -> None:
        self._ended = True
        self._write_at(None)

    def _write_at(self, fd: int | None) -> None:
        self.fd = fd
        self.session.reach_by(self.session.wire)

    # ------------------------------------------------------------------ core.session.Wire

    def write(self, data: bytes, /) -> None:
        if self.fd is None:
            self._write_behind(data)
            return
        try:
            sent = os.write(self.fd, data)
        except OSError:  # it is full, or its peer is gone: the transport finds out which
            sent = 0
        if sent < len(data):
            self._write_at(None)
            self._transport.write(data[sent:])

    def _write_behind(self, data: bytes) -> None:
        if self._ended:
            return
        if self._straight is None or self._transport.get_write_buffer_size():
            self._transport.write(data)
        else:
            self._write_at(self._straight)
            self.write(data)

    def waiting(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()
