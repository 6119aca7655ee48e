"""Sources: what they cost and bring, cohorts, and who gets the credit for the wins."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serve.web import reports
from serve.web.rules import LEADING, Viewer, may

router = APIRouter()


@router.get("/sources")
def sources(
    request: Request,
    viewer: Annotated[Viewer, may(*LEADING)],
    rule: Literal["first", "last", "linear", "fading", "data_driven"] = "data_driven",
) -> Response:
    """The report on sources."""
    return reports.shown(request, viewer, "sources", rule=rule)
