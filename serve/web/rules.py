"""Who may call a route: every route says so with `may`, or its path is in `PUBLIC`; a test walks them all.

A request is somebody's by its session cookie (pages and API) or its bearer token (API only). What somebody
may see is their `Scope`, looked up in the state at every request, so that a change is in force at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from serve.state.sessions import Session
from serve.state.tokens import Token
from serve.state.users import Role, User
from serve.views.scope import EVERYTHING, NOTHING, Scope
from serve.web.cookies import session_of
from serve.web.place import Place, place_of

__all__ = ["Admin", "Anyone", "Role", "Rule", "Viewer", "may"]

PUBLIC = frozenset({
    "/login", "/logout", "/login/oidc", "/login/oidc/back", "/static",
    "/api/v1/health", "/api/v1/ready",
})  # fmt: skip
"""Paths that anybody may ask for."""
API = "/api/"
OPEN = "open"
"""Who everybody is where nobody logs in: reads, and changes nothing."""
EVERYBODY = (Role.REP, Role.MANAGER, Role.ANALYST, Role.ADMIN)
SELLING = (Role.REP, Role.MANAGER, Role.ADMIN)
"""Who may say what became of a lead."""
LEADING = (Role.MANAGER, Role.ANALYST, Role.ADMIN)
READING = (Role.ANALYST, Role.ADMIN)
AREAS: Mapping[str, Sequence[Role]] = {
    "today": EVERYBODY,
    "team": LEADING,
    "sources": LEADING,
    "funnel": LEADING,
    "model": EVERYBODY,
    "admin": (Role.ADMIN,),
}
"""Who may open which area; the order is that of the menu."""


@dataclass(frozen=True)
class Viewer:
    """Who asks.

    Attributes
    ----------
    user_id, name, role
        Of the user.
    scope
        Leads that they may see.
    language, theme
        What they chose: ``en``, ``zh`` or ``ru``; ``light``, ``dark`` or ``auto``.
    session_id, token_id
        What they came with: one of them, or neither where everybody is let in.
    """

    user_id: str
    name: str
    role: Role
    scope: Scope
    language: str
    theme: str
    session_id: str | None = None
    token_id: str | None = None


@dataclass(frozen=True)
class Rule:
    """Lets users of some roles through: the viewer, or a refusal.

    Attributes
    ----------
    roles
        Who may.
    """

    roles: Sequence[Role]

    def __call__(self, request: Request) -> Viewer:
        """The viewer, if they may."""
        viewer = viewer_of(request)
        if viewer is None:
            raise _nobody(request)
        is_reader = viewer.user_id == OPEN and request.method not in {"GET", "HEAD"}
        if viewer.role not in self.roles or is_reader:
            raise HTTPException(403)
        request.state.role = viewer.role.value
        return viewer


def may(*roles: Role) -> Any:
    """Marks a parameter ``viewer`` of a route: users of these roles may call it, nobody else.

    Parameters
    ----------
    *roles
        Who may; nothing: everybody who has logged in.
    """
    return Depends(Rule(roles or EVERYBODY))


Anyone = Annotated[Viewer, may()]
"""Everybody who has logged in."""
Admin = Annotated[Viewer, may(Role.ADMIN)]


def viewer_of(request: Request) -> Viewer | None:
    """Who asks; None if nobody we know."""
    place = place_of(request)
    if request.url.path.startswith(API) and "authorization" in request.headers:
        return _by_token(request.headers["authorization"], place)
    found = place.store.sessions.find(session_of(request), place.clock(), place.settings.idle_minutes)
    if found is not None:
        return _by_session(found, place)
    return _open(place) if place.settings.is_open else None


def _by_session(session: Session, place: Place) -> Viewer:
    user = session.user
    return _viewer(user, scope_of(user, place), place, session_id=session.session_id)


def _by_token(header: str, place: Place) -> Viewer | None:
    kind, _, secret = header.partition(" ")
    token: Token | None = None
    if kind.casefold() == "bearer":
        token = place.store.tokens.find(secret, place.clock())
    if token is None:
        return None
    scope = narrowed(scope_of(token.user, place), _chosen(token, place))
    return _viewer(token.user, scope, place, token_id=token.token_id)


def _chosen(token: Token, place: Place) -> frozenset[str] | None:
    return None if token.territories is None else place.store.tree.below(token.territories)


def _viewer(
    user: User, scope: Scope, place: Place, *, session_id: str | None = None, token_id: str | None = None
) -> Viewer:
    language = user.language or place.settings.language
    return Viewer(user.user_id, user.name, user.role, scope, language, user.theme, session_id, token_id)


def _open(place: Place) -> Viewer:
    return Viewer(OPEN, "open", Role.ANALYST, EVERYTHING, place.settings.language, "auto")


def scope_of(user: User, place: Place) -> Scope:
    """Leads that a user may see: a rep those of their territories, a manager of all below theirs, too."""
    if user.role in {Role.ANALYST, Role.ADMIN}:
        return EVERYTHING
    if not user.territories:
        return NOTHING
    if user.role is Role.MANAGER:
        return Scope(place.store.tree.below(user.territories))
    return Scope(user.territories, user.owner)


def narrowed(scope: Scope, territories: frozenset[str] | None) -> Scope:
    """A scope without leads outside of some territories: never wider than it was.

    >>> narrowed(Scope(frozenset({"North", "South"})), frozenset({"South", "West"})).territories
    frozenset({'South'})
    """
    if territories is None:
        return scope
    inside = territories if scope.territories is None else scope.territories & territories
    return Scope(inside, scope.owner)


def _nobody(request: Request) -> HTTPException:
    if request.url.path.startswith(API) or request.method not in {"GET", "HEAD"}:
        return HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return HTTPException(303, headers={"Location": f"/login?next={quote(asked, safe='')}"})
