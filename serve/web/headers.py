"""Headers of every answer: nothing from elsewhere runs, frames or keeps a page.

References: OWASP ASVS 5.0, 3.4 and 14.3.2.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline: a script or a style in the name of a lead is inert."""
ALWAYS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
NO_STORE = "private, no-store"
KEPT = "public, max-age=31536000, immutable"
"""Of static files, which hold no data and change their address when they change."""
TLS_ONLY = "max-age=31536000; includeSubDomains"
_STATIC = "/static/"


class Headers:
    """Sets them on every answer, errors among them.

    Parameters
    ----------
    is_secure
        Whether browsers come over TLS.
    """

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self.app = app
        self.is_secure = is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set(message, scope)
            await send(message)

        await self.app(scope, receive, sent)

    def _set(self, message: Message, scope: Scope) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in ALWAYS.items():
            headers[name] = value
        is_kept = (
            scope["path"].startswith(_STATIC) and message["status"] == HTTPStatus.OK and scope["query_string"]
        )
        headers["Cache-Control"] = KEPT if is_kept else NO_STORE
        headers.add_vary_header("Cookie, Authorization")
        if self.is_secure:
            headers["Strict-Transport-Security"] = TLS_ONLY
