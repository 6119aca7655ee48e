"""Feedback on a lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from serve.state.feedback import LONGEST_REASON, Action
from serve.web.api import REFUSALS
from serve.web.giving import Asked, give
from serve.web.rules import SELLING, Viewer, may

router = APIRouter(prefix="/api/v1", tags=["feedback"], responses=REFUSALS)


class Body(BaseModel):
    """What somebody says of a lead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lead_id: Annotated[str, Field(min_length=1, max_length=500)]
    action: Action
    reason: Annotated[str | None, Field(max_length=LONGEST_REASON)] = None
    run_id: Annotated[str | None, Field(max_length=80)] = None
    key: Annotated[str, Field(max_length=100)] = ""
    version: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None


class Kept(BaseModel):
    """Feedback that is kept; ``is_new`` is false where the same request had come before."""

    feedback_id: str
    version: int
    stage: str
    is_new: bool


@router.post("/feedback", status_code=201)
def feedback(
    request: Request,
    response: Response,
    viewer: Annotated[Viewer, may(*SELLING)],
    body: Body,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
) -> Kept:
    """Say what became of a lead; the same request twice is one."""
    seen = body.version if if_match is None else _version(if_match)
    asked = Asked(**{**body.model_dump(), "version": seen}, is_precondition=if_match is not None)
    given = give(request, viewer, asked)
    response.status_code = 201 if given.is_new else 200
    response.headers["ETag"] = f'"{given.version}"'
    return Kept(**vars(given))


_DIGITS = 9


def _version(header: str) -> int:
    text = header.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise HTTPException(412)
    return int(text)
