"""WebSocket frames as a server writes them: whole, unmasked, uncompressed (RFC 6455, section 5.2)."""

from typing import Final

TEXT: Final = 0x81
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A
"""First bytes of frames that are whole messages."""


def frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126, size >> 8, size & 255)) + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def close(code: int, reason: bytes = b"") -> bytes:
    """`reason`: UTF-8, at most 123 bytes."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)
