"""Which territory lies in which."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from serve.web.place import place_of
from serve.web.rendering import page
from serve.web.rules import Admin

router = APIRouter()
Name = Annotated[str, Form(min_length=1, max_length=200)]


@router.get("/admin/territories")
def tree(request: Request, viewer: Admin) -> Response:
    """The tree."""
    parents = place_of(request).store.tree.parents()
    return page(request, viewer, "admin_territories.html", part="territories", tree=parents)


@router.post("/admin/territories")
def put(
    request: Request, viewer: Admin, name: Name, parent: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Put a territory below another."""
    place = place_of(request)
    place.store.tree.put(name.strip(), parent.strip() or None, at=place.clock(), by=viewer.user_id)
    return RedirectResponse("/admin/territories", 303)


@router.post("/admin/territories/remove")
def remove(request: Request, viewer: Admin, name: Name) -> Response:
    """Take a territory out of the tree."""
    place = place_of(request)
    place.store.tree.remove(name, at=place.clock(), by=viewer.user_id)
    return RedirectResponse("/admin/territories", 303)
