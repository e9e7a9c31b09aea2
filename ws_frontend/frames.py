"""WebSocket frames as a server writes them: whole, unmasked, uncompressed (RFC 6455, section 5.2)."""

from struct import Struct
from typing import Final

TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A
"""First bytes of frames that are whole messages."""

_SHORT: Final = Struct("!BB").pack
_MEDIUM: Final = Struct("!BBH").pack
_LONG: Final = Struct("!BBQ").pack


def frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return _SHORT(first, size) + payload
    if size < 65_536:
        return _MEDIUM(first, 126, size) + payload
    return _LONG(first, 127, size) + payload


def close(code: int, reason: bytes = b"") -> bytes:
    """`reason`: UTF-8, at most 123 bytes."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)
