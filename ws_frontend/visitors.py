"""Who may open a WebSocket: from which pages, under which host names, behind which proxies."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from core.addresses import Trusted


class Visitors(Struct, frozen=True):
    """`allowed_origins` beside the page's own; `public_hosts`: if there are any, no other host is served."""

    allowed_origins: Sequence[str] = ()
    public_hosts: Sequence[str] = ()
    proxies: Trusted = Trusted()

    def knows_host(self, request: web.BaseRequest) -> bool:
        """Guards against DNS rebinding: another site's name that points here."""
        if not self.public_hosts:
            return True
        name = urlsplit(f"//{request.host}").hostname or ""
        return name in (host.lower() for host in self.public_hosts)

    def allows_origin(self, request: web.BaseRequest) -> bool:
        """A browser tells which page it acts for; other clients carry no cookies and tell nothing."""
        origin = request.headers.get("Origin")
        if origin is None or origin in self.allowed_origins:
            return True
        return urlsplit(origin).netloc.lower() == request.host.lower()

    def address(self, request: web.BaseRequest) -> str:
        """Where the visitor is, behind proxies that are trusted."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        return self.proxies.behind(request.remote or "", forwarded) if forwarded else request.remote or ""
