"""TLS for both doors, from one certificate that can be replaced while the server runs."""

import logging
import ssl
from typing import Final

logger = logging.getLogger("parlour.tls")

NO_PASSWORD: Final = ""
"""For a key that wants one: without this OpenSSL would ask on the terminal and wait."""


class CannotUse(Exception):
    """A certificate or key that cannot be used, as one line."""


class Certificate:
    """`context` stays the same one: connections that exist go on, new ones get what was loaded last."""

    def __init__(self, chain: str, key: str) -> None:
        """Raises CannotUse."""
        self._chain = chain
        self._key = key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(*self._tried(), NO_PASSWORD)

    def _tried(self) -> tuple[str, str]:
        """The files, if they can be used: a context that half took a bad pair would serve nobody."""
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self._chain, self._key, NO_PASSWORD
            )
        except (OSError, ssl.SSLError) as error:
            raise CannotUse(f"cannot use {self._chain} with {self._key}: {error.strerror or error}") from None
        return self._chain, self._key

    def reload(self) -> None:
        """Take the files as they are now; keep the old certificate when they cannot be used."""
        try:
            self.context.load_cert_chain(*self._tried(), NO_PASSWORD)
        except CannotUse as problem:
            logger.error("The old certificate stays in use: %s", problem)
        else:
            logger.info("Certificate loaded anew")
