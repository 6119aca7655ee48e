"""A CSV that a spreadsheet opens without running anything: text that looks like a formula is disarmed."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from features.ingest.sql import named

_FORMULA = re.compile("[;=+@\\uff1d\t\r-]")
"""The first character of such a text; `safe_sql` says the same in SQL."""


def safe_sql(name: str, kind: str) -> str:
    """The SQL of a column for a CSV: a leading apostrophe where a spreadsheet would see a formula.

    Parameters
    ----------
    name
        The column.
    kind
        Its DuckDB type; anything but ``VARCHAR`` stays as it is.

    Returns
    -------
    str
        An expression with the column's own name. Null stays null.

    Notes
    -----
    OWASP, Application Security Verification Standard 1.2.10.

    >>> safe_sql("rank", "BIGINT")
    '"rank"'
    """
    column = named(name)
    if kind != "VARCHAR":
        return column
    is_formula = f"regexp_matches({column}, '^[;=+@\\x{{FF1D}}\\t\\r-]')"  # also the full-width equals sign
    return f"CASE WHEN {is_formula} THEN chr(39) || {column} ELSE {column} END AS {column}"


def disarmed(value: object) -> object:
    """A cell for a CSV: a leading apostrophe where a spreadsheet would see a formula; no text stays as it is.

    >>> disarmed("=1+1"), disarmed("\uff1d1"), disarmed(-1.5), disarmed("a=b")
    ("'=1+1", "'\uff1d1", -1.5, 'a=b')
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def write_csv(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write the rows of a relation, in their order, with a header and every text disarmed."""
    columns = zip(relation.columns, relation.types, strict=True)
    safe = ", ".join(safe_sql(name, str(kind)) for name, kind in columns)
    relation.project(safe).write_csv(str(path), header=True)
