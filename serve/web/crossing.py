"""What changes something has to come from a page of ours: browsers say where a request comes from.

A request with a bearer token is not made by a browser on its own, and passes. Reference: ASVS 5.0, 3.5.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.web.cookies import HEADER
from serve.web.place import Place

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """Refuses with 403 what another site makes a browser send."""

    def __init__(self, app: ASGIApp, *, place: Place) -> None:
        self.app = app
        self.public = place.settings.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http" or scope["method"] in SAFE or self._is_ours(Headers(scope=scope), scope):
            await self.app(scope, receive, send)
            return
        await PlainTextResponse("", 403)(scope, receive, send)

    def _is_ours(self, headers: Headers, scope: Scope) -> bool:
        if "authorization" in headers and HEADER not in headers:
            return True
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is None:
            return site is not None  # a browser sends one of the two; nothing else needs a cookie
        return _host(origin) in self._hosts(headers, scope)

    def _hosts(self, headers: Headers, scope: Scope) -> set[tuple[str, str]]:
        here = (scope["scheme"], headers.get("host", "").lower())
        return {here} if self.public is None else {here, _host(self.public)}


def _host(origin: str) -> tuple[str, str]:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()
