"""What the wires of both doors have in common: whether bytes may go to the socket past its transport."""

import asyncio
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

    What the socket does not take waits in the transport, and all that follows must wait behind it: until
    that is through, `fd` is None.
    """

    __slots__ = ("_descriptor", "_ended", "_transport", "fd", "session")

    session: Session
    """Set before anything is written."""

    def _write_to(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._descriptor = _descriptor(transport)
        self._ended = False
        self.fd = self._straight()

    def _straight(self) -> int | None:
        """The descriptor, if nothing waits in front of it."""
        transport = self._transport
        if self._descriptor is None or transport.is_closing() or transport.get_write_buffer_size():
            return None
        return self._descriptor

    def _write_no_more(self) -> None:
        self._ended = True
        self._write_at(None)

    def _write_at(self, fd: int | None) -> None:
        self.fd = fd
        self.session.reach_by(self.session.wire)

    # ------------------------------------------------------------------ core.session.Wire

    def write(self, data: bytes, /) -> None:
        if self._ended:
            return
        self._transport.write(data)
        fd = self._straight()  # it may have been too much
        if fd != self.fd:
            self._write_at(fd)

    def waiting(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()
