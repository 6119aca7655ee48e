"""What would help a lead: asked of the model when somebody wants to know, never with the page itself.

The template ``would_help.html`` is given ``lead`` (the row of the list), ``help`` (`models.improvement`, as
plain data, or None), ``is_ready`` (False: the model is being made ready) and ``back`` (address of the lead).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from serve.online.refusal import BusyError
from serve.runs import Run
from serve.views import lead_view
from serve.web.asking import Address, address
from serve.web.pages.today import index_of
from serve.web.place import Place, place_of
from serve.web.rendering import page
from serve.web.rules import Anyone

router = APIRouter()
Help = Callable[[Run, str], dict[str, Any] | None]
RETRY_SECONDS = "5"


@router.get("/would-help/{lead_id:path}")
def would_help(request: Request, viewer: Anyone, lead_id: str) -> Response:
    """What the model would welcome most; 404 if the lead is not among the viewer's, 503 while it is busy."""
    place, at = place_of(request), address(request.query_params)
    index, _ = index_of(place, at)
    lead, ask = lead_view.card(index, viewer.scope, lead_id), _helper(place)
    if lead is None or ask is None:
        raise HTTPException(404)
    values: dict[str, Any] = {"lead": lead, "back": f"/leads/{quote(lead_id, safe='')}{at.here}"}
    try:
        found = None if lead["probability"] is None else ask(index.run, lead_id)
    except BusyError:
        answer = page(
            request, viewer, "would_help.html", here="today", status=503, help=None, is_ready=False, **values
        )
        answer.headers["Retry-After"] = RETRY_SECONDS
        return answer
    return page(request, viewer, "would_help.html", here="today", help=found, is_ready=True, **values)


def link(place: Place, at: Address, lead: dict[str, Any]) -> str | None:
    """The address to ask at; None where nobody could answer."""
    is_asked = _helper(place) is not None and lead["ranked_by"] == "model" and lead["probability"] is not None
    return f"/would-help/{quote(lead['lead_id'], safe='')}{at.here}" if is_asked else None


def _helper(place: Place) -> Help | None:
    return place.extras.get("help")
