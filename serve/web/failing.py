"""An error of ours: a request id for the reader, type and place for the log, and no value for anybody."""

from __future__ import annotations

import traceback
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.web.access_log import logger
from serve.web.place import place_of
from serve.web.rendering import alone
from serve.web.rules import API


class Failing:
    """Answers 500 for whatever a route did not expect."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception as error:  # noqa: BLE001  # the one place that may: whatever is left is our bug
            request_id = scope.get("state", {}).get("request_id")
            logger().error(
                "failure", request_id=request_id, error=type(error).__name__, places=_places(error)
            )
            if not has_begun:
                await _told(scope, request_id)(scope, receive, send)


def _told(scope: Scope, request_id: str | None) -> Response:
    if scope["path"].startswith(API):
        return JSONResponse({"error": "internal error", "request_id": request_id}, 500)
    language = place_of(Request(scope)).settings.language
    return HTMLResponse(alone("error.html", language, status=500, request_id=request_id), 500)


def _places(error: Exception) -> list[str]:
    """The last places that it went through; its message could hold a lead's data."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames][-6:]
