"""More labelled snapshots than one machine learns from: which are kept, and for how many each then stands.

The rarer label stays whole while it takes at most half of the rows; the other is drawn. The draw is
stratified by label, by month of the moment, and by whether the label's window is over, so that no month is
lost; within a stratum a hash of lead and moment draws, whatever the order of the rows. A kept row then counts
by the inverse of the share that was drawn of its stratum (Horvitz and Thompson 1952), the share being one of
what the rows stand for, not of their number (the separate ratio estimator: Cochran 1977, *Sampling
Techniques*, section 6.10): each stratum adds up to what it was, so a rate of all labels is not estimated but
kept.

A draw that knows the label may be undone by weights in a rate, and not in what counts rows as they are. For
that there are the rows that every snapshot had the same chance to be among (`Sample.even`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

WEIGHTS = ("stands_for", "weight")
MILLIONTHS = 1_000_000  # sums of whole numbers do not depend on the order in which threads add them up
_STRATUM, _PLACE, _FACTOR = "stratum|", "place|", "factor|{name}"  # a bar is in no column's name


@dataclass(frozen=True)
class Sample:
    """What was drawn.

    Attributes
    ----------
    rows, of
        How many snapshots were kept, of how many.
    even
        Column ``snapshot_id``: kept ones among which each of all snapshots had the same chance to be.
    """

    rows: int
    of: int
    even: ir.Table


@dataclass(frozen=True)
class Stratum:
    """Snapshots of one label and period: ``number`` names it, ``rows`` is how many it has, at least 1."""

    number: int
    label: float
    rows: int


def sampled(backend: Any, labelled: ir.Table, *, max_rows: int | None) -> tuple[ir.Table, Sample | None]:
    """At most so many of the labelled snapshots.

    Parameters
    ----------
    backend
        Ibis DuckDB backend that keeps what was drawn.
    labelled
        A table of it: ``snapshot_id``, ``lead_id``, ``as_of``, ``label`` (1.0 or 0.0), the weights
        ``stands_for`` and ``weight`` (above 0; one of them is enough), and ``is_mature`` if it is known.
    max_rows
        None keeps all.

    Returns
    -------
    Table and Sample
        Exactly ``max_rows`` of the rows, their weights raised; or the table as it is and None, where it has
        no more.
    """
    count = int(labelled.count().to_pyarrow().as_py())
    if max_rows is None or count <= max_rows:
        return labelled, None
    marked, strata = _divided(labelled, max_rows)
    taken = quotas(strata, max_rows)
    evenly = even(strata, taken)
    drawn = _drawn(backend, marked, taken)
    kept = _raised(backend, marked, drawn).select(labelled.columns)
    alike = _among(backend, "evenly", drawn, evenly).select("snapshot_id")
    return (
        backend.create_table("sampled", kept, overwrite=True),
        Sample(max_rows, count, backend.create_table("drawn_alike", alike, overwrite=True)),
    )


def quotas(strata: Sequence[Stratum], max_rows: int) -> dict[int, int]:
    """How many rows to draw of each stratum, by its number: ``max_rows`` in all, one of each at the least.

    Parameters
    ----------
    strata
        They have more rows than ``max_rows``; of either label no more strata than its share of these.

    Examples
    --------
    >>> quotas([Stratum(0, 0.0, 60), Stratum(1, 1.0, 3), Stratum(2, 0.0, 30)], 13)
    {1: 3, 0: 6, 2: 4}
    """
    rarer, budgets = _budgets(strata, max_rows)
    parts = [[s for s in strata if s.label == rarer], [s for s in strata if s.label != rarer]]
    return {
        stratum.number: 1 + more
        for part, budget in zip(parts, budgets, strict=True)
        for stratum, more in zip(part, _spread([s.rows - 1 for s in part], budget - len(part)), strict=True)
    }


def even(strata: Sequence[Stratum], taken: Mapping[int, int]) -> dict[int, int]:
    """How many of each stratum's drawn rows to keep so that all strata have the smallest drawn share."""
    share = min(Fraction(taken[stratum.number], stratum.rows) for stratum in strata)
    rows = [stratum.rows for stratum in strata]
    kept = _spread(rows, ceil(share * sum(rows)))
    return {s.number: min(count, taken[s.number]) for s, count in zip(strata, kept, strict=True)}


def _budgets(strata: Sequence[Stratum], max_rows: int) -> tuple[float, tuple[int, int]]:
    """The rarer label, and how many rows it and the other one may have."""
    rows = {label: sum(s.rows for s in strata if s.label == label) for label in (1.0, 0.0)}
    rarer = min(rows, key=lambda label: rows[label])
    own = min(rows[rarer], max_rows // 2)
    return rarer, (own, max_rows - own)


def _spread(sizes: Sequence[int], budget: int) -> list[int]:
    """A budget over parts in proportion to their sizes; the roundings add up to nothing.

    >>> _spread([3, 3, 3], 4)
    [1, 1, 2]
    """
    total = max(sum(sizes), 1)
    ends = [0, *(passed * budget // total for passed in accumulate(sizes))]
    return [end - start for start, end in pairwise(ends)]


def _divided(labelled: ir.Table, max_rows: int) -> tuple[ir.Table, list[Stratum]]:
    """The rows with the number of their stratum; of one period where there are more months than rows."""
    month = labelled.as_of.year().cast("int64") * 12 + labelled.as_of.month()
    by_month = labelled.mutate(**{_STRATUM: month * 4 + _kind(labelled)})
    strata = list(_strata(by_month))
    rarer, budgets = _budgets(strata, max_rows)
    months = [sum((s.label == rarer) is is_rarer for s in strata) for is_rarer in (True, False)]
    if all(count <= budget for count, budget in zip(months, budgets, strict=True)):
        return by_month, strata
    in_all = labelled.mutate(**{_STRATUM: _kind(labelled)})
    return in_all, list(_strata(in_all))


def _kind(labelled: ir.Table) -> ir.IntegerValue:
    """Label, and whether its window is over: 0 to 3."""
    is_mature = labelled.is_mature.cast("int64") if "is_mature" in labelled.columns else ibis.literal(1)
    return labelled.label.cast("int64") * 2 + is_mature


def _strata(marked: ir.Table) -> Iterator[Stratum]:
    counted = marked.group_by(_STRATUM, "label").aggregate(rows=marked.count()).order_by(_STRATUM)
    for row in counted.to_pyarrow().to_pylist():
        yield Stratum(row[_STRATUM], row["label"], row["rows"])


def _drawn(backend: Any, marked: ir.Table, taken: Mapping[int, int]) -> ir.Table:
    """The first rows of each stratum by their hash, with their place among them."""
    moment = marked.as_of.truncate("s").epoch_seconds().cast("string")
    # Not the hash of `features.snapshots.drawn`: by that one, rows of leads that lasted come first.
    draw = ("row|" + marked.lead_id + "|" + moment).hexdigest("md5")
    order = ibis.window(group_by=_STRATUM, order_by=[draw, marked.snapshot_id])
    placed = marked.mutate(**{_PLACE: ibis.row_number().over(order)})
    return backend.create_table("drawn_rows", _among(backend, "quotas", placed, taken), overwrite=True)


def _among(backend: Any, name: str, placed: ir.Table, counts: Mapping[int, int]) -> ir.Table:
    """The first so many rows of each stratum."""
    table = backend.create_table(
        name, pa.table({"number": [*counts], "most": [*counts.values()]}), overwrite=True
    )
    rows = placed.inner_join(table, placed[_STRATUM] == table.number)
    return rows.filter(rows[_PLACE] < rows.most).select(placed.columns)


def _raised(backend: Any, marked: ir.Table, drawn: ir.Table) -> ir.Table:
    """The drawn rows, their weights times what all rows of the stratum stand for over what these do."""
    names = [name for name in WEIGHTS if name in marked.columns]
    every, kept = (_sums(rows, names) for rows in (marked, drawn))
    factors = {
        "number": [*kept],
        **{_FACTOR.format(name=n): [every[at][n] / kept[at][n] for at in kept] for n in names},
    }
    table = backend.create_table("factors", pa.table(factors), overwrite=True)
    rows = drawn.inner_join(table, drawn[_STRATUM] == table.number)
    return rows.mutate(**{name: rows[name] * rows[_FACTOR.format(name=name)] for name in names})


def _sums(rows: ir.Table, names: Sequence[str]) -> dict[int, dict[str, int]]:
    """What the rows of each stratum stand for, in millionths."""
    sums = {name: (rows[name] * MILLIONTHS).round().cast("int64").sum() for name in names}
    counted = rows.group_by(_STRATUM).aggregate(**sums).order_by(_STRATUM)
    return {row.pop(_STRATUM): row for row in counted.to_pyarrow().to_pylist()}
