"""The model: how good it is, what it looks at, and what it refuses."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serve.web import reports
from serve.web.rules import Anyone

router = APIRouter()


@router.get("/model")
def model(request: Request, viewer: Anyone) -> Response:
    """The report on the model."""
    return reports.shown(request, viewer, "model")
