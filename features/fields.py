"""The lead's own row as of the moment: static fields from ``leads``, tracked ones from ``field_history``.

A tracked field's value is the new value of the last change known before the moment; if every known change
is later, the old value of the first one; if it never changed, the value in ``leads``.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from features.fit import field_column
from features.history import in_days
from features.tables import DERIVED, Field

BANT = ("budget", "authority", "need", "timeline")
_TRUE = ("1", "true", "yes", "y", "t")
_NUMBER = "^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,2})? *$"
"""Not every engine can try a cast, and ``nan`` is no number."""


def lead_rows(
    snapshots: ir.Table, tables: Mapping[str, ir.Table], fields: Mapping[str, Mapping[str, Field]]
) -> ir.Table:
    """One row per snapshot: ``snapshot_id``, ``age_days``, each usable field under its feature name.

    Beside them stand the columns of ``DERIVED`` that ``leads`` has, and ``bant_known`` (how many of budget,
    authority, need and timeline have a value) where two or more of these are fields.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    tables
        ``leads``, and where fields need them ``accounts`` and ``field_history``.
    fields
        Declared fields by table and name.
    """
    rows = snapshots.left_join(tables["leads"].drop("row_number"), "lead_id", rname="{name}_of_lead")
    own = _usable(fields, "leads")
    columns = {name: rows[name] for name in own}
    tracked = [name for name, field in own.items() if field.time == "tracked"]
    if tracked:
        rows = _with_past(rows, snapshots, tables["field_history"], tracked)
        columns |= {name: _as_of(rows, name, own[name]) for name in tracked}
    columns |= {name: _age_days(rows, columns[name]) for name, f in own.items() if f.kind == "timestamp"}
    kept = {"age_days": _lead_age(rows), **columns, **_derived(rows, columns)}
    if not _usable(fields, "accounts"):
        return rows.select("snapshot_id", **kept)
    return _with_account(
        rows.select("snapshot_id", "account_id", "as_of", **kept), tables["accounts"], fields
    )


def _usable(fields: Mapping[str, Mapping[str, Field]], table: str) -> dict[str, Field]:
    return {name: field for name, field in fields.get(table, {}).items() if field.time != "current"}


def _derived(rows: ir.Table, columns: Mapping[str, ir.Value]) -> dict[str, ir.Value]:
    """What ingest made of personal columns, and what is known of BANT; a field of the same name wins."""
    made = {name: rows[name] for name in DERIVED["leads"] if name in rows.columns}
    bant = [columns[name] for name in BANT if name in columns]
    if len(bant) > 1:
        made["bant_known"] = sum((column.notnull().ifelse(1.0, 0.0) for column in bant), ibis.literal(0.0))
    return {name: column for name, column in made.items() if name not in columns}


def _age_days(rows: ir.Table, moment: ir.Value) -> ir.Value:
    return in_days(rows.as_of.delta(moment, unit="microsecond"))


def _lead_age(rows: ir.Table) -> ir.Value:
    if "created_at" not in rows.columns:
        return ibis.null("float64")
    return _age_days(rows, rows.created_at)


def _with_account(rows: ir.Table, accounts: ir.Table, fields: Mapping[str, Mapping[str, Field]]) -> ir.Table:
    own = _usable(fields, "accounts")
    named = accounts.select("account_id", **{field_column("accounts", name): accounts[name] for name in own})
    joined = rows.left_join(named, "account_id")
    ages = {
        field_column("accounts", name): _age_days(joined, joined[field_column("accounts", name)])
        for name, field in own.items()
        if field.kind == "timestamp"
    }
    return joined.mutate(**ages).drop("account_id", "account_id_right", "as_of")


def _with_past(rows: ir.Table, snapshots: ir.Table, changes: ir.Table, tracked: list[str]) -> ir.Table:
    """Add per tracked field: how many changes are known, how many come later, and the values around."""
    moments = snapshots.select("snapshot_id", "as_of", snapshot_lead="lead_id")
    paired = moments.inner_join(
        changes.filter(changes.field.isin(tracked)), [moments.snapshot_lead == changes.lead_id]
    )
    known = (paired.changed_at < paired.as_of) & (paired.recorded_at < paired.as_of)
    parts = {}
    for name in tracked:
        before, after = (paired.field == name) & known, (paired.field == name) & ~known
        parts[f"{name}|known"] = paired.count(where=before)
        parts[f"{name}|later"] = paired.count(where=after)
        parts[f"{name}|new"] = paired.new_value.fill_null("").argmax(paired.changed_at, where=before)
        parts[f"{name}|old"] = paired.old_value.fill_null("").argmin(paired.changed_at, where=after)
    return rows.left_join(paired.group_by("snapshot_id").aggregate(**parts), "snapshot_id")


def _as_of(rows: ir.Table, name: str, field: Field) -> ir.Value:
    past = (rows[f"{name}|known"] > 0).ifelse(rows[f"{name}|new"], rows[f"{name}|old"]).nullif("")
    has_past = (rows[f"{name}|known"] > 0) | (rows[f"{name}|later"] > 0)
    return has_past.ifelse(_typed(past, field), rows[name])


def _typed(text: ir.StringValue, field: Field) -> ir.Value:
    match field.kind:
        case "number":
            return text.re_search(_NUMBER).ifelse(text, ibis.null("string")).try_cast("float64")
        case "flag":
            return text.isnull().ifelse(None, text.lower().isin(_TRUE).ifelse(1.0, 0.0))
        case "timestamp":
            return text.try_cast("timestamp")
        case _:
            return text
