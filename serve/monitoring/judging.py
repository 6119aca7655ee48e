"""The figures of one published list, or of a slice of it, beside what its own probabilities made expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from models.audit.association import Flags
from models.chance_errors import chance_errors
from models.estimating import Estimate, estimates
from models.metrics import Vector, measure
from models.recalibrating import Cells, Line
from serve.monitoring.figure import EVERY
from serve.monitoring.matured import Matured

ORDER = ("roc_auc", "lift_10", "lift_20", "capture_10", "capture_20", "precision_10", "precision_20")
"""Measures of an order alone: a list without probabilities has them too."""
SLOPE, WINS = "calibration_slope", "wins"
OF_CHANCES = ("log_loss", "brier", SLOPE)
"""Measures of probabilities, beside `WINS`."""
SURELY_OPEN = 1e-9  # a probability of 0 or 1 would make every estimate of its list impossible
TEXTS = ("run_id", "as_of", "model", "slice", "measure")


@dataclass(frozen=True)
class Judged:
    """One figure of one slice of one list: a row of the table ``realised``.

    Attributes
    ----------
    run_id, as_of, model
        The list, or the latest of those that it is the mean of; the digest of its model.
    rows, outcomes
        Leads, and those that were won.
    value, error
        The figure and its standard error; None: too few to be judged.
    expected, expected_error
        What the published probabilities made expect, and how far chance alone carries the figure from there;
        None without probabilities.
    """

    run_id: str
    as_of: str
    model: str | None
    slice: str
    measure: str
    rows: int
    outcomes: int
    value: float | None
    error: float | None
    expected: float | None
    expected_error: float | None

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """95 % around the value."""
        return _ends(self.value, self.error)

    @property
    def expected_interval(self) -> tuple[float | None, float | None]:
        """95 % around what was expected."""
        return _ends(self.expected, self.expected_error)


def judged(one: Matured, name: str, flags: Flags, *, least: int) -> Iterator[Judged]:
    """The figures of a slice of a list.

    Parameters
    ----------
    name, flags
        The slice and its rows, shape (n,). Of a list with probabilities, leads whose probability was withheld
        are left out of it.
    least
        Won and not-won leads without which a figure is None. For the number of wins so many of either have to
        be expected, whatever came true: to judge it only where many were won would find many won.
    """
    chosen = flags if one.is_by_card else flags & np.isfinite(one.said)
    label = one.label[chosen]
    won = int(label.sum())
    base: dict[str, Any] = {
        "run_id": one.run.run_id,
        "as_of": one.run.as_of,
        "model": one.model,
        "slice": name,
        "rows": len(label),
        "outcomes": won,
    }
    said = np.clip(one.said[chosen], SURELY_OPEN, 1 - SURELY_OPEN)
    if _are_few(won, len(label), least):
        figures = _nothing(ORDER if one.is_by_card else (*ORDER, *OF_CHANCES))
    elif one.is_by_card:
        figures = _values(label, one.place[chosen], ORDER)
    else:
        figures = _with_expected(label, said)
    yield from (Judged(**base, measure=measured, **found) for measured, found in figures)
    if not one.is_by_card:
        likely = float(said.sum())
        counted = _nothing([WINS]) if _are_few(likely, len(label), least) else _wins(label, said)
        yield from (Judged(**base, measure=measured, **found) for measured, found in counted)


def means(rows: Sequence[Judged], by: Callable[[Judged], Any] = lambda _: None) -> list[Judged]:
    """The mean over lists of each figure of each slice, and of each group that ``by`` tells apart.

    The lists of following weeks share most of their leads: the error of a mean is the mean error, which is
    never too small. A list without the figure is not in its mean.
    """

    def key(row: Judged) -> Any:
        return (by(row), row.slice, row.measure)

    kept = sorted(rows, key=lambda row: (str(by(row)), row.slice, row.measure, row.as_of))
    return [_mean(list(group)) for _, group in groupby(kept, key)]


def by_month(rows: Sequence[Judged]) -> list[Judged]:
    """Means of all leads by month of the lists (UTC): ``as_of`` is that of the month's latest list."""
    return means([row for row in rows if row.slice == EVERY], lambda row: row.as_of[:7])


def table_of(rows: Sequence[Judged]) -> pa.Table:
    """The rows with their intervals: ``low``, ``high``, ``expected_low``, ``expected_high``."""
    records = []
    for row in rows:
        ends = dict(
            zip(
                ("low", "high", "expected_low", "expected_high"),
                (*row.interval, *row.expected_interval),
                strict=True,
            )
        )
        records.append(asdict(row) | ends)
    kinds = {
        name: pa.string() if name in TEXTS else pa.int64() if name in {"rows", "outcomes"} else pa.float64()
        for name in records[0]
    }
    return pa.Table.from_pylist(records, pa.schema(kinds))


def _values(label: Vector, order: Vector, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    found = measure(label, order).as_json()
    errors = chance_errors(label, order)
    found |= {f"precision_{share}": found[f"lift_{share}"] * float(label.mean()) for share in (10, 20)}
    for name in names:
        yield name, {"value": found[name], "error": errors[name], "expected": None, "expected_error": None}


def _with_expected(label: Vector, said: Vector) -> Iterator[tuple[str, dict[str, Any]]]:
    expected = estimates(said)
    for name, found in _values(label, said, (*ORDER, "log_loss", "brier")):
        yield name, found | _told(expected[name])
    line = Line.of(Cells.of(said, label))
    error = float(np.hypot(*line.root[0]))
    yield SLOPE, {"value": line.slope, "error": error} | _told(Estimate(1.0, error))


def _wins(label: Vector, said: Vector) -> Iterator[tuple[str, dict[str, Any]]]:
    error = float(np.sqrt(len(label)) * label.std())
    yield WINS, {"value": float(label.sum()), "error": error} | _told(estimates(said)[WINS])


def _nothing(names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, dict.fromkeys(("value", "error", "expected", "expected_error"))) for name in names)


def _are_few(won: float, rows: int, least: int) -> bool:
    return min(won, rows - won) < least


def _told(estimate: Estimate) -> dict[str, Any]:
    return {"expected": estimate.value, "expected_error": estimate.error}


def _mean(rows: Sequence[Judged]) -> Judged:
    known = [row for row in rows if row.value is not None]

    def mean(name: str) -> Any:
        values = [value for row in known if (value := getattr(row, name)) is not None]
        return float(np.mean(values)) if values else None

    return replace(
        rows[-1],
        rows=round(np.mean([row.rows for row in known or rows])),
        outcomes=round(np.mean([row.outcomes for row in known or rows])),
        **{name: mean(name) for name in ("value", "error", "expected", "expected_error")},
    )


def _ends(value: float | None, error: float | None) -> tuple[float | None, float | None]:
    return (None, None) if value is None or error is None else Estimate(value, error).interval()
