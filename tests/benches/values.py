"""Whether two ways gave the same values: counts exactly, other numbers to 1e-6.

The plain query has no row for a lead without a touch: then counts must be 0 and other values null.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

TOLERANCE = 1e-6


def differences(
    connection: Any, plain: str, other: str, *, null_is_zero: Collection[str] = ()
) -> dict[str, int]:
    """Number of snapshots with another value, by column; empty if all are equal.

    Parameters
    ----------
    connection
        Of DuckDB.
    plain, other
        What to select from: the result of the plain query, and one with a row for every snapshot.
    null_is_zero
        Columns in which ``other`` says 0 where nothing was measured.
    """
    types = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE FROM {plain}").fetchall()}
    del types["snapshot_id"]
    equal = {name: _equal(name, kind, has_zeros=name in null_is_zero) for name, kind in types.items()}
    counted = ", ".join(f'count(*) FILTER (WHERE NOT {same}) AS "{name}"' for name, same in equal.items())
    both = f"FROM {other} o FULL JOIN {plain} p USING (snapshot_id)"
    row = connection.execute(f"SELECT {counted} {both}").fetchone()
    return {name: rows for name, rows in zip(types, row, strict=True) if rows}


def _equal(name: str, kind: str, *, has_zeros: bool) -> str:
    if kind == "BIGINT" or has_zeros:
        return f'(o."{name}" IS NOT DISTINCT FROM coalesce(p."{name}", 0))'
    close = f'abs(o."{name}" - p."{name}") <= {TOLERANCE}'
    return f'coalesce(o."{name}" IS NOT DISTINCT FROM p."{name}" OR {close}, false)'
