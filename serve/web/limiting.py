"""How often somebody may ask: logins are slowed down and never locked for good, others get their turn.

Counts are kept in this process, in moving windows (the library ``limits``).
"""

from __future__ import annotations

import hashlib

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.web.cookies import session_of

REQUESTS = RateLimitItemPerMinute(600)
"""Of one session, token or, without either, address."""
OF_ADDRESS = RateLimitItemPerMinute(12_000)
"""Of one address, whoever it says that it is: an office, or somebody who makes tokens up."""
EXPORTS = RateLimitItemPerMinute(10)
LOGINS_OF_ADDRESS = RateLimitItemPerMinute(30)
LOGINS_OF_NAME = RateLimitItemPerMinute(10)
"""Of one name from one address: nobody else's tries keep a user out."""
_UNCOUNTED = ("/static/", "/api/v1/health", "/api/v1/ready")


class Counter:
    """Counts what somebody does."""

    def __init__(self) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, most: RateLimitItemPerMinute, *who: str) -> bool:
        """Count one more; False if it is one too many."""
        return self._window.hit(most, *(hashlib.sha256(part.encode()).hexdigest()[:24] for part in who))


class Limits:
    """Refuses with 429 what comes too often."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.counter = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http" or scope["path"].startswith(_UNCOUNTED) or self._allows(Request(scope)):
            await self.app(scope, receive, send)
            return
        await PlainTextResponse("", 429, {"Retry-After": "60"})(scope, receive, send)

    def _allows(self, request: Request) -> bool:
        if not self.counter.allows(OF_ADDRESS, "address", address(request)):
            return False
        who = request.headers.get("authorization") or session_of(request) or address(request)
        if request.url.path.endswith((".csv", ".xlsx")) and not self.counter.allows(EXPORTS, "export", who):
            return False
        return self.counter.allows(REQUESTS, "request", who)


def address(request: Request) -> str:
    """Where a request comes from; uvicorn has read the headers of a proxy that is trusted."""
    return "" if request.client is None else request.client.host
