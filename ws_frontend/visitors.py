"""Who may open a WebSocket: from which pages, under which host names, behind which proxies."""

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from aiohttp import web
from msgspec import Struct

from core.addresses import Trusted


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # brackets that hold no address
        return urlsplit("")


class Visitors(Struct, frozen=True):
    """`allowed_origins` beside the page's own; `public_hosts`: if there are any, no other host is served."""

    allowed_origins: Sequence[str] = ()
    public_hosts: Sequence[str] = ()
    proxies: Trusted = Trusted()

    def knows_host(self, request: web.BaseRequest) -> bool:
        """Guards against DNS rebinding: another site's name that points here."""
        if not self.public_hosts:
            return True
        name = _split(f"//{request.host}").hostname or ""
        return name in (host.lower() for host in self.public_hosts)

    def allows_origin(self, request: web.BaseRequest) -> bool:
        """A browser tells which page it acts for; other clients carry no cookies and tell nothing."""
        return all(
            origin in self.allowed_origins or _split(origin).netloc.lower() == request.host.lower() != ""
            for origin in request.headers.getall("Origin", ())
        )

    def address(self, request: web.BaseRequest) -> str:
        """Where the visitor is, behind proxies that are trusted."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        return self.proxies.behind(request.remote or "", forwarded) if forwarded else request.remote or ""
