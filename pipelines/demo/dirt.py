"""A few spoiled rows, as every CRM has: added to the good ones, in fixed shares, and counted.

No good row is changed: once the spoiled ones are quarantined or deduplicated, the tables are as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

Spoil = Callable[[pa.Table], pa.Table]


def _copied(rows: pa.Table) -> pa.Table:
    return rows


def _without(column: str) -> Spoil:
    return lambda rows: _set(rows, column, pa.nulls(len(rows), rows.schema.field(column).type))


def _broken(column: str) -> Spoil:
    return lambda rows: _set(rows, column, pa.repeat("31.02.2025", len(rows)))


def _conflicting(rows: pa.Table) -> pa.Table:
    return _set(rows, "employees", pa.array(rows["employees"].to_numpy() + 1))


def _set(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(column), column, values)


# Per table and defect: rows per 10,000 leads, and how a copy of a good row is spoiled.
DEFECTS: Mapping[str, Mapping[str, tuple[float, Spoil]]] = {
    "leads": {
        "exact_duplicate": (4, _copied),
        "conflicting_duplicate": (3, _conflicting),
        "missing_id": (2, _without("lead_id")),
        "broken_timestamp": (2, _broken("created_at")),
    },
    "outcomes": {
        "exact_duplicate": (4, _copied),
        "missing_id": (2, _without("lead_id")),
        "broken_timestamp": (2, _broken("occurred_at")),
    },
    "touches": {
        "missing_id": (8, _without("lead_id")),
        "missing_timestamp": (6, _without("occurred_at")),
    },
}


def spoiled(
    rng: np.random.Generator, table: str, rows: pa.Table, leads_before: int, leads_after: int
) -> tuple[pa.Table, dict[str, int]]:
    """The rows with the table's defects appended, and how many of each.

    Parameters
    ----------
    table
        Canonical table name.
    rows
        The good rows of one block, moments of CSV tables already as text.
    leads_before, leads_after
        Leads written before this block and with it; the shares hold for all blocks together.
    """
    parts, counts = [rows], {}
    for defect, (share, spoil) in DEFECTS.get(table, {}).items():
        count = math.ceil(share * leads_after / 10_000) - math.ceil(share * leads_before / 10_000)
        counts[defect] = min(count, len(rows))
        parts.append(spoil(rows.take(rng.choice(len(rows), counts[defect], replace=False))))
    return pa.concat_tables(parts), counts
