"""``leadrank backtest``: what the model would have found in the past, against what teams do without one.

The features are built once and are point-in-time. The leakage audit is done once as well, as ``train`` does
it, over all rows: that a column is written after the outcome is a fact about the CRM and no pattern that an
origin learns, and an origin with little history would learn from the leak. Which kinds of touch, places and
values get features of their own is counted over the whole history, too. All that is learned from outcomes
(which features help, trees, calibration) is learned anew at each origin.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.build import feature_table
from features.errors import ParameterError
from features.origins import Origin, origins, replayed
from features.snapshots import known_until
from models.backtests import figures
from models.backtests.contenders import MODEL, SCORECARD
from models.backtests.lists import Lists
from models.backtests.replay import Answer, model_order, replay
from models.phrases import Phrase
from pipelines import figuring, leaks, protecting, remembering
from pipelines.asking import plan
from pipelines.backtest_kept import kept
from pipelines.checks import counted
from pipelines.inputs import Inputs, Opening, opened
from pipelines.offering import offered
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.replaying import Past, arranged, check_order_field, sliced
from pipelines.train import options

_DAYS_OF_WEEK = 7


@dataclass(frozen=True)
class _Prepared:
    """All that the replay needs once the tables are closed."""

    table: Any
    specs: tuple[Any, ...]
    chosen: Sequence[Origin]
    past: Past
    groups: list[tuple[str, str, Any]]


def run(
    params: Params,
    home: Path,
    *,
    progress: Progress,
    report: Path | None = None,
    figures_to: Path | None = None,
    processes: int | None = None,
    opening: Opening = opened,
) -> dict[str, Any]:
    """Replay the past, log to MLflow, and write the report.

    Parameters
    ----------
    report
        HTML file to write, too; None leaves it to MLflow.
    figures_to
        Folder that receives figures and curves as small files, made if absent; None: nobody asked.
    processes
        Origins trained side by side; None: one per core.
    opening
        How the tables are opened.

    Returns
    -------
    dict
        ``calls_per_list``, ``lists``, ``rows``, ``won_leads``, ``base_rate``; tables as lists of rows:
        ``contenders``, ``differences`` (model minus each), ``ages``, ``slices``, ``origins`` (with
        ``reason`` where none could be trained); ``left_out`` (sentences), ``report``, ``run_id``, ``counts``
        of the load.

    Raises
    ------
    ParameterError
        The history has no dates (flat start), or ``backtest.order_field`` is unusable.
    TooFewOutcomesError
        No origin has enough outcomes to learn from.
    """
    _refuse_flat(params)
    check_order_field(params)
    with opening(params, home, progress) as inputs:
        prepared = _prepared(params, home, inputs, progress)
        load = counted(inputs)
    past = prepared.past
    with progress.stage("training at each origin", total=len(past.tasks)) as advance:
        answers = replay(
            prepared.table,
            past.tasks,
            prepared.specs,
            options(params),
            stage=params.train.stage,
            horizon_days=float(params.train.horizon_days),
            processes=processes,
            on_done=advance,
        )
    with progress.stage("resampling"):
        found = _figures(params, prepared, answers)
    with progress.stage("logging to MLflow"), tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        found["run_id"] = kept(params, home, Path(scratch), found, load["data_digest"], report)
    figuring.of_backtest(figures_to, found, found["curves"])
    told = {name: rows for name, rows in found.items() if name != "curves"}
    return {**told, "report": None if report is None else str(report), **load}


def _refuse_flat(params: Params) -> None:
    if params.tables["leads"].is_flat:
        raise ParameterError(
            "one table without dates has no past to replay",
            hint="declare tables.outcomes with dates and tables.leads with created_at (docs/tables.md)",
        )


def _prepared(params: Params, home: Path, inputs: Inputs, progress: Progress) -> _Prepared:
    protecting.check(params.train.protected_fields, inputs.fields)
    with progress.stage("choosing origins"):
        known = remembering.memory(params, home, is_flat=False)
        asked = plan(params, also_at=[*known.nights.values()])
        given = params.backtest
        chosen = origins(
            asked.known_at or known_until(inputs.tables),
            asked,
            count=given.origins,
            every_days=given.every_days,
            lists_every_days=given.lists_every_days,
        )
        found = replayed(inputs.backend, inputs.tables, asked, chosen)
    with progress.stage("building features"):
        offer = offered(params, inputs)
        built = feature_table(
            found.snapshots, inputs.tables, offer.features, inputs.fields, offer.vocabulary
        ).join(found.snapshots.select("snapshot_id", "label", "amount"), "snapshot_id")
        recalled = remembering.remembered(
            inputs, built.order_by("snapshot_id").to_pyarrow(), offer.features, known
        )
        table, features = recalled.table, (*offer.features, *recalled.features)
    past = arranged(params, found, table, chosen)
    groups = list(sliced(params, inputs, found, table.take(past.rows), past.rows))
    with progress.stage("looking for leaks"):
        judged = leaks.audited(params, inputs, table, features, found.snapshots)
    clean = leaks.kept(features, judged)
    usable = protecting.allowed(params, inputs, clean, offer.vocabulary)
    specs = tuple(feature.spec for feature in usable)
    return _Prepared(table, specs, chosen, past, groups)


def _figures(params: Params, prepared: _Prepared, answers: Sequence[Answer]) -> dict[str, Any]:
    past, given = prepared.past, params.backtest
    settings = figures.Settings(
        calls=calls_per_list(params),
        resamples=given.resamples,
        seed=params.seed,
        least_outcomes=given.min_slice_outcomes,
    )
    by_age = {
        days: model_order(past.lists, past.rows, past.tasks, answers, age=step)
        for days, step in past.steps.items()
    }
    known = ~np.isnan(by_age[0])
    lists = past.lists.with_orders({MODEL: by_age[0], **past.lists.orders}).where(known)
    groups = [(name, group, flags[known]) for name, group, flags in prepared.groups]
    found = settings.found(lists, figures.CURVE)
    return {
        "stage": params.train.stage,
        "horizon_days": params.train.horizon_days,
        "calls_per_list": settings.calls,
        "lists": len(np.unique(lists.night)),
        "rows": len(lists.won),
        "won_leads": lists.won_leads,
        "base_rate": float(lists.won.mean()),
        "contenders": figures.contenders(found),
        "differences": figures.differences(found),
        "ages": figures.ages(dict(_aged(past.lists, by_age)), settings),
        "slices": figures.slices(lists, groups, settings),
        "origins": _origins(prepared.chosen, answers, dict(figures.by_origin(lists, settings))),
        "curves": figures.curves(found),
        "left_out": list(_left_out(params, prepared, lists)),
    }


def calls_per_list(params: Params) -> int:
    """Calls from one list to the next: the last list of an origin is followed by the next origin's first."""
    given = params.backtest
    return max(1, round(given.calls_per_week * min(given.lists_every_days, given.every_days) / _DAYS_OF_WEEK))


def _aged(lists: Lists, by_age: Mapping[int, Any]) -> Iterator[tuple[int, Lists]]:
    """By age in days: the lists that both a model of that age and a fresh one could order."""
    for days, order in by_age.items():
        both = ~np.isnan(order) & ~np.isnan(by_age[0])
        if both.any():
            three = {MODEL: order, figures.FRESH: by_age[0], SCORECARD: lists.orders[SCORECARD]}
            yield days, lists.with_orders(three).where(both)


def _origins(
    chosen: Sequence[Origin], answers: Sequence[Answer], found: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row per origin: what it learned from, and what its lists found, or why it has no model."""
    empty = {"lists": 0, "rows": 0, "won_leads": 0, "capture_20": None}
    return [
        {
            "at": origin.at.isoformat(),
            "learned_rows": answer.report.get("rows"),
            "learned_positives": answer.report.get("positives"),
            **(found.get(number, empty)),
            "reason": answer.reason,
        }
        for number, (origin, answer) in enumerate(zip(chosen, answers, strict=True))
    ]


def _left_out(params: Params, prepared: _Prepared, lists: Lists) -> Iterator[str]:
    """What the replay could not show, and what would show it."""
    if params.backtest.order_field is None:
        yield Phrase("today's order of calls: name the field that holds it in backtest.order_field")
    if not lists.amount.any():
        yield Phrase("value captured: no outcome of the stage has an amount")
    elif without := int(((lists.won > 0) & (lists.amount == 0)).sum()):
        yield Phrase(
            "amounts: {without:,} of {won:,} won rows have none and count as 0",
            without=without,
            won=int(lists.won.sum()),
        )
    known = {name for name, _, _ in prepared.groups}
    for name in params.backtest.slices:
        if name not in known:
            yield Phrase("slice '{name}': no such field", name=name)
    longest = max(prepared.past.steps)
    for days in params.backtest.ages_days:
        if round(days / params.backtest.every_days) * params.backtest.every_days > longest:
            yield Phrase("a model aged {days} days: it needs more origins (backtest.origins)", days=days)
