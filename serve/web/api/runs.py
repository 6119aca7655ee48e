"""The ranking in force."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from serve.web.api import REFUSALS
from serve.web.rendering import run_of
from serve.web.rules import Anyone

router = APIRouter(prefix="/api/v1", tags=["runs"], responses=REFUSALS)


@router.get("/runs/current")
def current(request: Request, viewer: Anyone) -> dict[str, Any]:  # noqa: ARG001  # who may is the point
    """Name, moment and age of the ranking in force, and what it was ranked by."""
    found = run_of(request)
    if found is None:
        raise HTTPException(503)
    return dict(found)
