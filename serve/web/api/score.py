"""Scoring leads now: from what a request tells of them, by the champion of the ranking in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from serve.online.describing import body_schema
from serve.online.refusal import BusyError, ForeignError, RefusedError
from serve.web.api import REFUSALS
from serve.web.place import place_of
from serve.web.refusals import refusal
from serve.web.rules import Anyone

if TYPE_CHECKING:
    from serve.online.standing import Standing

router = APIRouter(prefix="/api/v1", tags=["score"], responses=REFUSALS)
JSON = "application/json"
RETRY_SECONDS = "5"
_BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": body_schema()}}}}


@router.post("/score", openapi_extra=_BODY)
async def score(request: Request, viewer: Anyone) -> Response:
    """Probability, score, grade, route, tags and reasons of up to 1,000 leads; see docs/serving.md."""
    if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != JSON:
        raise HTTPException(415)
    place = place_of(request)
    standing: Standing | None = place.extras.get("score")
    if standing is None:
        raise HTTPException(503)
    content = await request.body()
    try:
        answer = await run_in_threadpool(standing.answer, content, viewer.scope, place.clock())
    except RefusedError as error:
        return refusal(request, 422, details=[vars(problem) for problem in error.problems])
    except ForeignError as error:
        return refusal(request, 403, reason=error.reason)
    except BusyError as error:
        return _later(request, error)
    return Response(answer, media_type=JSON)


def _later(request: Request, error: BusyError) -> Response:
    answer = refusal(request, 503, reason=error.reason)
    answer.headers["Retry-After"] = RETRY_SECONDS
    return answer
