"""One lead: where it stands, why, what changed, what became of it, and what the team says.

The template ``lead.html`` is given, beside what every page has:

``lead``
    Of `serve.views.lead_view`: where it stands, ``reasons``, ``steps``, ``place``, ``of`` and
    ``place_before`` within the scope, ``tags``, ``fields``, ``name``, ``company``, ``changed``, ``history``,
    ``timeline``, ``timeline_total`` and ``committee``.
``bars``, ``picture``, ``evidence_scale``
    The waterfall with its left edge and width, and the rate at the right end of the evidence's bars.
``actions``, ``form``, ``given``, ``latest``, ``saved``, ``stale``
    Feedback that the viewer may give, the form's address, key and version, what was said, the latest of it,
    what has just been kept, and whether somebody else was faster.
``helps``
    Address that says what would help; None where nobody could say it.
``back``
    Address of the list that the lead was opened from: its query stands in the lead's address, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from serve.lead_page import LEFT, WIDTH, bars
from serve.state.feedback import Action
from serve.views import lead_view
from serve.web.asking import address
from serve.web.pages.today import index_of
from serve.web.pages.would_help import link
from serve.web.place import place_of
from serve.web.rendering import page
from serve.web.rules import SELLING, Anyone, Viewer

router = APIRouter()
_ACTIONS = [action.value for action in Action]
_LEAST_SCALE = 0.01


@router.get("/leads/{lead_id:path}")
def lead(request: Request, viewer: Anyone, lead_id: str) -> Response:
    """The page of a lead; 404 if there is none among the viewer's."""
    return shown(request, viewer, lead_id, saved=_action(request.query_params.get("saved")))


def shown(
    request: Request,
    viewer: Viewer,
    lead_id: str,
    *,
    saved: str | None = None,
    stale: bool = False,
    status: int = 200,
) -> Response:
    """The page of a lead.

    Parameters
    ----------
    saved
        Action that has just been kept.
    stale
        Whether somebody else has answered since the page was opened.

    Raises
    ------
    HTTPException
        404: no such lead among the viewer's; 503: nothing has been published.
    """
    place = place_of(request)
    at = address(request.query_params)
    index, _ = index_of(place, at)
    found = lead_view.lead(index, viewer.scope, lead_id)
    if found is None:
        raise HTTPException(404)
    given = place.store.feedback.of(lead_id)
    values = {
        "lead": found,
        "bars": bars(found["steps"]),
        "picture": {"left": LEFT, "width": WIDTH},
        "evidence_scale": _evidence_scale(found),
        "actions": _ACTIONS if viewer.role in SELLING else [],
        "form": {
            "action": f"/leads/{quote(lead_id, safe='')}/feedback{at.here}",
            "key": secrets.token_hex(8),
            "version": given[0]["version"] if given else 0,
        },
        "given": [{**row, "at": row["at"].isoformat()} for row in given],
        "latest": given[0]["action"] if given else None,
        "saved": saved,
        "stale": stale,
        "back": f"/{at.here}",
        "helps": link(place, at, found),
    }
    return page(request, viewer, "lead.html", here="today", status=status, **values)


def _evidence_scale(found: Mapping[str, Any]) -> float:
    """The highest end of an interval, or the rate of all."""
    ends = [reason["evidence_high"] for reason in found["reasons"] if reason["evidence_high"] is not None]
    return max(*ends, found["base_rate"] or 0, _LEAST_SCALE) if ends else 1.0


def _action(text: str | None) -> str | None:
    return text if text in _ACTIONS else None
