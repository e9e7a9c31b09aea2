"""TLS for both doors, from one certificate that can be replaced while the server runs."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from core.addresses import Trusted, endpoint, host
from core.admission import Admission
from core.sparing import Sparing
from tcp_frontend import proxy_protocol
from tcp_frontend.server import ProtocolFactory

logger = logging.getLogger("parlour.tls")

NO_PASSWORD: Final = ""
"""For a key that wants one: without this OpenSSL would ask on the terminal and wait."""

NOBODY: Final = Trusted()

HANDSHAKE_PATIENCE: Final = 8.0
"""Seconds a peer has for its TLS handshake."""


class CannotUse(Exception):
    """A certificate or key that cannot be used, as one line."""


class Certificate:
    """`context` is for new connections; those that exist go on with the one they have begun with."""

    def __init__(self, chain: str, key: str) -> None:
        """Raises CannotUse."""
        self._chain = chain
        self._key = key
        self.failures = Sparing(logger, logging.INFO)
        self.context = self._loaded()

    def _loaded(self) -> ssl.SSLContext:
        """A new one each time: one that half took a bad pair would serve nobody."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key, NO_PASSWORD)
        except OSError as error:  # of which TLS' own errors are a kind
            why = self._problem() or error.strerror or error
            raise CannotUse(f"cannot use {self._chain} with {self._key}: {why}") from None
        return context

    def _problem(self) -> str:
        """What OpenSSL does not tell: which of the files is not what it should be."""
        for file, mark, what in (
            (self._chain, b"CERTIFICATE-----", "certificate"),
            (self._key, b"PRIVATE KEY-----", "private key"),
        ):
            try:
                content = Path(file).read_bytes()
            except OSError as error:
                return f"{file}: {error.strerror}"
            if mark not in content:
                return f"{file} holds no {what} (PEM)"
        return f"{self._key} is locked with a password" if b"ENCRYPTED" in content else ""

    def door(
        self, admission: Admission, proxies: Trusted = NOBODY, *, introduced: bool = False
    ) -> Callable[[ProtocolFactory], ProtocolFactory]:
        """What puts a handshake in front of a door's connections, which it counts as that door does.

        `introduced`: proxies begin with a PROXY header, in the clear; the door gets it as its first bytes.
        """
        make = _IntroducedHandshake if introduced else _Handshake
        return lambda inside: lambda: make(self.context, inside, admission, proxies, self.failures)

    def reload(self) -> None:
        """Take the files as they are now; keep the old certificate when they cannot be used."""
        try:
            self.context = self._loaded()
        except CannotUse as problem:
            logger.error("The old certificate stays in use: %s", problem)
        else:
            logger.info("Certificate loaded anew")


class _Early(asyncio.Protocol):
    """Keeps what comes before the protocol it is meant for is in place."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class _Handshake(_Early):
    """Counts a connection from its first moment, which asyncio's own TLS servers leave no place for."""

    def __init__(
        self,
        context: ssl.SSLContext,
        inside: ProtocolFactory,
        admission: Admission,
        proxies: Trusted,
        failures: Sparing,
    ) -> None:
        super().__init__()
        self._context = context
        self._inside = inside
        self._admission = admission
        self._proxies = proxies
        self._failures = failures
        self._head = b""
        """What the door is given before anything that was said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)
        self._peer = self._wire.get_extra_info("peername")
        """Kept: of a connection that was broken off, uvloop raises ValueError instead of telling it."""
        self._meet()

    def _meet(self) -> None:
        self._begin(self._proxies.counting(self._peer))

    def _begin(self, address: str) -> None:
        if not self._admission.enter(address):
            self._wire.abort()  # it could not read a reason yet
            return
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._shake_hands(address))
        # After start_tls has begun, and after what it schedules when it begins.
        loop.call_soon(loop.call_soon, self._pass_on)

    def _pass_on(self) -> None:
        """What came before TLS was in place, the beginning of the handshake, goes to it."""
        early, tls = self.received, cast(asyncio.BufferedProtocol, self._wire.get_protocol())
        while early and not self._wire.is_closing():
            buffer = memoryview(tls.get_buffer(len(early)))
            size = min(len(buffer), len(early))
            buffer[:size] = early[:size]
            tls.buffer_updated(size)
            early = early[size:]

    async def _shake_hands(self, address: str) -> None:
        app = _Early()
        secure = None
        try:
            if not self._wire.is_closing():  # else uvloop makes a transport that never tells that it is lost
                secure = await asyncio.get_running_loop().start_tls(
                    self._wire, app, self._context, server_side=True, ssl_handshake_timeout=HANDSHAKE_PATIENCE
                )
        except (ConnectionResetError, BrokenPipeError):
            pass  # it is gone: a load balancer that looks whether anybody is there does that
        except OSError as error:  # TLS' own kind, or ConnectionAbortedError: the loop has waited long enough
            self._failures.log("Refused %s: no TLS handshake: %s", endpoint(self._peer), error)
        finally:
            if secure is None:
                self._admission.leave(address)
        if secure is None:
            self._wire.abort()
            return
        self._admission.hand_on(address)
        protocol = self._inside()  # counts the connection again, in the same moment
        secure.set_protocol(protocol)
        protocol.connection_made(secure)
        if self._head:
            protocol.data_received(self._head)
        # Whom there was no room for, or who has gone already, has nothing more to say. uvloop keeps what came
        # with the end of the handshake until now, asyncio does not.
        if app.received and not secure.is_closing():
            protocol.data_received(app.received)


class _IntroducedHandshake(_Handshake):
    """A handshake that a proxy begins by telling for whom it speaks. Others begin with TLS."""

    _deadline: asyncio.TimerHandle | None = None
    """While the header has not come whole."""

    def _meet(self) -> None:
        if host(self._peer) not in self._proxies:
            super()._meet()
            return
        patience = proxy_protocol.HEADER_PATIENCE
        self._deadline = asyncio.get_running_loop().call_later(patience, self._wire.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is None:
            return
        match proxy_protocol.parse(self.received):
            case proxy_protocol.Header(address=address, size=size):
                self._no_deadline()
                self._head, self.received = self.received[:size], self.received[size:]
                self._begin(address or host(self._peer))
            case proxy_protocol.Bad(why=why):
                self._failures.log("Refused %s: %s", endpoint(self._peer), why)
                self._wire.abort()

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._no_deadline()
