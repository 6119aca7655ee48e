"""Lines that a learned points card may have: one condition on one feature, and the way that it pulls.

A number pulls one way over its whole range: its direction is read from the training rows, and the feature is
left out if later rows say otherwise. Bounds are rounded to two digits, for the card is read by people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import NOT_KNOWN, FeatureSpec, around
from models.metrics import Vector
from models.points.rule import Rule
from models.weights import mean, per_row

Flags: TypeAlias = npt.NDArray[np.bool_]

CUTS = (0.1, 0.25, 0.5, 0.75, 0.9)  # quantiles of the known values
CUTS_ABOVE_LEAST = (0.0, 0.5, 0.8)  # and of those above the least: most counts are 0 for most leads
LEAST_ROWS = 20  # that meet a line, and that do not
MOST_VALUES = 30  # of a category
DIGITS = 2


@dataclass(frozen=True)
class Line:
    """A rule without its points.

    Attributes
    ----------
    rule
        The condition; its points are the direction: 1 or -1.
    holds
        Whether it holds, for each of the rows asked about, shape (n,).
    """

    rule: Rule
    holds: Flags

    @property
    def pull(self) -> Vector:
        """The direction where the line holds, 0 elsewhere, shape (n,)."""
        return np.asarray(self.rule.points * self.holds, dtype=np.float64)


def lines(
    table: pa.Table,
    label: Vector,
    earlier: slice,
    later: slice,
    specs: Sequence[FeatureSpec],
    *,
    weight: Vector | None = None,
) -> list[Line]:
    """Every line whose direction is the same on earlier and on later rows.

    Parameters
    ----------
    table
        n rows with a column per feature.
    label
        0 or 1, shape (n,).
    earlier, later
        Rows to learn the bounds and directions from, and to check the directions on.
    weight
        How often each row counts in a rate, shape (n,); None is once.
    """
    found, counts = [], per_row(weight, len(label))
    for spec in specs:
        column = table.column(spec.name)
        for rule in _conditions(column.slice(earlier.start, earlier.stop - earlier.start), spec):
            line = Line(rule, rule.holds(column))
            way = _way(line.holds[earlier], label[earlier], counts[earlier])
            if way == 0 or way * _way(line.holds[later], label[later], counts[later], least=1) < 0:
                continue
            if spec.kind == "category" and rule.is_missing is None:
                found.append(Line(_pointing(rule, way), line.holds))
            elif way > 0:
                found.append(line)
    return list(_one_way(found))


def line_sentence(rule: Rule, spec: FeatureSpec) -> str:
    """A line of the card in the words of its feature.

    >>> spec = FeatureSpec("visits", "visits", "behaviour", "number", "{value:.0f} visits")
    >>> line_sentence(Rule("visits", 12, at_least=3), spec)
    'at least: 3 visits'
    """
    if rule.is_missing is not None:
        any_value = spec.sentence(None)
        return around(NOT_KNOWN, "en", sentence=any_value) if rule.is_missing else f"known: {any_value}"
    if rule.equals is not None:
        return spec.sentence(rule.equals)
    if rule.at_least is not None:
        return f"at least: {spec.sentence(rule.at_least)}"
    return f"at most: {spec.sentence(rule.at_most)}"


def _conditions(column: pa.ChunkedArray, spec: FeatureSpec) -> Iterator[Rule]:
    """Conditions as rules of one point."""
    if column.null_count:
        yield from (Rule(spec.name, 1, is_missing=flag) for flag in (True, False))
    if spec.kind == "category":
        counts = pc.value_counts(column.drop_null().cast(pa.string())).to_pylist()
        common = sorted((-row["counts"], row["values"]) for row in counts)[:MOST_VALUES]
        yield from (Rule(spec.name, 1, equals=value) for _, value in common)
        return
    for bound in _bounds(column):
        yield Rule(spec.name, 1, at_least=bound)
        yield Rule(spec.name, 1, at_most=bound)


def _bounds(column: pa.ChunkedArray) -> list[float]:
    values = np.asarray(column.cast(pa.float64()).to_numpy())
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return []
    cuts = [np.quantile(known, CUTS)]
    above = known[known > known.min()]
    if len(above):
        cuts.append(np.quantile(above, CUTS_ABOVE_LEAST))
    return sorted({float(f"{cut:.{DIGITS}g}") for cut in np.concatenate(cuts)})


def _way(holds: Flags, label: Vector, weight: Vector, *, least: int = LEAST_ROWS) -> float:
    """1 if the rows that meet a line convert more often than the others, -1 if less; 0 if too few do."""
    inside = int(holds.sum())
    if min(inside, len(holds) - inside) < least:
        return 0.0
    return float(np.sign(mean(label[holds], weight[holds]) - mean(label[~holds], weight[~holds])))


def _pointing(rule: Rule, way: float) -> Rule:
    return Rule(rule.feature, way, equals=rule.equals)


def _one_way(found: Sequence[Line]) -> Iterator[Line]:
    """Of each number only the bounds of the way that more of its lines point."""
    rising: dict[str, int] = {}
    for line in found:
        step = (line.rule.at_least is not None) - (line.rule.at_most is not None)
        rising[line.rule.feature] = rising.get(line.rule.feature, 0) + step
    for line in found:
        is_up, is_down = line.rule.at_least is not None, line.rule.at_most is not None
        if (
            not (is_up or is_down)
            or (is_up and rising[line.rule.feature] > 0)
            or (is_down and rising[line.rule.feature] < 0)
        ):
            yield line
