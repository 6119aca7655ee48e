"""A table of a Spark session's catalog, written by Spark as Parquet parts and read from there.

Values keep the types that Spark has for them, so that a table and its export as Parquet give the same digest.
Only columns that are wanted are written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import duckdb

from features.errors import ParameterError
from features.ingest.headers import Match, plain
from features.ingest.part_scan import part_scan
from features.ingest.parts import parts
from features.ingest.scan import Scan
from features.tables import Source


@runtime_checkable
class Exporter(Protocol):
    """What reads tables by the names of a Spark session: the engine ``spark``."""

    def columns_of(self, table: str) -> tuple[str, ...]:
        """Names of the columns of a table or view, in its order.

        Raises
        ------
        ParameterError
            There is no such table.
        UpstreamError
            Spark does not answer.
        """

    def exported(self, table: str, columns: Sequence[str]) -> Path:
        """A folder of Parquet parts with some columns of a table or view, for the reader to remove.

        Raises
        ------
        ParameterError, UpstreamError
            As `columns_of`.
        """


@contextmanager
def spark_scan(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    exporter: Exporter | None,
    work: Path,
    matched: Callable[[Sequence[str], str], Match],
) -> Iterator[Scan]:
    """Have a table written as Parquet parts, and look at their footers; they are removed after use.

    Parameters
    ----------
    exporter
        The engine, if it is Spark.
    matched
        From the headers of a table and its name to the columns that are wanted.

    Raises
    ------
    ParameterError
        The table is not named, Spark has none of that name, or the engine is another.
    InputError
        The table breaks its contract.
    UpstreamError
        Spark does not answer.
    """
    if source.spark_table is None:
        raise ParameterError("a table of Spark needs its name", hint="declare spark_table")
    if exporter is None:
        raise ParameterError(
            f"the table '{source.spark_table}' is one of Spark, and the engine is another",
            hint="set engine.name: spark, or give the path of an export",
        )
    name = source.spark_table
    columns = exporter.columns_of(name)
    headers = tuple(map(plain, columns))
    read = sorted(set(matched(headers, name).columns.values()))
    folder = exporter.exported(name, [columns[at] for at in read])
    try:
        written = part_scan(connection, parts(str(folder), folder), name, work)
        place = {at: position for position, at in enumerate(read)}
        yield replace(
            written,
            headers=headers,
            types=tuple(written.types[place[at]] if at in place else "" for at in range(len(headers))),
            names=tuple(written.names[place[at]] if at in place else "NULL" for at in range(len(headers))),
            parts=(),  # files that nobody sees
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
