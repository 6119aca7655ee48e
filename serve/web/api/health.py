"""Whether the page lives, whether it can answer, and its figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from serve.web.api import REFUSALS
from serve.web.measuring import CONTENT_TYPE, told
from serve.web.place import place_of
from serve.web.rules import Admin

router = APIRouter(prefix="/api/v1", tags=["operation"], responses=REFUSALS)


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready")
def ready(request: Request) -> Response:
    """A ranking is in force and the state answers; 503 otherwise."""
    place = place_of(request)
    is_ready = place.following.index() is not None and place.store.is_there()
    return JSONResponse({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)


@router.get("/metrics")
def metrics(request: Request, viewer: Admin) -> Response:  # noqa: ARG001  # who may is the point
    """Counts and times of requests, and the age of the ranking: nothing by territory, user or lead."""
    return Response(told(request), media_type=CONTENT_TYPE)
