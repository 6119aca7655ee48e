"""All that a published run says of one lead: where it stands, how it got there, why, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.calibration import Calibration
from serve import queries
from serve.runs import Run

_FAMILY = "margin_"
_BASE = "margin_base"
OPTIONAL = ("probability", "probability_withheld", "grade", "route", "tags")
OF_REASON = ("is_changeable", "evidence_rate", "evidence_low", "evidence_high", "evidence_leads")
"""What not every ranking has, or one of an older version had not yet; None there."""
CHANGE_PARTS = ("new_facts", "time_passing", "model", "calibration")


def explained(run: Run, lead_id: str) -> dict[str, Any] | None:
    """One lead of a run, ready to be told.

    Returns
    -------
    dict
        The lead's columns of the ranking, and

        - ``reasons``, and ``base_rate``, which their evidence is compared with (None without evidence);
        - ``steps`` from the base to the probability, one family after the other, strongest first: ``name``,
          ``contribution`` (log-odds; None for the base), ``probability`` after it, ``points`` that it adds;
        - ``change``: ``previous_run``, ``rank_before``, ``probability_before``, ``points``, the parts in
          log-odds, and ``reasons`` of its own; None without a run to compare with.

        None if the lead was not ranked.
    """
    lead = queries.lead(run, lead_id)
    if lead is None:
        return None
    found = {"run_id": run.run_id, "as_of": run.as_of, **queries.ranked_by(run), **lead}
    return {
        **dict.fromkeys(OPTIONAL),
        **found,
        "reasons": [{**dict.fromkeys(OF_REASON), **reason} for reason in queries.reasons(run, lead_id)],
        "base_rate": run.manifest["model"].get("base_rate"),
        "steps": _steps(lead, run.manifest["model"].get("calibration")),
        "change": _change(run, lead_id),
    }


def _steps(lead: Mapping[str, Any], curve: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """From the base to the probability; empty where a scorecard ranks, or the probability is withheld."""
    if curve is None or lead.get("probability") is None or lead.get(_BASE) is None:
        return []
    names = [name for name in lead if name.startswith(_FAMILY) and name != _BASE]
    ordered = sorted(names, key=lambda name: -abs(lead[name]))
    values = [lead[_BASE], *(lead[name] for name in ordered)]
    chances = Calibration.from_json(curve).apply(np.cumsum(values))
    return [
        {
            "name": name.removeprefix(_FAMILY),
            "contribution": None if place == 0 else lead[name],
            "probability": float(chances[place]),
            "points": 100 * float(chances[place] - (chances[place - 1] if place else 0)),
        }
        for place, name in enumerate([_BASE, *ordered])
    ]


def _change(run: Run, lead_id: str) -> dict[str, Any] | None:
    found = queries.changes(run, lead_id)
    if found is None:
        return None
    row, reasons = found
    return {
        "previous_run": run.manifest["changes"]["previous_run"],
        "rank_before": row["rank_before"],
        "probability_before": row["probability_before"],
        "points": row["change"],
        **{part: row[part] for part in (*CHANGE_PARTS, "total")},
        "reasons": reasons,
    }
