"""The feature table: one row per snapshot, one column per feature, each history read once.

The history of a table is joined once and kept; each window is a filter on it and one aggregation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.exceptions import IbisTypeError

from features.catalogue import Feature
from features.errors import FeatureError, listed
from features.fields import lead_rows
from features.history import history, with_age, with_order, within
from features.tables import CONTRACT, Field

KEYS = ("snapshot_id", "lead_id", "as_of")
DECIMALS = 6  # last-digit differences between engines cannot cross a split

_TABLES_OF = {
    "leads": ("leads",),
    "touches": ("touches",),
    "outcomes": ("outcomes",),
    "account_touches": ("touches", "leads"),
}


def feature_table(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    features: Iterable[Feature],
    fields: Mapping[str, Mapping[str, Field]],
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
    scans: dict[str, list[Feature]] = defaultdict(list)
    for feature in features:
        scans[feature.on].append(feature)
    table = snapshots.select(*KEYS)
    for on, group in scans.items():
        past = _past(on, snapshots, tables, fields)
        for values in _passes(on, past, group):
            table = table.left_join(values, "snapshot_id").drop("snapshot_id_right")
    ordered = [feature for group in scans.values() for feature in group]
    return table.select(*KEYS, **{f.name: _finished(table, f) for f in ordered})


def available(
    features: Iterable[Feature], tables: Mapping[str, ir.Table], fields: Mapping[str, Mapping[str, Field]]
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Features that these tables can feed, and the names of those left out.

    A feature is left out if a table it reads is absent or lacks an optional contract column.
    """
    pasts = {on: _empty_past(on, tables, fields) for on in _TABLES_OF}
    kept, left_out = [], []
    for feature in features:
        past = pasts[feature.on]
        if past is not None and _reads_only_what_is_there(feature, past):
            kept.append(feature)
        else:
            left_out.append(feature.name)
    return tuple(kept), tuple(left_out)


def _empty_past(
    on: str, tables: Mapping[str, ir.Table], fields: Mapping[str, Mapping[str, Field]]
) -> ir.Table | None:
    """The history that a function would receive, without rows; None if a table or its link is absent."""
    if any(needed not in tables for needed in _TABLES_OF[on]):
        return None
    if on == "account_touches" and "account_id" not in tables["leads"].columns:
        return None
    snapshots = ibis.table({"snapshot_id": "int64", "lead_id": "string", "as_of": "timestamp"}, name="none")
    past = _past(on, snapshots, tables, fields)
    return past if on == "leads" else with_order(past)


def common_values(table: ir.Table, column: str, most: int) -> list[str]:
    """The most common values of a column, ties by name."""
    counted = table.filter(table[column].notnull()).group_by(column).aggregate(rows=lambda t: t.count())
    top = counted.order_by([ibis.desc("rows"), column]).limit(most)
    return [str(value) for value in top.to_pyarrow()[column].to_pylist()]


def _past(
    on: str,
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    fields: Mapping[str, Mapping[str, Field]],
) -> ir.Table:
    match on:
        case "leads":
            return lead_rows(snapshots, tables, fields)
        case "account_touches":
            return _committee(snapshots, tables["leads"], tables["touches"])
        case _:
            return history(snapshots, tables[on])


def _committee(snapshots: ir.Table, leads: ir.Table, touches: ir.Table) -> ir.Table:
    """Facts of the other leads of each snapshot's account, known before the moment."""
    members = leads.filter(leads.account_id.notnull()).select("lead_id", "account_id")
    asked = snapshots.join(members, "lead_id").select(
        "snapshot_id", "as_of", "account_id", snapshot_lead="lead_id"
    )
    others = asked.join(members, "account_id").filter(lambda t: t.lead_id != t.snapshot_lead)
    known = others.select("snapshot_id", "as_of", "lead_id").join(
        touches,
        ["lead_id", touches.occurred_at < others.as_of, touches.recorded_at < others.as_of],
    )
    return with_age(known)


def _passes(on: str, past: ir.Table, features: Sequence[Feature]) -> Iterable[ir.Table]:
    if on == "leads":
        yield past.select("snapshot_id", **{f.name: _compute(f, past) for f in features})
        return
    kept = _kept(past, features)
    windows: dict[tuple[int | None, bool], list[Feature]] = defaultdict(list)
    for feature in features:
        windows[feature.days, "gap_days" in _columns_read(feature, with_order(kept))].append(feature)
    for (days, needs_gaps), group in windows.items():
        ordered = with_order(kept)
        # An engine would sort for the gaps even where nobody reads them.
        seen = within(ordered if needs_gaps else ordered.drop("gap_days"), days)
        yield seen.group_by("snapshot_id").aggregate(**{f.name: _one_value(f, seen) for f in group})


def _kept(past: ir.Table, features: Sequence[Feature]) -> ir.Table:
    """The history as a table of its own: the widest window, and only the columns that are read."""
    ordered = with_order(past)
    read = set[str]().union(*(_columns_read(feature, ordered) for feature in features))
    columns = [name for name in past.columns if name in read | {"snapshot_id", "age_us", "row_number"}]
    lengths = [feature.days for feature in features]
    # A gap may begin before the window that it ends in.
    needs_all = None in lengths or "gap_days" in read
    widest = None if needs_all else max(days for days in lengths if days is not None)
    return within(past, widest).select(*columns).cache()


def _columns_read(feature: Feature, past: ir.Table) -> set[str]:
    value = _compute(feature, past).op()
    return {field.name for field in value.find(ops.Field) if field.rel == past.op()}


def _compute(feature: Feature, past: ir.Table) -> ir.Value:
    """Call the feature's function, with the value it is copied for if it has one."""
    compute: Callable[..., ir.Value] = feature.compute
    try:
        return compute(past) if feature.each is None else compute(past, feature.each)
    except AttributeError as error:
        raise _no_column(feature, past, str(error.name)) from None
    except IbisTypeError as error:  # touch["place"] instead of touch.place: "Column 'place' is not found …"
        raise _no_column(feature, past, str(error).partition("'")[2].partition("'")[0]) from None


def _no_column(feature: Feature, past: ir.Table, name: str) -> FeatureError:
    return FeatureError(
        f"feature '{feature.name}' reads a column that '{feature.on}' does not have ('{name}')",
        hint=f"it has {listed(past.columns, most=20)}",
    )


def _one_value(feature: Feature, past: ir.Table) -> ir.Scalar:
    value = _compute(feature, past)
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
    number = column.cast("float64").round(DECIMALS)
    return number if feature.empty is None else number.fill_null(float(feature.empty))


def _reads_only_what_is_there(feature: Feature, past: ir.Table) -> bool:
    optional = {
        name
        for table in _TABLES_OF[feature.on]
        for name, column in CONTRACT[table].columns.items()
        if not column.required
    }
    missing = optional - set(past.columns)
    try:
        _compute(feature, past)
    except FeatureError as error:
        if any(f"'{name}'" in error.reason for name in missing):
            return False
        raise
    return True
