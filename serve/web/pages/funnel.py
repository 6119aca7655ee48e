"""The funnel: stage by stage, month by month, and the pool."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serve.web import reports
from serve.web.rules import LEADING, Viewer, may

router = APIRouter()


@router.get("/funnel")
def funnel(request: Request, viewer: Annotated[Viewer, may(*LEADING)]) -> Response:
    """The report on the funnel."""
    return reports.shown(request, viewer, "funnel")
