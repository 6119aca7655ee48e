"""What a sales person says of a lead, from the buttons of its page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from serve.state.feedback import LONGEST_REASON, Action
from serve.web.asking import address
from serve.web.giving import Asked, give
from serve.web.pages.lead import shown
from serve.web.rules import SELLING, Viewer, may

router = APIRouter()


@router.post("/leads/{lead_id:path}/feedback")
def feedback(
    request: Request,
    viewer: Annotated[Viewer, may(*SELLING)],
    lead_id: str,
    action: Annotated[Action, Form()],
    run: Annotated[str, Form(max_length=100)],
    version: Annotated[int, Form(ge=0)],
    key: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Keep it and show the lead; where somebody else was faster, show what they said."""
    try:
        give(request, viewer, Asked(lead_id, action, reason, run, key, version))
    except HTTPException as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise
        return shown(request, viewer, lead_id, stale=True, status=HTTPStatus.CONFLICT)
    here = address(request.query_params).here.replace("?", "&", 1)
    return RedirectResponse(f"/leads/{quote(lead_id, safe='')}?saved={action.value}{here}", 303)
