"""How large a request may be: 413 for a body, 414 for an address, 431 for headers."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 64 * 1024
SCORE_BYTES = 32 * 1024 * 1024
"""Of ``POST /api/v1/score``: 1,000 leads with their touches."""
ADDRESS_BYTES = 8 * 1024
HEADER_BYTES = 32 * 1024
_LARGE = {"/api/v1/score": SCORE_BYTES}


class Sizes:
    """Refuses what is larger, without reading it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = _refusal(scope)
        if status:
            await PlainTextResponse("", status)(scope, receive, send)
            return
        await self.app(scope, _bounded(receive, most_of(scope)), send)


def most_of(scope: Scope) -> int:
    """Bytes that the body of a request may have."""
    return _LARGE.get(scope["path"], BODY_BYTES)


def _refusal(scope: Scope) -> int:
    path = scope["path"]
    if not path.startswith("/") or path.startswith("//") or "\x00" in path:
        return 404
    if len(scope.get("raw_path") or path) + len(scope["query_string"]) > ADDRESS_BYTES:
        return 414
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        return 431
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit():
        return 400
    return 413 if int(declared[:20]) > most_of(scope) else 0


def _bounded(receive: Receive, most: int) -> Receive:
    """The same body, which ends the request when it is longer than a header said."""
    seen = 0

    async def received() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413)
        return message

    return received
