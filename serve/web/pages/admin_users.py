"""Who may log in, as what, for which territories."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from models.labels import marked
from serve.web.place import place_of
from serve.web.refusals import refusal
from serve.web.rendering import page
from serve.web.role_names import ROLES
from serve.web.rules import Admin, Role

router = APIRouter()
YOURSELF = marked("This is you: somebody else changes your role.")
Text = Annotated[str, Form(max_length=2000)]


@router.get("/admin")
def users(request: Request, viewer: Admin) -> Response:
    """All users."""
    found = place_of(request).store.users.every()
    return page(request, viewer, "admin_users.html", part="users", users=found, roles=ROLES)


@router.post("/admin/users")
def add(
    request: Request,
    viewer: Admin,
    name: Annotated[str, Form(min_length=1, max_length=200)],
    role: Annotated[Role, Form()],
    territories: Text = "",
    owner: Text = "",
    password: Text = "",
) -> Response:
    """A new user."""
    place = place_of(request)
    place.store.users.add(
        name,
        role,
        password=password or None,
        territories=listed(territories),
        owner=owner.strip() or None,
        at=place.clock(),
        by=viewer.user_id,
    )
    return RedirectResponse("/admin", 303)


@router.get("/admin/users/{user_id}")
def user(request: Request, viewer: Admin, user_id: str) -> Response:
    """One user."""
    found = place_of(request).store.users.get(user_id)
    if found is None:
        raise HTTPException(404)
    return page(request, viewer, "admin_user.html", part="users", user=found, roles=ROLES)


@router.post("/admin/users/{user_id}")
def change(
    request: Request,
    viewer: Admin,
    user_id: str,
    role: Annotated[Role, Form()],
    is_active: Annotated[str, Form(max_length=3)] = "",
    territories: Text = "",
    owner: Text = "",
    password: Text = "",
) -> Response:
    """Another role, other territories, another password, or no login any more: in force at once."""
    place = place_of(request)
    found = place.store.users.get(user_id)
    if found is None:
        raise HTTPException(404)
    to = {"role": role, "is_active": is_active == "yes", "territories": listed(territories)}
    if user_id == viewer.user_id and (role is not Role.ADMIN or not to["is_active"]):
        return refusal(request, 409, reason=YOURSELF)  # the last admin would lock everybody out
    changed = {name: value for name, value in to.items() if getattr(found, name) != value}
    if (owner.strip() or None) != found.owner:
        changed["owner"] = owner.strip() or None
    if password:
        changed["password"] = password
    if changed:
        place.store.users.change(user_id, at=place.clock(), by=viewer.user_id, **changed)
    return RedirectResponse("/admin", 303)


def listed(text: str) -> frozenset[str]:
    """Names with commas between them.

    >>> sorted(listed("North, South,,"))
    ['North', 'South']
    """
    return frozenset(name.strip() for name in text.split(",") if name.strip())
