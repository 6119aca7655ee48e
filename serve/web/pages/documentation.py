"""What the API can do, for people and for programs; both want a login."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from serve.web.rendering import page
from serve.web.rules import API, Anyone

router = APIRouter()
OPEN = ("/api/v1/health", "/api/v1/ready")


@router.get("/openapi.json")
def openapi(request: Request, viewer: Anyone) -> Response:  # noqa: ARG001  # who may is the point
    """The description of the API (OpenAPI 3.1)."""
    return JSONResponse(described(request.app))


@router.get("/docs")
def docs(request: Request, viewer: Anyone) -> Response:
    """The same for people."""
    paths = described(request.app)["paths"]
    calls = [(method.upper(), path, told) for path, ways in paths.items() for method, told in ways.items()]
    return page(request, viewer, "docs.html", here="docs", calls=calls)


def described(app: FastAPI) -> dict[str, Any]:
    """The description of an application's API."""
    routes = [route for route in app.routes if getattr(route, "path", "").startswith(API)]
    told = get_openapi(title=app.title, version=app.version, routes=routes)
    told.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, ways in told["paths"].items():
        for way in ways.values():
            way["security"] = [] if path in OPEN else [{"token": []}]
    return told
