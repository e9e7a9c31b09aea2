"""The PROXY protocol, versions 1 and 2: a proxy tells in front of the bytes whose connection it passes on.

Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, sections 2.1 and 2.2. No I/O.
"""

import socket
from typing import Final

from msgspec import Struct

from core.addresses import parse_address

HEADER_PATIENCE: Final = 5.0
"""Seconds a proxy has for its header."""

V1_MAX: Final = 107
"""Bytes of the longest version 1 line, with its CR LF."""

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEAD: Final = 16
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class Header(Struct, frozen=True):
    """`address` is whose connection it is, None for the proxy's own; `size` bytes belong to the header."""

    address: str | None
    size: int


class Bad(Struct, frozen=True):
    """This is no header, and nothing that follows can be trusted."""

    why: str


def parse(data: bytes) -> Header | Bad | None:
    """The header at the start of a connection; None when more bytes are needed. Never raises."""
    if data.startswith(SIGNATURE[: len(data)]):
        return _version_2(data)
    if data.startswith(b"PROXY "[: len(data)]):
        return _version_1(data)
    return Bad("no PROXY header")


def _version_1(data: bytes) -> Header | Bad | None:
    end = data.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        return None if len(data) < V1_MAX else Bad("a PROXY line without an end")
    match data[:end].decode("ascii", "replace").split(" "):
        case ["PROXY", "UNKNOWN", *_]:
            return Header(None, end + 2)
        case ["PROXY", "TCP4" | "TCP6", source, _, _, _] if parse_address(source) is not None:
            return Header(str(parse_address(source)), end + 2)
        case _:
            return Bad("a PROXY line that is not one")


def _version_2(data: bytes) -> Header | Bad | None:
    if len(data) < _V2_HEAD:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    size = _V2_HEAD + length
    if command not in (_LOCAL, _PROXY) or length > 4096:
        return Bad("a PROXY header of an unknown version, or too long")
    if len(data) < size:
        return None
    body = data[_V2_HEAD:size]
    if command == _PROXY and family == _TCP4 and length >= 12:
        return Header(socket.inet_ntop(socket.AF_INET, body[:4]), size)
    if command == _PROXY and family == _TCP6 and length >= 36:
        return Header(str(parse_address(socket.inet_ntop(socket.AF_INET6, body[:16]))), size)
    return Header(None, size)
