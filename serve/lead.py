"""All that a published run says of one lead: where it stands, how it got there, why, and what changed."""

from __future__ import annotations

from typing import Any

from serve import queries
from serve.runs import Run
from serve.waterfall import steps

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
        "steps": steps(lead, run.manifest["model"].get("calibration")),
        "change": _change(run, lead_id),
    }


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
