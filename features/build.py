"""The feature table: one row per snapshot, one column per feature, each history read once.

The history of a table is joined once and kept, with the columns that are read. From it come few aggregations:
one per window for plain features, one per window and value for ``per`` features (a row for each value that a
lead has, which is then turned into columns), and one in two levels for counts of different values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.exceptions import IbisTypeError

from features.catalogue import Feature
from features.company import Company
from features.errors import FeatureError, listed
from features.history import BY_ITSELF, IN_ORDER, is_within, with_order, with_previous, with_times, within
from features.pasts import PASTS, PER_COLUMN, PLAIN, World, may_be_absent, past, without_rows
from features.tables import Field
from features.vocabulary import Vocabulary

KEYS = ("snapshot_id", "lead_id", "as_of")
INTERNAL = ("snapshot_id", "as_of", "row_number", "lead_age_us", "age_us", "weight_here")
"""Columns of a history that only the engine reads: a feature is told of the others."""
Keep: TypeAlias = Callable[[ir.Table], ir.Table]
"""Computes a table once for all that reads it."""
DECIMALS = 6  # last-digit differences between engines cannot cross a split
OFF_THE_MIDDLE = 1e-10
"""Added before rounding: 27 seconds are 0.0003125 days, which one engine rounds down and another up."""


def cached(table: ir.Table) -> ir.Table:
    """Computes a table at once and keeps it until nothing refers to it."""
    kept: ir.Table = table.cache()
    return kept


def feature_table(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    features: Iterable[Feature],
    fields: Mapping[str, Mapping[str, Field]],
    vocabulary: Vocabulary | None = None,
    *,
    keep: Keep = cached,
) -> ir.Table:
    """Compute features for every snapshot.

    Parameters
    ----------
    snapshots
        ``snapshot_id`` (unique), ``lead_id``, ``as_of``.
    tables
        Loaded tables by canonical name.
    features
        Features to compute; all their tables must be there (see ``available``).
    fields
        The user's declared fields by table and name.
    vocabulary
        What the team's words mean; None leaves all words without a meaning.
    keep
        How a table that several parts read is kept: at once, unless the query is only written down.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``lead_id``, ``as_of`` and one column per feature, numbers as float64 rounded
        to six decimals.

    Raises
    ------
    FeatureError
        A feature returned many values per lead or reads a column that its table does not have.
    """
    features = tuple(features)
    parts = feature_parts(snapshots, tables, features, fields, vocabulary, keep=keep)
    table = _side_by_side(snapshots.select(*KEYS), [part.rows for part in parts], keep)
    ordered = dict.fromkeys(feature.on for feature in features)
    of_scan = {on: [feature for feature in features if feature.on == on] for on in ordered}
    return table.select(*KEYS, **{f.name: _finished(table, f) for group in of_scan.values() for f in group})


@dataclass(frozen=True)
class Part:
    """Features that one query computes.

    Attributes
    ----------
    rows
        ``snapshot_id`` and a column per feature, not finished; a snapshot without facts may have no row.
    features
        Those features.
    """

    rows: ir.Table
    features: tuple[Feature, ...]

    def finished(self) -> ir.Table:
        """The rows with numbers as float64, rounded, as `feature_table` has them."""
        return self.rows.select("snapshot_id", **{f.name: _finished(self.rows, f) for f in self.features})


def feature_parts(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    features: Iterable[Feature],
    fields: Mapping[str, Mapping[str, Field]],
    vocabulary: Vocabulary | None = None,
    *,
    keep: Keep = cached,
    company: Company | None = None,
) -> list[Part]:
    """The features in parts that are not joined yet; else as `feature_table`.

    Parameters
    ----------
    company
        Figures that leads are compared with; None: they are compared with the leads of the tables.
    """
    world = World(tables, fields, vocabulary or Vocabulary(), company)
    scans: dict[str, list[Feature]] = defaultdict(list)
    for feature in features:
        scans[feature.on].append(feature)
    return [part for on, group in scans.items() for part in _passes(on, snapshots, world, group, keep)]


def _side_by_side(table: ir.Table, parts: Sequence[ir.Table], keep: Keep) -> ir.Table:
    """All parts beside the snapshots, by one chain of joins; a part's key is named by its place."""
    for place, part in enumerate(parts):
        key = f"|{place}"  # a bar is in no feature's name
        # Kept: as one query, engines plan and run a hundred aggregates far slower than one after the other.
        kept = keep(part.rename({key: "snapshot_id"}))
        table = table.left_join(kept, table.snapshot_id == kept[key])
    return table


def available(
    features: Iterable[Feature],
    tables: Mapping[str, ir.Table],
    fields: Mapping[str, Mapping[str, Field]],
    vocabulary: Vocabulary | None = None,
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Features that these tables can feed, and the names of those left out.

    A feature is left out if a table it reads is absent or lacks an optional contract column.
    """
    world = World(tables, fields, vocabulary or Vocabulary())
    pasts = {on: without_rows(on, world) for on in PASTS}
    kept, left_out = [], []
    for feature in features:
        rows = pasts[feature.on]
        if rows is not None and _reads_only_what_is_there(feature, rows):
            kept.append(feature)
        else:
            left_out.append(feature.name)
    return tuple(kept), tuple(left_out)


def common_values(table: ir.Table, column: str, most: int) -> list[str]:
    """The most common values of a column, ties by name."""
    counted = table.filter(table[column].notnull()).group_by(column).aggregate(rows=lambda t: t.count())
    top = counted.order_by([ibis.desc("rows"), column]).limit(most)
    return [str(value) for value in top.to_pyarrow()[column].to_pylist()]


def _passes(
    on: str, snapshots: ir.Table, world: World, features: Sequence[Feature], keep: Keep
) -> Iterator[Part]:
    if on in PER_COLUMN:
        columns_of = _columns if on in PLAIN else _over_all_rows
        for column in dict.fromkeys(feature.each for feature in features):
            group = [feature for feature in features if feature.each == column]
            yield Part(columns_of(past(on, snapshots, world, column=column), group), tuple(group))
    elif on in PLAIN:
        yield Part(_columns(past(on, snapshots, world), features), tuple(features))
    else:
        yield from _aggregates(_kept(past(on, snapshots, world), features, keep), features)


def _columns(rows: ir.Table, features: Sequence[Feature]) -> ir.Table:
    return rows.select("snapshot_id", **{f.name: _compute(f, rows) for f in features})


def _over_all_rows(rows: ir.Table, features: Sequence[Feature]) -> ir.Table:
    return rows.group_by("snapshot_id").aggregate(**{f.name: _one_value(f, rows) for f in features})


def _aggregates(kept: ir.Table, features: Sequence[Feature]) -> Iterator[Part]:
    """One part for each group of features that one aggregation computes."""
    plain: dict[int | None, list[Feature]] = defaultdict(list)
    by_value: dict[ops.Value, list[Feature]] = defaultdict(list)
    for feature in features:
        if (values := _values(feature, kept)) is None:
            plain[feature.days].append(feature)
        else:
            by_value[values].append(feature)
    for days, group in plain.items():
        yield Part(_over_all_rows(within(kept, days), group), tuple(group))
    for values, group in by_value.items():
        yield Part(_by_value(kept, values.to_expr(), group), tuple(group))


def _values(feature: Feature, kept: ir.Table) -> ops.Value | None:
    """Of what the feature looks at each value apart: the column it is ``per``, or what it counts distinct."""
    if feature.per is not None:
        return kept[feature.per].op()
    value = _compute(feature, kept).op()
    return value.arg if isinstance(value, ops.CountDistinct) and value.where is None else None


def _by_value(kept: ir.Table, values: ir.Value, features: Sequence[Feature]) -> ir.Table:
    """Each function once for each value that a lead has, in each window; then a column for each feature.

    Counting rows of values is far cheaper than many distinct or filtered counts over all facts.
    """
    rows = kept.mutate(value=values)
    lengths = [feature.days for feature in features if feature.days is not None]
    seen = within(rows, max(lengths) if len(lengths) == len(features) else None)
    asked = sorted({feature.each for feature in features if feature.each is not None})
    is_any = any(feature.each is None for feature in features)
    seen = seen.filter(seen.value.notnull() if is_any else seen.value.isin(asked))
    shared = {_slot(feature): feature for feature in features if feature.per is not None}
    results = {slot: _in_window(_one_value(f, seen), seen, f.days) for slot, f in shared.items()}
    long = seen.group_by("snapshot_id", "value").aggregate(**results, youngest=seen.age_us.min())
    return long.group_by("snapshot_id").aggregate(**{f.name: _across_values(f, long) for f in features})


def _slot(feature: Feature) -> str:
    """Name of the column that the copies of a ``per`` feature share."""
    return f"{id(feature.compute)}@{feature.days}"  # two functions of one factory have one name


def _across_values(feature: Feature, long: ir.Table) -> ir.Scalar:
    """From a row for each value to one value."""
    has_rows = ibis.literal(True) if feature.days is None else is_within(long.youngest, feature.days)  # noqa: FBT003
    if feature.per is None:
        return long.count(where=has_rows)
    result = long[_slot(feature)]
    if feature.is_top:
        about_equal = _rounded(result.cast("float64"))
        return long.value.argmax(ibis.struct({"result": about_equal, "value": long.value}), where=has_rows)
    return result.max(where=has_rows & (long.value == feature.each))


def _in_window(value: ir.Scalar, rows: ir.Table, days: int | None) -> ir.Scalar:
    """The same aggregate of the facts of a window, so that one pass serves all windows."""
    if days is None:
        return value
    inside = is_within(rows.age_us, days).op()

    def narrowed(node: ops.Node, changed: Mapping[str, object] | None) -> ops.Node:
        same = node.copy(**changed) if changed else node
        if not isinstance(same, ops.Reduction):
            return same
        return same.copy(where=inside if same.where is None else ops.And(same.where, inside))

    return value.op().replace(narrowed, filter=ops.Value).to_expr()


def _kept(rows: ir.Table, features: Sequence[Feature], keep: Keep) -> ir.Table:
    """The history as a table of its own: the widest window, and only the columns that are read."""
    ordered = with_order(rows)
    read = set[str]().union(*(_columns_read(feature, ordered) for feature in features))
    lengths = [feature.days for feature in features]
    # A gap may begin before the window that it ends in.
    needs_all = None in lengths or not read.isdisjoint(IN_ORDER)
    widest = None if needs_all else max(days for days in lengths if days is not None)
    sources = {source for name in read & set(BY_ITSELF) for source in BY_ITSELF[name]}
    kept = within(with_previous(rows, read), widest)
    columns = [name for name in kept.columns if name in read | sources | {"snapshot_id", "age_us"}]
    return with_times(keep(kept.select(*columns)), read)


def _columns_read(feature: Feature, rows: ir.Table) -> set[str]:
    value = _compute(feature, rows).op()
    read = {field.name for field in value.find(ops.Field, filter=ops.Value) if field.rel == rows.op()}
    return read if feature.per is None else {*read, feature.per}


def _compute(feature: Feature, rows: ir.Table) -> ir.Value:
    """Call the feature's function."""
    compute: Callable[..., ir.Value] = feature.compute
    try:
        return compute(rows)
    except AttributeError as error:
        raise _no_column(feature, rows, str(error.name)) from None
    except IbisTypeError as error:  # touch["place"] instead of touch.place: "Column 'place' is not found …"
        raise _no_column(feature, rows, str(error).partition("'")[2].partition("'")[0]) from None


def _no_column(feature: Feature, rows: ir.Table, name: str) -> FeatureError:
    public = [column for column in rows.columns if column not in INTERNAL]
    return FeatureError(
        f"feature '{feature.name}' reads a column that '{feature.on}' does not have ('{name}')",
        hint=f"it has {listed(public, most=len(public))}",
    )


def _one_value(feature: Feature, rows: ir.Table) -> ir.Scalar:
    value = _compute(feature, rows)
    if not isinstance(value, ir.Scalar):
        raise FeatureError(
            f"feature '{feature.name}' returned many values per lead",
            hint="end it with an aggregate such as .count(), .min() or .mean()",
        )
    return value


def _finished(table: ir.Table, feature: Feature) -> ir.Value:
    column = table[feature.name]
    if feature.kind == "category":
        return column.cast("string")
    # Rounding whole numbers would take a third of the time of a wide table.
    number = column.cast("float64")
    number = number if column.type().is_integer() else _rounded(number)
    return number if feature.empty is None else number.fill_null(float(feature.empty))


def _rounded(number: ir.FloatingValue) -> ir.FloatingValue:
    """To `DECIMALS`; the middle between two goes up, on every engine."""
    rounded: ir.FloatingValue = (number + OFF_THE_MIDDLE).round(DECIMALS)
    return rounded


def _reads_only_what_is_there(feature: Feature, rows: ir.Table) -> bool:
    missing = may_be_absent(feature.on) - set(rows.columns)
    if feature.per in missing:
        return False
    try:
        _compute(feature, rows)
    except FeatureError as error:
        if any(f"'{name}'" in error.reason for name in missing):
            return False
        raise
    return True
