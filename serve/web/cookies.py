"""The cookies: random tokens out of reach of scripts, for a session, and for a login on its way."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from serve.state.pending import MINUTES
from serve.web.place import place_of

HEADER = "cookie"
_SESSION, _LOGIN = "leadrank", "leadrank-login"


def session_of(request: HTTPConnection) -> str:
    """The token that a request came with; empty if none."""
    return request.cookies.get(_name(_SESSION, request), "")


def keep(response: Response, request: HTTPConnection, token: str, *, minutes: int) -> None:
    """Have the browser keep the token of a session."""
    _set(response, request, _SESSION, token, seconds=60 * minutes)


def forget(response: Response, request: HTTPConnection) -> None:
    """Have the browser forget its session."""
    _set(response, request, _SESSION, "", seconds=0)


def login_of(request: HTTPConnection) -> str:
    """What proves that a login through a provider was begun in this browser; empty if it was not."""
    return request.cookies.get(_name(_LOGIN, request), "")


def keep_login(response: Response, request: HTTPConnection, proof: str) -> None:
    """Have the browser keep that proof while the login is on its way."""
    _set(response, request, _LOGIN, proof, seconds=60 * MINUTES)


def forget_login(response: Response, request: HTTPConnection) -> None:
    """Have the browser forget it."""
    _set(response, request, _LOGIN, "", seconds=0)


def _set(response: Response, request: HTTPConnection, name: str, token: str, *, seconds: int) -> None:
    response.set_cookie(
        _name(name, request),
        token,
        max_age=seconds,
        path="/",
        secure=place_of(request).settings.is_secure,
        httponly=True,
        samesite="lax",  # a link in a message may lead to a lead; what changes something is `crossing`'s
    )


def _name(name: str, request: HTTPConnection) -> str:
    # A browser takes __Host- from this very host over TLS only.
    return f"__Host-{name}" if place_of(request).settings.is_secure else name
