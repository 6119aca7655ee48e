"""The team: what is on each desk, and what came of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serve.web import reports
from serve.web.rules import LEADING, Viewer, may

router = APIRouter()


@router.get("/team")
def team(request: Request, viewer: Annotated[Viewer, may(*LEADING)]) -> Response:
    """The report on the team."""
    return reports.shown(request, viewer, "team")
