"""Feedback on a lead, from a page or a program: the lead has to be the viewer's to see."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.exceptions import HTTPException

from features.errors import ParameterError
from serve.state.feedback import REASONED, Action, Given, Said
from serve.views.lead_view import lead as published_lead
from serve.views.lead_view import standing
from serve.web.place import Place, place_of
from serve.web.rules import Viewer


@dataclass(frozen=True)
class Asked:
    """What somebody says of a lead.

    Attributes
    ----------
    lead_id, action, reason
        Of whom, what, and why.
    run_id
        The ranking that they looked at; None: the one in force.
    key
        The client's own name of this request: sent again it is the same one.
    version
        Version of the lead's feedback that they saw; None: whatever it is.
    is_precondition
        Whether the version came as ``If-Match``: 412 where it is an old one, and not 409.
    """

    lead_id: str
    action: Action
    reason: str | None = None
    run_id: str | None = None
    key: str = ""
    version: int | None = None
    is_precondition: bool = False


def give(request: Request, viewer: Viewer, asked: Asked) -> Given:
    """Keep it, once.

    Raises
    ------
    HTTPException
        404: no such lead among the viewer's; 409 or 412: somebody has said something since; 503: no ranking.
    ParameterError
        The action wants a reason.
    """
    place = place_of(request)
    reason = (asked.reason or "").strip() or None
    if asked.action in REASONED and reason is None:
        raise ParameterError(f"'{asked.action}' wants a reason", hint="say why")
    said = _said(place, viewer, asked, reason)
    given = place.store.feedback.give(said, place.clock())
    if given is None:
        raise HTTPException(412 if asked.is_precondition else 409)
    return given


def _said(place: Place, viewer: Viewer, asked: Asked, reason: str | None) -> Said:
    index = (asked.run_id and place.following.index(asked.run_id)) or place.following.index()
    if index is None:
        raise HTTPException(503)
    lead = published_lead(index, viewer.scope, asked.lead_id)
    if lead is None:
        raise HTTPException(404)
    rank, probability = standing(index, asked.lead_id) or (None, None)
    return Said(
        viewer.user_id,
        asked.lead_id,
        asked.action,
        index.run.run_id,
        reason=reason,
        territory=lead["territory"],
        rank=rank,
        probability=probability,
        key=asked.key,
        version=asked.version,
    )
