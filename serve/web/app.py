"""The application: its guards from outside in, its pages and its API."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from serve.web import api, pages, refusals
from serve.web.guard import guarded
from serve.web.limiting import Counter
from serve.web.pages.login import HASHED_AT_ONCE
from serve.web.place import Place


def create_app(place: Place) -> FastAPI:
    """The page and the API.

    Parameters
    ----------
    place
        Rankings, state, settings and clock that it works with.
    """
    app = FastAPI(title="leadrank", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.place = place
    app.state.logins = Counter()
    app.state.hashing = CapacityLimiter(HASHED_AT_ONCE)
    app.router.redirect_slashes = False  # one address a route
    for router in _routers():
        app.router.routes.extend(router.routes)
    app.mount("/static", StaticFiles(directory=str(files("serve.web") / "static")), name="static")
    refusals.declare(app)
    guarded(app, place)
    return app


def _routers() -> Iterator[APIRouter]:
    for package in (pages, api):
        for name in package.NAMES:
            full = f"{package.__name__}.{name}"
            if find_spec(full) is not None:
                yield import_module(full).router
