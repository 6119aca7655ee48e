"""What every answer carries and every request must pass, from the outside in.

Headers, request id and log line of every answer → names that we are called by → size → cross-site requests →
how often → errors without values → the routes. All of them see errors, static files and unknown paths, too.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from serve.web.access_log import AccessLog
from serve.web.crossing import SameOrigin
from serve.web.failing import Failing
from serve.web.headers import Headers
from serve.web.limiting import Limits
from serve.web.measuring import Figures
from serve.web.place import Place
from serve.web.sizes import Sizes


def guarded(app: FastAPI, place: Place) -> None:
    """Put the guards before the routes of an application."""
    app.add_middleware(Failing)  # the innermost: the one that is added last sees a request first
    app.add_middleware(Limits)
    app.add_middleware(SameOrigin, place=place)
    app.add_middleware(Sizes)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(place.settings.hosts), www_redirect=False)
    app.add_middleware(Headers, is_secure=place.settings.is_secure)
    app.state.figures = Figures()
    app.add_middleware(AccessLog, figures=app.state.figures, place=place)
