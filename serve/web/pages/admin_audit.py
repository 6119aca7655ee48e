"""Who did what, the latest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serve.web.place import place_of
from serve.web.rendering import page
from serve.web.rules import Admin

router = APIRouter()
SIZE = 100


@router.get("/admin/audit")
def audit(
    request: Request, viewer: Admin, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """A hundred lines of the log."""
    store = place_of(request).store
    entries = store.audit.latest(before=before, size=SIZE)
    names = {user.user_id: user.name for user in store.users.every()}
    return page(request, viewer, "admin_audit.html", part="audit", size=SIZE, entries=entries, names=names)
