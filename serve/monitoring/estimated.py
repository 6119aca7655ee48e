"""How good tonight's list is going to be, long before its outcomes are known, against the training's test.

From the published probabilities alone (`models.estimating`); as soon as earlier lists have matured, from what
such probabilities turned out to mean (`models.recalibrating`). Either way it holds while what becomes of a
lead does not change: what only outcomes can show, `realised` shows later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from models.bundle import Bundle
from models.estimating import Estimate, estimates
from models.labels import marked
from models.phrases import Phrase
from models.recalibrating import Cells, Line, estimates_by
from serve.monitoring.figure import ALARM, EVERY, OK, TRAINING, WARNING, Figure, Part
from serve.monitoring.judging import SURELY_OPEN
from serve.monitoring.listed import listed
from serve.runs import Run

KIND = "estimated"
PUBLISHED, OWN, EARLIER = "published", "matured_of_model", "matured_of_all"
"""From what it is estimated: the probabilities as they are; with what matured lists of the model, or of the
models before it as well, showed them to mean."""
SURE = 0.99
ALARM_TIMES = 2.0
LEAST_LEADS = 100
"""Leads with a probability without which nothing is estimated of a list or a slice."""
ROC_AUC, LIFT = "roc_auc", "lift_10"
SAYS: Mapping[str, str] = {
    ROC_AUC: marked(
        "the ROC-AUC of this list is estimated at {value:.3f}, and was {against:.3f} in training"
    ),
    LIFT: marked(
        "the lift of this list's best 10 % is estimated at {value:.2f}, and was {against:.2f} in training"
    ),
}
Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
Least: TypeAlias = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class EstimatedLimits:
    """From where on an estimate is worth a warning; twice as far is an alarm.

    Attributes
    ----------
    min_outcomes
        Won and not-won leads of matured lists without which they do not say what a probability means.
    roc_auc_fall_max
        Most that the ROC-AUC may surely lie below that of the training's test.
    lift_fall_max_share
        Most that the lift of the best 10 % may surely lie below it, as a share of it.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    min_outcomes: Least = 30
    roc_auc_fall_max: Share = 0.05
    lift_fall_max_share: Share = 0.25

    def most(self, measure: str, against: float) -> float | None:
        """The most that a figure may lie below another; None: it is not judged."""
        return {ROC_AUC: self.roc_auc_fall_max, LIFT: self.lift_fall_max_share * against}.get(measure)


def estimated(
    run: Run,
    *,
    bundle: Bundle | None,
    past: Mapping[str, pa.Table],
    limits: EstimatedLimits = EstimatedLimits(),  # frozen
) -> Part:
    """Estimate how good a published list will turn out to be.

    Parameters
    ----------
    run
        The list. Leads whose probability was withheld are left out.
    bundle
        The model that ranked it; None: there is nothing to compare with.
    past
        The tables of `realised`, of outcomes known before the list; empty while nothing has matured.

    Returns
    -------
    Part
        Figures of kind ``estimated``, and the table ``estimated``: ``slice``, ``measure``, ``rows``,
        ``value``, ``low``, ``high``, ``way`` (`PUBLISHED`, `OWN` or `EARLIER`), ``against`` and
        ``reference``, and ``missed``: by how much the published probabilities of matured lists missed the
        measure on average, null while none has matured. Empty where a scorecard ranked, or fewer than
        `LEAST_LEADS` leads have a probability.

    Raises
    ------
    StorageError
        The list cannot be read.
    """
    one = listed(run)
    way, line = _line(past, run, least=limits.min_outcomes)
    missed, test = _missed(past), {} if bundle is None else bundle.target.metrics
    figures: list[Figure] = []
    for name, flags in one.slices.items():
        said = one.said[flags & np.isfinite(one.said)]
        if len(said) < LEAST_LEADS:
            continue
        said = np.clip(said, SURELY_OPEN, 1 - SURELY_OPEN)
        found = estimates(said) if line is None else estimates_by(line, said)
        of_training = test if name == EVERY else {}
        figures += [
            _figure(m, each, name, len(said), of_training.get(m), limits) for m, each in found.items()
        ]
    return Part(tuple(figures), {"estimated": _table(figures, way, missed)} if figures else {})


def _line(past: Mapping[str, pa.Table], run: Run, *, least: int) -> tuple[str, Line | None]:
    """What matured lists say of a probability: those of the list's own model, or else all of them."""
    cells = past.get("realised_cells")
    if cells is None or not cells.num_rows:
        return PUBLISHED, None
    digest = (run.manifest.get("model") or {}).get("digest")
    own = cells.filter(pc.fill_null(pc.equal(cells.column("model"), digest or ""), False))  # noqa: FBT003  # pyarrow's own
    for way, chosen in ((OWN, own), (EARLIER, cells)):
        rows, won = (float(np.sum(chosen.column(name).to_numpy())) for name in ("rows", "won"))
        lists = len(set(chosen.column("run_id").to_pylist()))
        if lists and min(won, rows - won) / lists >= least:
            found = Cells(*(chosen.column(name).to_numpy() for name in ("log_odds", "rows", "won")))
            return way, Line.of(found, times=lists)
    return PUBLISHED, None


def _missed(past: Mapping[str, pa.Table]) -> dict[str, float]:
    """By measure: mean distance of what matured lists turned out to be from what their probabilities said."""
    rows = past.get("realised")
    if rows is None:
        return {}
    kept = rows.filter(pc.and_(pc.equal(rows.column("slice"), EVERY), pc.is_valid(rows.column("expected"))))
    away = pc.abs(pc.subtract(kept.column("value"), kept.column("expected")))
    counted = kept.append_column("away", away).group_by("measure").aggregate([("away", "mean")])
    return dict(
        zip(counted.column("measure").to_pylist(), counted.column("away_mean").to_pylist(), strict=True)
    )


def _figure(
    measure: str, found: Estimate, name: str, rows: int, test: Any, limits: EstimatedLimits
) -> Figure:
    """A figure of the estimate, beside that of the training's test: ``value``, ``low``, ``high``, or None."""
    low, high = found.interval()
    against = test["value"] if isinstance(test, Mapping) else None
    most = None if against is None else limits.most(measure, against)
    level = OK if most is None else _level(found, test, most)
    return Figure(
        kind=KIND,
        subject=measure,
        measure="value",
        value=found.value,
        slice=name,
        reference="" if against is None else TRAINING,
        against=against,
        low=low,
        high=high,
        rows=rows,
        limit=most,
        level=level,
        because=Phrase(SAYS[measure], value=found.value, against=against) if level != OK else "",
    )


def _level(found: Estimate, test: Mapping[str, float], most: float) -> str:
    """How bad an estimate is: it has to be below the test by more than allowed, and than both are unsure of.

    Never a reason to train again: the estimate takes for granted that the model is still right.
    """
    of_test = (test["high"] - test["low"]) / 2 / NormalDist().inv_cdf(0.975)
    surely = NormalDist().inv_cdf((1 + SURE) / 2) * float(np.hypot(found.error, of_test))
    fall = test["value"] - found.value
    if fall <= max(most, surely):
        return OK
    return ALARM if fall > ALARM_TIMES * most else WARNING


def _table(figures: list[Figure], way: str, missed: Mapping[str, float]) -> pa.Table:
    return pa.table(
        {
            "slice": pa.array([each.slice for each in figures], pa.string()),
            "measure": pa.array([each.subject for each in figures], pa.string()),
            "rows": pa.array([each.rows for each in figures], pa.int64()),
            "value": pa.array([each.value for each in figures], pa.float64()),
            "low": pa.array([each.low for each in figures], pa.float64()),
            "high": pa.array([each.high for each in figures], pa.float64()),
            "way": pa.array([way] * len(figures), pa.string()),
            "against": pa.array([each.against for each in figures], pa.float64()),
            "reference": pa.array([each.reference for each in figures], pa.string()),
            "missed": pa.array([missed.get(each.subject) for each in figures], pa.float64()),
        }
    )
