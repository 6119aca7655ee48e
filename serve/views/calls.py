"""Whom to call today: the call list of a rep, or of all, with the leads as the list shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from serve.views.call_places import call_places
from serve.views.index import Index
from serve.views.listing import leads
from serve.views.scope import Scope

MOST = 200


def today(index: Index, scope: Scope, owner: str | None = None) -> list[dict[str, Any]]:
    """The calls of tonight's list within the scope, by rep and place, at most `MOST`.

    Parameters
    ----------
    owner
        The rep who calls; None: of every rep.

    Returns
    -------
    list
        Leads as `serve.views.listing.lead` gives them, each with ``call``: ``owner`` (who calls), ``place``,
        ``value``, ``why``, ``expected_wins`` (None where the scope is limited), as far as the run has them.
    """
    places = index.places(scope)
    every = index.rows(
        "FROM calls WHERE $owner::VARCHAR IS NULL OR owner = $owner ORDER BY owner, place", {"owner": owner}
    )
    found = [call for call in every if places.has(call["row"])][:MOST]
    shown = leads(index, scope, [int(call["row"]) for call in found])
    return [{**lead, "call": entry(index, scope, call)} for lead, call in zip(shown, found, strict=True)]


def entry(index: Index, scope: Scope, call: dict[str, Any]) -> dict[str, Any]:
    """An entry of the list as the scope may see it: its sum down to here counts leads of others, too."""
    told = {name: value for name, value in call.items() if name != "row"}
    if scope.is_everything:
        return told
    return {**told, "place": call_places(index, scope).of(call["row"]), "expected_wins": None}


def totals(index: Index, scope: Scope) -> dict[str, Any]:
    """How many ``calls`` there are within the scope, and the ``expected_wins`` of them; remembered."""
    return index.remember("calls", scope, lambda: _totals(index, scope))


def _totals(index: Index, scope: Scope) -> dict[str, Any]:
    rows = index.places(scope).rows
    called = rows[~np.isnan(index.arrays.values("call")[rows])]
    chances = index.arrays.values("probability")[called]
    known = chances[~np.isnan(chances)]
    return {"calls": len(called), "expected_wins": float(known.sum()) if len(known) else None}
