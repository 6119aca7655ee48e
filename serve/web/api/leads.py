"""The ranked leads that the caller may see, and one of them with its reasons and its history."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from serve.views import facets, lead_view, listing
from serve.views.asking import DEEPEST, LONGEST, SEARCHED, SIZE, SORTS, VALUES, Asked, Direction
from serve.views.index import Index
from serve.web.api import REFUSALS
from serve.web.place import place_of
from serve.web.rules import Anyone

router = APIRouter(prefix="/api/v1", tags=["leads"], responses=REFUSALS)
Value = Annotated[str, Field(max_length=500)]
Values = Annotated[list[Value], Field(max_length=VALUES)]
RunName = Annotated[str, Field(max_length=80)]


class Wanted(BaseModel):
    """What a list is asked for: values of one filter are alternatives, filters go together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[str, Field(max_length=SEARCHED)] = ""
    owner: Values = []
    territory: Values = []
    source: Values = []
    campaign: Values = []
    stage: Values = []
    tag: Values = []
    grade: Values = []
    route: Values = []
    changed: Values = []
    calls: bool = False
    sort: Literal[tuple(SORTS)] = "place"  # type: ignore[valid-type]  # the orders that there are
    direction: Direction | None = None
    offset: Annotated[int, Field(ge=0, le=DEEPEST)] = 0
    size: Annotated[int, Field(ge=1, le=LONGEST)] = SIZE
    run_id: RunName | None = None

    @property
    def asked(self) -> Asked:
        """As the views take it."""
        own = {"sort", "direction", "offset", "size", "calls"}
        filters = self.model_dump(exclude={*own, "q", "run_id"})
        return Asked(search=self.q, filters=filters, **self.model_dump(include=own))


class Count(BaseModel):
    """A value and how many leads have it."""

    value: str
    leads: int


@router.get("/leads")
def leads(request: Request, viewer: Anyone, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """A page of the ranking within what the caller may see; ``place`` counts within that, too."""
    index = _index(request, wanted.run_id)
    found = listing.page(index, viewer.scope, wanted.asked)
    return {
        "run_id": index.run.run_id,
        "as_of": index.run.as_of,
        "total": found.total,
        "offset": found.offset,
        "size": found.size,
        "leads": found.rows,
    }


@router.get("/facets")
def values(request: Request, viewer: Anyone) -> dict[str, list[Count]]:
    """Values of each filter of the list and how many leads have them, within what the caller may see."""
    found = facets.values(_index(request, None), viewer.scope)
    return {name: [Count(value=v, leads=n) for v, n in counts] for name, counts in found.items()}


@router.get("/leads/{lead_id:path}")
def lead(
    request: Request, viewer: Anyone, lead_id: str, run_id: Annotated[RunName | None, Query()] = None
) -> dict[str, Any]:
    """One lead: reasons with their evidence, what changed, history, touches, the people beside it."""
    found = lead_view.lead(_index(request, run_id), viewer.scope, lead_id)
    if found is None:
        raise HTTPException(404)
    given = place_of(request).store.feedback.of(lead_id)
    hidden = {"user_id", "lead_id", "territory", "rank", "probability"}
    said = [{name: value for name, value in row.items() if name not in hidden} for row in given]
    return {**found, "feedback": said, "feedback_version": given[0]["version"] if given else 0}


def _index(request: Request, run_id: str | None) -> Index:
    """The ranking that a caller began with while it is open, else the one in force."""
    following = place_of(request).following
    index = (following.index(run_id) if run_id else None) or following.index()
    if index is None:
        raise HTTPException(503)
    return index
