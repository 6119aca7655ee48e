"""What the ranking is worth, as a reader sees it: leads that it steers against those of the control group."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from models.experiments import Group, compared, mismatch
from serve.reporting.files import Row, Territories, about, rows
from serve.reporting.names import CONTROL, FOLDER, HOLDOUT, TREATED
from serve.reporting.rates import Z_95, rate

_SQL = """
    SELECT "group", any_value(experiment) AS experiment, min(since) AS since, sum(leads)::BIGINT AS leads,
           sum(mature)::BIGINT AS mature, sum(converted)::BIGINT AS converted,
           sum(amount ORDER BY territory) AS amount, sum(amount_squared ORDER BY territory) AS amount_squared
    FROM seen GROUP BY "group"
"""
_NOBODY: Row = {"leads": 0, "mature": 0, "converted": 0, "amount": None, "amount_squared": None}


def holdout(run: Path, territories: Territories) -> Row | None:
    """The effect of the ranking by intention to treat.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Whose leads are counted; None: everybody's.

    Returns
    -------
    dict
        ``experiment`` (its name), ``since`` (its first night), ``share`` (of the control group), ``groups``
        by name (``leads`` drawn into it, ``mature`` ones, ``converted``, ``rate`` with its interval,
        ``amount`` per mature lead or None), ``difference`` and ``ratio`` of the rates (`models.experiments`;
        None: too few to judge), ``amount_difference`` (per lead, likewise) and ``mismatch``. None where no
        experiment runs.
    """
    if not (run / FOLDER / HOLDOUT).is_file():
        return None
    found = {row["group"]: row for row in rows(run, HOLDOUT, territories, _SQL)}
    if not found:
        return None
    one, other = (found.get(name, _NOBODY) for name in (TREATED, CONTROL))
    share = about(run)["holdout_share"]
    effect = compared(*(Group(row["mature"], row["converted"]) for row in (one, other)))
    return {
        "experiment": next(iter(found.values()))["experiment"],
        "since": min(row["since"] for row in found.values()).isoformat(),
        "share": share,
        "groups": {name: _group(row) for name, row in ((TREATED, one), (CONTROL, other))},
        **effect,
        "amount_difference": None if effect["difference"] is None else _amounts(one, other),
        "mismatch": mismatch(one["leads"], other["leads"], share),
    }


def _group(row: Row) -> Row:
    amount = row["amount"]
    return {
        "leads": row["leads"],
        "mature": row["mature"],
        "converted": row["converted"],
        "rate": rate(row["converted"], row["mature"]),
        "amount": amount / row["mature"] if amount and row["mature"] else None,
    }


def _amounts(one: Row, other: Row) -> dict[str, Any] | None:
    """Difference of the mean amounts of a lead with its 95 % interval; None where nobody knows amounts.

    Welch 1947, *The generalization of Student's problem when several different population variances are
    involved*, with the normal quantile, for the groups are large.
    """
    if not (one["amount"] or other["amount"]):
        return None
    means = [(row["amount"] or 0.0) / row["mature"] for row in (one, other)]
    spread = math.sqrt(
        sum(
            max((row["amount_squared"] or 0.0) / row["mature"] - mean**2, 0.0) / (row["mature"] - 1)
            for row, mean in zip((one, other), means, strict=True)
        )
    )
    value = means[0] - means[1]
    return {"value": value, "low": value - Z_95 * spread, "high": value + Z_95 * spread}
