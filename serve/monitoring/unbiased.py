"""How good the ranking is over all leads of the call lists, from the outcomes of called leads alone.

Who was not called has no outcome of his own, so figures over called leads are those of the best. The slice
that is drawn (`serve.lists.exploring`) mends it: each called lead counts by the inverse of the chance that it
had to be called. The control group of a holdout is left out: no ranking chose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from features.moments import naive_utc
from models.metrics import Ranked, Vector, interval
from models.weights import effective
from serve.keeping import reading
from serve.lists.calls import CALLS
from serve.monitoring.figure import Figure, Part
from serve.monitoring.listed import moment_of
from serve.reporting.names import CHANCES, CONTROL
from serve.runs import Run, damaged_files

KIND = "unbiased"
RATE = "rate"
"""Subject of the conversion, and the beginning of that of each band."""
MEASURES = ("roc_auc", "lift_10", "lift_20")
BANDS = (1.0, *CHANCES, 0.0)
"""Ends of the bands of the published probability, the best first."""
FEWEST_DRAWN, FEWEST_CONVERTED = 30, 5
"""Drawn leads, and converted called ones, without which nothing is estimated."""
RESAMPLES, LEVEL = 200, 0.95
Z = 1.959963984540054


def unbiased(
    connection: duckdb.DuckDBPyConnection,
    nights: Sequence[Run],
    *,
    as_of: datetime,
    stage: str,
    horizon_days: int,
    delay_days: int,
    seed: int = 0,
) -> Part:
    """Conversion by band of the probability, ROC-AUC and lift over all leads of past lists.

    Parameters
    ----------
    connection
        Has the table ``outcomes``; what was recorded at ``as_of`` or later is not seen.
    nights
        Published runs; those without a call list, and those whose horizon is not over, say nothing.
    stage, horizon_days, delay_days
        What had to be reached, within how many days of the list, and until when it is surely recorded.

    Returns
    -------
    Part
        Figures of the kind `KIND` (none with too few drawn or converted leads), and as table ``unbiased``
        what `estimates` returns.
    """
    moment = naive_utc(as_of)
    last = moment - timedelta(days=horizon_days + delay_days)
    with ExitStack() as held:
        mature = {
            str(run.folder / CALLS): naive_utc(moment_of(run))
            for run in nights
            if naive_utc(moment_of(run)) <= last and _is_there(run, held)
        }
        if not mature:
            return Part(())
        rows = pa.table({"filename": [*mature], "as_of": pa.array([*mature.values()], pa.timestamp("us"))})
        connection.register("_nights", rows)
        asked = {
            "files": [*mature],
            "control": CONTROL,
            "stage": stage,
            "days": horizon_days,
            "moment": moment,
        }
        called = connection.execute(_SQL, asked).to_arrow_table()
        connection.unregister("_nights")
    found = estimates(called, seed=seed)
    figures = [
        Figure(
            KIND,
            row["subject"],
            "value",
            row["value"],
            low=row["low"],
            high=row["high"],
            rows=row["called"],
            reference="called" if row["of_called"] is not None else "",
            against=row["of_called"],
        )
        for row in found.to_pylist()
    ]
    return Part(tuple(figures), {"unbiased": found})


def _is_there(run: Run, held: ExitStack) -> bool:
    """Whether a run has a whole call list; it stays until ``held`` is left, whoever collects meanwhile."""
    if not (run.folder / CALLS).is_file():
        return False
    try:
        held.enter_context(reading(run))
    except FileNotFoundError:
        return False
    return not damaged_files(run, CALLS)


_SQL = """
    SELECT lead_id, probability, selection_probability, as_of,
           EXISTS (
               FROM outcomes WHERE outcomes.lead_id = calls.lead_id AND stage = $stage
               AND occurred_at >= as_of AND occurred_at < as_of + to_days($days::INTEGER)
               AND recorded_at < $moment
           ) AS is_converted
    FROM read_parquet($files, filename = TRUE) AS calls JOIN _nights USING (filename)
    WHERE why <> $control AND probability IS NOT NULL ORDER BY as_of, lead_id
"""
SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        **dict.fromkeys(("value", "low", "high", "of_called"), pa.float64()),
        "called": pa.int64(),
        "effective": pa.float64(),
    }
)


def estimates(called: pa.Table, *, seed: int = 0) -> pa.Table:
    """What called leads say of all.

    Parameters
    ----------
    called
        ``lead_id``, ``probability``, ``selection_probability`` (above 0), ``is_converted``; a row for each
        time that a lead was called.

    Returns
    -------
    pa.Table
        ``subject`` (``rate``; ``rate 0.1 to 0.2`` and so on by band of the probability; `MEASURES`),
        ``value`` with the ends of its 95 % interval, ``of_called`` (the same figure over called leads as
        they are), ``called`` rows, and how many rows of equal weight would tell as much (``effective``).
        Empty with too few drawn or converted leads.

    Notes
    -----
    Rates are self-normalised: weighted conversions over the sum of the weights (Hájek 1971, *Comment on "An
    essay on the logical foundations of survey sampling"*), which varies less than the estimator of Horvitz
    and Thompson (1952) where weights do. Their intervals are linearised, by lead: the variance of the sum of
    weight times residual (Särndal, Swensson and Wretman 1992, *Model Assisted Survey Sampling*, section 5.7).
    ROC-AUC and lift are those of weighted rows; leads are resampled for their intervals.
    """
    chance, label = _of(called, "selection_probability"), _of(called, "is_converted")
    weight, said = 1 / chance, _of(called, "probability")
    if (chance < 1).sum() < FEWEST_DRAWN or label.sum() < FEWEST_CONVERTED or label.all():
        return SCHEMA.empty_table()
    _, lead = np.unique(np.asarray(called["lead_id"].to_pylist(), dtype=object), return_inverse=True)
    rows = [_rate(RATE, label, weight, lead)]
    for high, low in pairwise(BANDS):
        inside = (said >= low) & (said < high) if high < 1 else said >= low
        if inside.any():
            rows.append(_rate(f"{RATE} {low:g} to {high:g}", label[inside], weight[inside], lead[inside]))
    return pa.Table.from_pylist(rows + _ranking(label, said, weight, lead, seed), SCHEMA)


def _of(table: pa.Table, name: str) -> Vector:
    return np.asarray(table[name].cast(pa.float64()).to_numpy())


def _rate(subject: str, label: Vector, weight: Vector, lead: np.ndarray) -> dict[str, object]:
    value = float(np.average(label, weights=weight))
    of_lead = np.bincount(lead, weight * (label - value))
    spread = Z * float(np.sqrt((of_lead**2).sum())) / float(weight.sum())
    return {
        "subject": subject,
        "value": value,
        "low": max(0.0, value - spread),
        "high": min(1.0, value + spread),
        "of_called": float(label.mean()),
        **_size(weight),
    }


def _ranking(
    label: Vector, said: Vector, weight: Vector, lead: np.ndarray, seed: int
) -> list[dict[str, object]]:
    ranked = Ranked.of(label, said)
    every, plain = (ranked.measure(given).as_json() for given in (weight, np.ones_like(weight)))
    ends = interval(label, said, lead, weight=weight, resamples=RESAMPLES, seed=seed, level=LEVEL)
    return [
        {
            "subject": name,
            "value": every[name],
            "low": ends[name][0],
            "high": ends[name][1],
            "of_called": plain[name],
            **_size(weight),
        }
        for name in MEASURES
    ]


def _size(weight: Vector) -> dict[str, object]:
    return {"called": len(weight), "effective": float(effective(weight, len(weight)).sum())}
