"""Log in with the company account: to the provider, and back."""

from __future__ import annotations

import secrets
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from serve.state.audit import NOBODY
from serve.state.sessions import digest
from serve.web import cookies
from serve.web.limiting import LOGINS_OF_ADDRESS, Counter, address
from serve.web.local_paths import local
from serve.web.oidc import Provider
from serve.web.place import place_of
from serve.web.settings import Oidc

router = APIRouter()
BACK = "/login/oidc/back"


@router.get("/login/oidc")
async def begin(request: Request, next: str = "/") -> Response:  # noqa: A002  # the name in the address
    """To the provider, with what only this browser and we know."""
    place, provider = place_of(request), _provider(request)
    counter: Counter = request.app.state.logins
    if not counter.allows(LOGINS_OF_ADDRESS, "login", address(request)):
        raise HTTPException(429)
    where, state, login = await provider.begin(local(next))
    await to_thread.run_sync(place.store.pending.begin, state, login, place.clock())
    answer = RedirectResponse(where, 303)
    cookies.keep_login(answer, request, digest(state))
    return answer


@router.get(BACK)
async def back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """A session for a user whom the provider names and who was added here."""
    place, provider = place_of(request), _provider(request)
    is_theirs = secrets.compare_digest(cookies.login_of(request), digest(state))
    login = await to_thread.run_sync(place.store.pending.take, state, place.clock())
    if login is None or not is_theirs or not code:
        return await _refused(request)
    name = await provider.name(code, login, int(place.clock().timestamp()))
    user = None if name is None else await to_thread.run_sync(place.store.users.named, name)
    if user is None or not user.is_active:
        return await _refused(request)
    minutes = place.settings.absolute_minutes
    token = await to_thread.run_sync(
        lambda: place.store.sessions.start(
            user.user_id, place.clock(), minutes=minutes, old=cookies.session_of(request)
        )
    )
    answer = RedirectResponse(local(login.next), 303)
    cookies.keep(answer, request, token, minutes=minutes)
    cookies.forget_login(answer, request)
    return answer


async def _refused(request: Request) -> Response:
    place = place_of(request)
    await to_thread.run_sync(place.store.audit.add, place.clock(), NOBODY, "login refused")
    raise HTTPException(403)


def _provider(request: Request) -> Provider:
    place = place_of(request)
    oidc: Oidc | None = place.settings.oidc
    if oidc is None:
        raise HTTPException(404)
    return Provider(oidc, place.settings.address + BACK, place.extras.get("oidc_transport"))
