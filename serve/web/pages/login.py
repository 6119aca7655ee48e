"""Log in with a password, and log out."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from serve.state.audit import NOBODY
from serve.web import cookies
from serve.web.limiting import LOGINS_OF_ADDRESS, LOGINS_OF_NAME, Counter, address
from serve.web.local_paths import local
from serve.web.place import place_of
from serve.web.rendering import page

router = APIRouter()
HASHED_AT_ONCE = 2
"""Argon2 takes 64 MiB and a twentieth of a second each; who waits holds no thread."""


@router.get("/login")
def form(request: Request, next: str = "/") -> Response:  # noqa: A002  # the name in the address
    """The form."""
    return _form(request, next)


@router.post("/login")
async def login(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002  # the name of the field
) -> Response:
    """A session for the right password; the same answer, after the same work, whatever is wrong."""
    place, counter = place_of(request), _counter(request)
    where = address(request)
    if not counter.allows(LOGINS_OF_ADDRESS, "login", where) or not counter.allows(
        LOGINS_OF_NAME, "name", where, name.casefold()
    ):
        return _form(request, next, status=429)
    user = await to_thread.run_sync(place.store.users.checked, name, password, limiter=_limiter(request))
    if user is None:
        await to_thread.run_sync(place.store.audit.add, place.clock(), NOBODY, "login refused")
        return _form(request, next, status=401)
    start = partial(place.store.sessions.start, minutes=place.settings.absolute_minutes)
    token = await to_thread.run_sync(
        partial(start, old=cookies.session_of(request)), user.user_id, place.clock()
    )
    answer = RedirectResponse(local(next), 303)
    cookies.keep(answer, request, token, minutes=place.settings.absolute_minutes)
    return answer


@router.post("/logout")
def logout(request: Request) -> Response:
    """The end of the session that the browser came with, if any."""
    place = place_of(request)
    place.store.sessions.end(cookies.session_of(request), place.clock())
    answer = RedirectResponse("/login", 303)
    cookies.forget(answer, request)
    return answer


def _form(request: Request, next: str, *, status: int = 200) -> Response:  # noqa: A002  # as above
    settings = place_of(request).settings
    values: dict[str, Any] = {
        "next": local(next),
        "failed": status == HTTPStatus.UNAUTHORIZED,
        "has_oidc": settings.oidc is not None,
    }
    values["is_slowed"] = status == HTTPStatus.TOO_MANY_REQUESTS
    return page(request, None, "login.html", here="login", status=status, **values)


def _counter(request: Request) -> Counter:
    counter: Counter = request.app.state.logins
    return counter


def _limiter(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.hashing
    return limiter
