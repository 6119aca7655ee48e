"""One JSON line on stderr for every request: the route and never the address, so that no value is in it."""

from __future__ import annotations

import secrets
import sys
import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.web.measuring import Figures
from serve.web.place import Place

UNKNOWN = "-"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class AccessLog:
    """Names each request, writes its line, and tells the name in ``X-Request-ID``."""

    def __init__(self, app: ASGIApp, *, figures: Figures, place: Place) -> None:
        self.app = app
        self.clock = place.clock
        self.figures = figures
        self.log = logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, told = time.perf_counter(), {"status": 0, "bytes": 0}
        request_id = scope.setdefault("state", {})["request_id"] = secrets.token_hex(8)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            elif message["type"] == "http.response.body":
                told["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            seconds, named = time.perf_counter() - start, _named(scope)
            self.figures.add(named["method"], named["route"], told["status"], seconds)
            self.log.info(
                "request", at=self.clock().isoformat(), **named, **told, milliseconds=round(1000 * seconds, 1)
            )


def logger() -> Any:
    """What writes one JSON line on stderr."""
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.JSONRenderer(),
    ]
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=processors)


def _named(scope: Scope) -> dict[str, Any]:
    route, state = scope.get("route"), scope.get("state", {})
    return {
        "request_id": state.get("request_id"),
        "method": scope["method"] if scope["method"] in METHODS else UNKNOWN,
        "route": getattr(route, "path", UNKNOWN),
        "role": state.get("role", UNKNOWN),
    }
