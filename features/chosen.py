"""Aggregates of some rows, written as aggregates of all rows whose other values are null: the same answers.

For each ``FILTER`` of an aggregate DuckDB keeps room for all columns of all the query's aggregates. Of a
million rows nobody notices; of one lead it is half of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

_SKIPS_NULL = (ops.Count, ops.Max, ops.Min, ops.Sum, ops.Mean)


def of_values(query: ir.Table) -> ir.Table:
    """A query whose counts, extremes, sums and means have no ``where``; other aggregates keep theirs.

    >>> import ibis
    >>> touch = ibis.table({"kind": "string", "age": "float64"}, name="touches")
    >>> query = touch.aggregate(visits=touch.count(where=touch.kind == "visit"))
    >>> print(ibis.to_sql(of_values(query), dialect="duckdb", pretty=False))
    SELECT COUNT(CASE WHEN "t0"."kind" = 'visit' THEN 1 ELSE NULL END) AS "visits" FROM "touches" AS "t0"
    """
    rewritten: ir.Table = query.op().replace(_of_value).to_expr()
    return rewritten


def _of_value(node: Any, changed: Mapping[str, Any] | None) -> Any:
    """A node of the query, of its parts as they were ``changed``; None where none was."""
    if changed:
        node = node.__recreate__(changed)
    where = getattr(node, "where", None)
    if where is None:
        return node
    if isinstance(node, ops.CountStar):
        return ops.Count(ops.IfElse(where, ops.Literal(1, "int8"), ops.NULL))
    if isinstance(node, _SKIPS_NULL):
        return type(node)(ops.IfElse(where, node.arg, ops.NULL))
    return node
