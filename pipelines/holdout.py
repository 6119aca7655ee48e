"""``leadrank holdout``: how many leads an experiment needs before it can say what a ranking is worth."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError, ParameterError
from features.moments import naive_utc
from features.snapshots import known_until
from models.experiments import needed
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from serve.reporting import leads
from serve.reporting.plan import LEADS, Plan

RECENT_WEEKS, PAST_DAYS = 12, 365
USUAL_SHARE = 0.1
"""Of an experiment whose share nobody has said."""


@dataclass(frozen=True)
class Asked:
    """What the experiment shall see.

    Attributes
    ----------
    lift
        Rise that must not be missed, as a share of the base rate.
    power, alpha
        Chance to see it if it is there, and to see one where there is none.
    base_rate, leads_a_week
        Rate of leads that nobody ranks, and how many come; None: as the history has it.
    share
        Part of the leads in the control group; None: that of ``holdout.share``, else a tenth.
    """

    lift: float
    power: float = 0.8
    alpha: float = 0.05
    base_rate: float | None = None
    leads_a_week: float | None = None
    share: float | None = None


def run(params: Params, home: Path, asked: Asked, *, progress: Progress) -> dict[str, Any]:
    """The size of the experiment.

    Returns
    -------
    dict
        What was asked with what was missing filled in, ``treated`` and ``control`` (leads of either group),
        ``weeks`` until so many have come, and ``then_days`` until the last of them is mature.

    Raises
    ------
    ParameterError
        A figure is no share, or the lift makes the rate more than 1.
    InputError
        The history does not say what was left out.
    """
    base, weekly = asked.base_rate, asked.leads_a_week
    if base is None or weekly is None:
        with opened(params, home, progress) as inputs:
            of_history = _history(params, inputs)
        base = of_history[0] if base is None else base
        weekly = of_history[1] if weekly is None else weekly
    share = asked.share or params.holdout.share or USUAL_SHARE
    if not math.isfinite(weekly):
        raise ParameterError("so many leads a week cannot be", hint="give a finite number")
    try:
        treated, control = needed(base, asked.lift, share=share, power=asked.power, alpha=asked.alpha)
    except (ValueError, ArithmeticError):
        raise ParameterError(
            f"a base rate of {base:g} with a lift of {asked.lift:g} cannot be",
            hint="give rates between 0 and 1, and a lift other than 0",
        ) from None
    return {
        **asdict(asked),
        "base_rate": base,
        "leads_a_week": weekly,
        "share": share,
        "treated": treated,
        "control": control,
        "weeks": math.ceil((treated + control) / weekly),
        "then_days": params.train.horizon_days + params.train.reporting_delay_days,
    }


def _history(params: Params, inputs: Inputs) -> tuple[float, float]:
    """Rate of the mature leads of a year, and new leads a week."""
    if inputs.is_flat or "created_at" not in inputs.tables["leads"].columns:
        raise InputError(
            "a history without dates does not say how many leads come and convert",
            hint="give --base-rate and --leads-a-week",
        )
    plan = Plan(
        as_of=naive_utc(known_until(inputs.tables)).isoformat(),
        window_days=params.train.horizon_days,
        delay_days=params.train.reporting_delay_days,
        sla_hours=params.reports.sla_hours,
        returned_days=params.features.returned_days,
        half_life_days=params.features.half_life_days,
        tables={name: tuple(table.columns) for name, table in inputs.tables.items()},
    )
    leads.make(inputs.connection, plan)
    mature, won, recent = inputs.connection.execute(_sql(plan)).fetchone()
    leads.drop(inputs.connection)
    if not (won and recent):
        raise InputError(
            "no mature lead of the last year was won, or none came lately",
            hint="give --base-rate and --leads-a-week",
        )
    return won / mature, recent / RECENT_WEEKS


def _sql(plan: Plan) -> str:
    return f"""
        WITH told AS (
            SELECT *, is_mature AND created_at >= (SELECT max(created_at) FILTER (is_mature) FROM {LEADS})
                      - to_days({PAST_DAYS}) AS is_past
            FROM {LEADS}
        )
        SELECT count(*) FILTER (is_past),
               count(*) FILTER (is_past AND {plan.in_window("created_at", "won_at")}),
               count(*) FILTER (created_at >= {plan.moment} - to_days({7 * RECENT_WEEKS}))
        FROM told
    """  # noqa: S608  # names and numbers of our own
