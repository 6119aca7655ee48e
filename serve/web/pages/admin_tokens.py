"""API tokens of all users, to be revoked."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from serve.web.place import place_of
from serve.web.rendering import page
from serve.web.rules import Admin

router = APIRouter()


@router.get("/admin/tokens")
def tokens(request: Request, viewer: Admin) -> Response:
    """All of them, without what they open."""
    found = place_of(request).store.tokens.every()
    return page(request, viewer, "admin_tokens.html", part="tokens", tokens=found)


@router.post("/admin/tokens/{token_id}/revoke")
def revoke(request: Request, viewer: Admin, token_id: str) -> Response:
    """End one of them."""
    place = place_of(request)
    if not place.store.tokens.revoke(token_id, place.clock(), by=viewer.user_id):
        raise HTTPException(404)
    return RedirectResponse("/admin/tokens", 303)
