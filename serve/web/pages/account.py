"""A user's own settings: language, theme, password and API tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from models.labels import marked
from serve.web import cookies
from serve.web.local_paths import local
from serve.web.place import place_of
from serve.web.refusals import refusal
from serve.web.rendering import page
from serve.web.role_names import ROLES
from serve.web.rules import Anyone, Viewer

router = APIRouter()
WRONG = marked("The password now is another one; nothing was changed.")
Path = Annotated[str, Form(max_length=2000)]
DAYS = 365
"""The longest that a token holds."""


@router.get("/account")
def account(request: Request, viewer: Anyone) -> Response:
    """What I chose, and my tokens."""
    return _account(request, viewer)


@router.post("/look")
def look(
    request: Request,
    viewer: Anyone,
    next: Path = "/",  # noqa: A002  # the name of the field
    theme: Annotated[Literal["auto", "light", "dark"] | None, Form()] = None,
    language: Annotated[Literal["en", "zh", "ru"] | None, Form()] = None,
) -> Response:
    """Choose a theme or a language."""
    users = place_of(request).store.users
    known = users.get(viewer.user_id)
    if known is not None:
        users.prefer(viewer.user_id, language=language or known.language, theme=theme or known.theme)
    return RedirectResponse(local(next), 303)


@router.post("/account/password")
def password(
    request: Request,
    viewer: Anyone,
    old: Annotated[str, Form(max_length=1000)],
    new: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Another password; every session ends, and a new one begins here."""
    place = place_of(request)
    users, at = place.store.users, place.clock()
    if users.checked(viewer.name, old) is None:
        return refusal(request, 403, reason=WRONG)
    users.change(viewer.user_id, password=new, at=at, by=viewer.user_id)
    minutes = place.settings.absolute_minutes
    token = place.store.sessions.start(viewer.user_id, at, minutes=minutes)
    answer = RedirectResponse("/account", 303)
    cookies.keep(answer, request, token, minutes=minutes)
    return answer


@router.post("/account/tokens")
def issue(
    request: Request,
    viewer: Anyone,
    label: Annotated[str, Form(min_length=1, max_length=80)],
    days: Annotated[int, Form(ge=1, le=DAYS)] = 90,
    territories: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """A new token, shown this once."""
    place = place_of(request)
    chosen = {name.strip() for name in territories.split(",") if name.strip()} or None
    _, secret = place.store.tokens.issue(
        viewer.user_id, label, place.clock(), by=viewer.user_id, territories=chosen, days=days
    )
    return _account(request, viewer, secret=secret)


@router.post("/account/tokens/{token_id}/revoke")
def revoke(request: Request, viewer: Anyone, token_id: str) -> Response:
    """End one of my tokens."""
    place = place_of(request)
    if not place.store.tokens.revoke(token_id, place.clock(), by=viewer.user_id, of=viewer.user_id):
        raise HTTPException(404)
    return RedirectResponse("/account", 303)


def _account(request: Request, viewer: Viewer, *, secret: str | None = None) -> Response:
    tokens = place_of(request).store.tokens.every(viewer.user_id)
    values: dict[str, Any] = {"tokens": tokens, "secret": secret, "territories": viewer.scope.territories}
    values["roles"] = ROLES
    return page(request, viewer, "account.html", here="account", **values)
