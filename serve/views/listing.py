"""A page of the list: the leads of a scope that are asked for, with their places within it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serve.views.asking import Asked, chosen, ordered
from serve.views.call_places import call_places
from serve.views.index import Index, Places
from serve.views.scope import Scope


@dataclass(frozen=True)
class Listed:
    """A page of the list.

    Attributes
    ----------
    rows
        Leads in the order asked for: `lead` says what each has.
    total
        Leads that are asked for, within the scope.
    offset, size
        As asked, within their bounds.
    run_id
        Of the run that the page is of.
    """

    rows: list[dict[str, Any]]
    total: int
    offset: int
    size: int
    run_id: str


def page(index: Index, scope: Scope, asked: Asked) -> Listed:
    """The leads that are asked for; nobody outside the scope is in it, nor counted."""
    found = chosen(index, scope, asked)
    rows = leads(index, scope, ordered(index, scope, found, asked, offset=asked.offset, size=asked.size))
    return Listed(rows, len(found), asked.offset, asked.size, index.run.run_id)


def leads(index: Index, scope: Scope, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Leads by their rows, in that order; the caller has taken the rows from within the scope."""
    if not rows:
        return []
    numbers = ", ".join(str(int(row)) for row in rows)
    found = index.rows(f"SELECT row, card FROM cards WHERE row IN ({numbers})")  # noqa: S608  # numbers
    cards = {each["row"]: each["card"] for each in found}
    places = None if scope.is_everything else index.places(scope)
    called = call_places(index, scope)
    return [
        {**lead(json.loads(cards[row]), row, places), "call_place": called.of(row)} for row in map(int, rows)
    ]


def lead(card: dict[str, Any], row: int, places: Places | None) -> dict[str, Any]:
    """One lead as a list shows it.

    Parameters
    ----------
    card
        As `serve.views.cards` made it.
    row
        Its row.
    places
        Of a limited scope; None: of all leads, where a place is the published rank.

    Returns
    -------
    dict
        ``lead_id``, ``place`` and ``place_before`` within the scope (None: new), ``moved_by`` (places up;
        None: new), ``score``, ``probability``, ``probability_low``, ``probability_high``,
        ``probability_withheld``, ``expected_value``, ``grade``, ``route``, ``tags`` (list), ``change``
        (percentage points) and ``change_1``, ``owner``, ``territory``, ``source``, ``campaign``, ``stage``,
        ``account_id``, ``created_at``, ``last_touch_at`` (ISO 8601, UTC), ``last_touch_kind``,
        ``last_touch_direction``, ``touches``, ``name``, ``company``, ``fields`` (pairs of a published column
        and its value), ``call_why`` (`leads` adds ``call_place``), ``reasons_for`` and ``reasons_against``
        (``sentence``, ``points``).
    """
    rank, before = card.pop("rank"), card.pop("rank_before")  # they tell of leads beyond the scope
    points = card.pop("points") or []
    for_it = [text for text in card["reasons_for"] if text is not None]
    against = [text for text in card["reasons_against"] if text is not None]
    place = rank if places is None else places.of(row)
    was = before if places is None else places.of_before(before)
    return {
        **card,
        "place": place,
        "place_before": was,
        "moved_by": None if was is None else was - place,
        "tags": card["tags"] or [],
        "fields": list((card["fields"] or {}).items()),
        "reasons_for": _with_points(for_it, points),
        "reasons_against": _with_points(against, points[len(for_it) :]),
    }


def _with_points(sentences: Sequence[str], points: Sequence[float | None]) -> list[dict[str, Any]]:
    """The sentences with their points; None where the run does not have them."""
    known = [*points, *[None] * len(sentences)]
    return [{"sentence": text, "points": known[place]} for place, text in enumerate(sentences)]
