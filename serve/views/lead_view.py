"""All that a page shows of one lead, if the scope has it: how it came to its place, its past, its people."""

from __future__ import annotations

from typing import Any

from features.ingest.sql import named
from serve.views.call_places import call_places
from serve.views.calls import entry
from serve.views.index import Index
from serve.views.listing import leads
from serve.views.scope import Scope
from serve.waterfall import steps

COMMITTEE = 20
"""Other leads of the account that are shown, the best ones."""
LATEST = 100
"""Entries of the timeline that are shown."""
CHANGE_PARTS = ("new_facts", "time_passing", "model", "calibration")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def lead(index: Index, scope: Scope, lead_id: str) -> dict[str, Any] | None:
    """One lead of the scope; None for an unknown and for a foreign one, which look the same.

    Returns
    -------
    dict
        What `serve.views.listing.lead` gives, and

        - ``run_id``, ``as_of``, ``ranked_by``, ``of`` (leads of the scope), ``base_rate``, ``scored_at``;
        - ``further``: the other probabilities (``probability_<days>d``, ``probability_<stage>``);
        - ``steps`` from the base to the probability (`serve.waterfall.steps`);
        - ``reasons`` with their evidence; those for first, each strongest first;
        - ``changed``: what changed since the run before (``previous_run``, ``place_before``,
          ``probability_before``, ``points``, the parts in log-odds, ``reasons``), or None;
        - ``history``, oldest first, this run last: ``run_id``, ``as_of``, ``score``, ``probability``,
          ``place`` and ``of`` (None in earlier runs where the scope is limited: they would tell of others);
        - ``timeline``, newest first: ``at``, ``kind``, ``place``, ``campaign``, ``direction``,
          ``duration_seconds``, ``stage`` (a stage that was reached; None for a touch); ``timeline_total``;
        - ``committee``: leads of the same account within the scope, with ``is_self``;
        - ``call``: its entry of the call list, or None.
    """
    found = _found(index, scope, lead_id)
    if found is None:
        return None
    row, shown = found
    columns = ", ".join(named(name) for name in index.explained)
    full = index.rows(f"SELECT {columns} FROM shown WHERE row = {row}")[0]  # noqa: S608  # quoted
    manifest = index.run.manifest
    model = manifest.get("model") or {}
    return {
        **shown,
        "run_id": index.run.run_id,
        "as_of": index.run.as_of,
        "ranked_by": manifest.get("ranked_by", "model"),
        "ranked_because": manifest.get("ranked_because"),
        "of": leads_of(index, scope),
        "base_rate": model.get("base_rate"),
        "scored_at": _iso(full.get("scored_at")),
        "further": _further(full),
        "steps": steps(full, model.get("calibration")),
        "reasons": _reasons(index, row, "reasons"),
        "changed": _changed(index, row, shown["place_before"]),
        "history": _history(index, scope, row, shown),
        "timeline": _timeline(index, row),
        "timeline_total": shown["touches"],
        "committee": _committee(index, scope, row, shown["account_id"]),
        "call": _call(index, scope, row),
    }


def card(index: Index, scope: Scope, lead_id: str) -> dict[str, Any] | None:
    """A lead's row of the list (`serve.views.listing.lead`); None as in `lead`."""
    found = _found(index, scope, lead_id)
    return None if found is None else found[1]


def standing(index: Index, lead_id: str) -> tuple[int, float | None] | None:
    """Published rank and probability of a lead, for records of what was said of it; to be shown to nobody.

    None: it was not ranked. The caller has found the lead within the scope.
    """
    found = index.rows(
        "SELECT rank, probability FROM narrow WHERE row = (SELECT row FROM ids WHERE lead_id = $lead)",
        {"lead": lead_id},
    )
    return (int(found[0]["rank"]), found[0]["probability"]) if found else None


def _found(index: Index, scope: Scope, lead_id: str) -> tuple[int, dict[str, Any]] | None:
    """The row of a lead, and the lead; the same work whether it is unknown or foreign."""
    return next(iter(_with(index, scope, "lead_id", lead_id)), None)


def _with(index: Index, scope: Scope, column: str, text: str) -> list[tuple[int, dict[str, Any]]]:
    """Leads of the scope with a text in an id column, the best first, at most `COMMITTEE`."""
    places = index.places(scope)
    rows = [row for row in index.rows_with(column, text) if places.has(row)][:COMMITTEE]
    shown = leads(index, scope, rows)
    return [each for each in zip(rows, shown, strict=True) if each[1][column] == text]


def leads_of(index: Index, scope: Scope) -> int:
    """How many leads a scope has."""
    if scope.is_everything:
        return int(index.run.manifest["counts"]["ranked"])
    return len(index.places(scope).rows)


def _further(full: dict[str, Any]) -> dict[str, float | None]:
    own = {"probability_low", "probability_high", "probability_withheld"}
    return {name: v for name, v in full.items() if name.startswith("probability_") and name not in own}


def _reasons(index: Index, row: int, table: str) -> list[dict[str, Any]]:
    found = index.rows(f"FROM {table} WHERE row = {row}")  # names and numbers of our own
    return [{k: v for k, v in each.items() if k != "row"} for each in sorted(found, key=_strongest)]


def _strongest(reason: dict[str, Any]) -> Any:
    return reason["rank_in_row"]


def _changed(index: Index, row: int, place_before: int | None) -> dict[str, Any] | None:
    if not index.run.manifest.get("changes"):
        return None
    found = index.rows(f"FROM changes WHERE row = {row}")
    if not found:
        return None
    reasons = _reasons(index, row, "change_reasons")
    return {
        "previous_run": index.run.manifest["changes"]["previous_run"],
        "place_before": place_before,
        "probability_before": found[0]["probability_before"],
        "points": found[0]["change"],
        **{part: found[0][part] for part in (*CHANGE_PARTS, "total")},
        "reasons": sorted(reasons, key=lambda reason: -abs(reason["points"] or 0)),
    }


def _history(index: Index, scope: Scope, row: int, shown: dict[str, Any]) -> list[dict[str, Any]]:
    asked = (
        "SELECT run_id, as_of, score, probability, rank AS place FROM history JOIN runs USING (number) "  # noqa: S608
        f"WHERE row = {row:d} ORDER BY as_of"
    )
    found = index.rows(asked) if index.earlier else []
    earlier = [
        {**each, "place": each["place"] if scope.is_everything else None, "of": None} for each in found
    ]
    tonight = {"run_id": index.run.run_id, "as_of": index.run.as_of, "of": leads_of(index, scope)}
    return [*earlier, {**tonight, **{name: shown[name] for name in ("score", "probability", "place")}}]


def _timeline(index: Index, row: int) -> list[dict[str, Any]]:
    return index.rows(
        f"SELECT strftime(occurred_at, '{_MOMENT}') AS at, * EXCLUDE (row, occurred_at) FROM timeline "  # noqa: S608
        f"WHERE row = {row} ORDER BY occurred_at DESC LIMIT {LATEST}"
    )


def _committee(index: Index, scope: Scope, row: int, account: str | None) -> list[dict[str, Any]]:
    found = [] if account is None else _with(index, scope, "account_id", account)
    return [{**each, "is_self": own == row} for own, each in found]


def _call(index: Index, scope: Scope, row: int) -> dict[str, Any] | None:
    if call_places(index, scope).of(row) is None:
        return None
    return entry(index, scope, index.rows(f"FROM calls WHERE row = {row} LIMIT 1")[0])  # a number


def _iso(moment: Any) -> str | None:
    return None if moment is None else f"{moment:{_MOMENT}}"
