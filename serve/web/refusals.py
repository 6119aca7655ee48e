"""How a request is refused: a page for people, JSON for programs, and nothing of what was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from features.errors import ParameterError, UpstreamError
from serve.web.rendering import page
from serve.web.rules import API, viewer_of

WORDS = {
    400: "bad request", 401: "log in first", 403: "not allowed", 404: "not found", 405: "method not allowed",
    409: "changed meanwhile", 412: "changed meanwhile", 413: "too large", 415: "wrong content type",
    422: "not understood", 429: "too many requests", 503: "no ranking yet",
}  # fmt: skip


def declare(app: FastAPI) -> None:
    """Have an application refuse in these ways."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    app.add_exception_handler(ParameterError, _unusable)
    app.add_exception_handler(UpstreamError, _silent)


def refusal(request: Request, status: int, **more: Any) -> Response:
    """An answer with this status, as a page or as JSON."""
    told = {"status": status, "request_id": request.state.request_id}
    if request.url.path.startswith(API):
        return JSONResponse({"error": WORDS.get(status, "refused"), **told, **more}, status)
    return page(request, viewer_of(request), "error.html", here="error", **told, **more)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # the handler of this very class
    if error.status_code == HTTPStatus.SEE_OTHER:
        return Response(status_code=303, headers=error.headers)
    answer = refusal(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _misunderstood(request: Request, error: Exception) -> Response:
    """422 with the places that were not understood: what stood there stays untold."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # the handler of this very class
    if not request.url.path.startswith(API):
        return refusal(request, 422)
    places = [{"place": _place(told["loc"]), "kind": told["type"]} for told in error.errors()]
    return refusal(request, 422, details=places[:20])


async def _unusable(request: Request, error: Exception) -> Response:
    """422 with our own words, which hold no value."""
    assert isinstance(error, ParameterError)  # noqa: S101  # the handler of this very class
    return refusal(request, 422, reason=error.reason)


async def _silent(request: Request, error: Exception) -> Response:
    """502 with our own words: something that we ask ourselves does not answer."""
    assert isinstance(error, UpstreamError)  # noqa: S101  # the handler of this very class
    return refusal(request, 502, reason=error.reason)


def _place(loc: Any) -> list[str | int]:
    """Where it stood; a name that the sender chose is not repeated."""
    known = [part if isinstance(part, int) or part in _KNOWN else "?" for part in loc]
    return known[:6]


_KNOWN = frozenset(
    [
        "body",
        "query",
        "path",
        "header",
        "leads",
        "lead",
        "lead_id",
        "touches",
        "action",
        "reason",
        "run",
        "run_id",
        "version",
        "key",
        "size",
        "limit",
        "offset",
        "sort",
        "search",
        "filters",
        "as_of",
        "kind",
        "occurred_at",
        "recorded_at",
        "created_at",
        "after",
        "direction",
        "label",
        "days",
        "territories",
        "name",
        "role",
    ]
)
