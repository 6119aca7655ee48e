"""Saved views: a list that somebody wants to open again, under a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from serve.web.asking import address
from serve.web.place import place_of
from serve.web.rules import Anyone

router = APIRouter()


@router.post("/views")
def save(
    request: Request,
    viewer: Anyone,
    name: Annotated[str, Form(min_length=1, max_length=60)],
    query: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keep the list that is shown, and show it."""
    at, place = address(QueryParams(query)), place_of(request)
    place.store.views.save(viewer.user_id, name, at.query, place.clock())
    return RedirectResponse(at.link(), 303)


@router.post("/views/{view_id}/delete")
def delete(request: Request, viewer: Anyone, view_id: str) -> Response:
    """Forget one of the viewer's own."""
    if not place_of(request).store.views.remove(viewer.user_id, view_id):
        raise HTTPException(404)
    return RedirectResponse("/", 303)
