"""Today: whom to call and why, the ranked list of what the viewer may see.

The template ``today.html`` is given, beside what every page has:

``rows``
    Of `serve.views.listing`: the columns of ``ranking.parquet``, ``place`` and ``place_before`` within the
    scope, ``tags``, ``reasons_for`` and ``reasons_against`` (``sentence``, ``points``), ``last_touch_at``,
    ``last_touch_kind``, ``stage``, ``name``, ``company``, ``call_place``, ``call_why``; ``feedback``: the
    latest action, or None.
``total``, ``of``, ``start``
    Leads that the filters leave, leads of the scope, and the number of the first row.
``scale``
    The probability at the right end of the bars.
``asked``, ``choices``, ``orders``, ``active``, ``query``, ``here_query``, ``link``, ``previous``, ``next``,
``exports``
    What was asked, what can be, and the addresses of neighbours.
``calls``, ``views``, ``has_before``, ``ranked_by``, ``is_older``
    Calls of tonight (``calls``, ``expected_wins``), None without any; saved views; whether there is a run
    before; who ranked; whether a newer ranking is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from features.catalogue import Language
from models.labels import labels, marked, named
from serve.views import calls, facets, listing
from serve.views.asking import DEEPEST
from serve.views.export import XLSX_ROWS
from serve.views.index import Index
from serve.views.lead_view import leads_of
from serve.views.listing import Listed
from serve.views.scale import highest
from serve.web.asking import Address, address
from serve.web.place import Place, place_of
from serve.web.rendering import page
from serve.web.rules import Anyone, Viewer

router = APIRouter()
FILTER_LABELS = {
    "owner": marked("Owner"), "territory": marked("Territory"), "source": marked("Source"),
    "stage": marked("Stage"), "tag": marked("Tag"), "grade": marked("Grade"), "route": marked("What to do"),
    "changed": marked("Since the run before"),
}  # fmt: skip
ORDER_LABELS = {
    "call": marked("Order of the calls"), "place": marked("Rank"), "name": marked("Name"),
    "probability": marked("Chance"), "score": marked("Score"), "change": marked("Change"),
    "last_touch_at": marked("Last touch"), "expected_value": marked("Expected value"),
    "owner": marked("Owner"),
}  # fmt: skip
_OWN_WORDS = frozenset({"stage", "tag", "route", "changed", "source"})
"""Filters whose values are codes; the others hold names, which are shown as they are."""
_LEFT_OUT = 2
"""A filter with fewer values says nothing."""


@router.get("/")
def today(request: Request, viewer: Anyone) -> Response:
    """The list."""
    place, at = place_of(request), address(request.query_params)
    index, is_older = index_of(place, at)
    asked, scope = at.asked, viewer.scope
    listed = listing.page(index, scope, asked)
    totals = calls.totals(index, scope)
    values = {
        "rows": _with_feedback(place, listed.rows),
        "total": listed.total,
        "of": leads_of(index, scope),
        "start": asked.offset + 1,
        "scale": highest(index, scope) or 1.0,
        "asked": asked,
        "calls": totals if totals["calls"] else None,
        "ranked_by": index.run.manifest.get("ranked_by", "model"),
        "has_before": bool(index.run.manifest.get("changes")),
        "is_older": is_older,
        "search": asked.search,
        "views": [{**view, "href": f"/?{view['query']}"} for view in place.store.views.every(viewer.user_id)],
        **_neighbours(at, index, listed),
        **_choices(at, index, viewer, labels(viewer.language)),
    }
    return page(request, viewer, "today.html", **values)


def index_of(place: Place, at: Address) -> tuple[Index, bool]:
    """The ranking that an address was begun in while it is open, else the one in force; whether it is older.

    Raises
    ------
    HTTPException
        503: nothing has been published.
    """
    current = place.following.index()
    if current is None:
        raise HTTPException(503)
    begun = place.following.index(at.run) if at.run else None
    if begun is None or begun.run.run_id == current.run.run_id:
        return current, False
    return begun, True


def _with_feedback(place: Place, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    latest = place.store.feedback.latest([row["lead_id"] for row in rows])
    return [{**row, "feedback": latest.get(row["lead_id"])} for row in rows]


def _neighbours(at: Address, index: Index, listed: Listed) -> dict[str, Any]:
    run, after = index.run.run_id, listed.offset + listed.size
    before = max(0, listed.offset - listed.size)
    return {
        "link": at.link,
        "here_query": at.here,
        "query": at.query,
        "previous": at.link(run=run, offset=before) if listed.offset > 0 else None,
        "next": at.link(run=run, offset=after) if after < min(listed.total, DEEPEST) else None,
        "exports": {
            "csv": at.link("/leads.csv", run=run),
            "xlsx": at.link("/leads.xlsx", run=run) if listed.total <= XLSX_ROWS else None,
        },
    }


def _choices(at: Address, index: Index, viewer: Viewer, words: Language) -> dict[str, Any]:
    """What can be chosen, and what was."""
    found = facets.values(index, viewer.scope)
    return {
        "choices": [
            {
                "name": name,
                "label": words.text(label),
                "is_set": name in at.values,
                "options": _options(name, found.get(name, []), at.values.get(name, ()), words),
            }
            for name, label in FILTER_LABELS.items()
            if len(found.get(name, [])) >= _LEFT_OUT or name in at.values
        ],
        "active": [
            {"label": _shown(name, value, words), "href": at.without(name, value)}
            for name in (*FILTER_LABELS, "q")
            for value in at.values.get(name, ())
        ],
        "orders": [
            {
                "value": "" if name == at.usual_sort else name,
                "label": words.text(label),
                "is_chosen": name == at.asked.sort,
            }
            for name, label in ORDER_LABELS.items()
            if name != "call" or "calls" in at.values
        ],
    }


def _options(
    name: str, found: Sequence[tuple[Any, int]], chosen: Sequence[str], words: Language
) -> list[dict[str, Any]]:
    """The values of a filter; a chosen one that no lead has is there, too."""
    known = [str(value) for value, _ in found]
    gone = [(value, None) for value in chosen if value not in known]
    return [
        {
            "value": value,
            "label": _shown(name, str(value), words),
            "count": count,
            "is_chosen": str(value) in chosen,
        }
        for value, count in [*found, *gone]
    ]


def _shown(name: str, value: str, words: Language) -> str:
    return named(value, words) if name in _OWN_WORDS else value
