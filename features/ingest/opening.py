"""How each kind of source is opened; what it is read from stays as it is until the reading is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from features.errors import InputError, ParameterError, Place
from features.ingest.connecting import Connections
from features.ingest.files import appearance, locate, unchanged
from features.ingest.headers import Match
from features.ingest.objects import is_address
from features.ingest.objects_tables import Fetched, fetched
from features.ingest.part_scan import part_scan
from features.ingest.parts import appearances, is_in_parts
from features.ingest.scan import Scan
from features.ingest.sources import csv_scan, database_scan, parquet_scan
from features.ingest.spark_tables import Exporter, spark_scan
from features.scratch import scratch
from features.tables import Source


@dataclass(frozen=True)
class Readers:
    """What sources are read with.

    Attributes
    ----------
    folder
        Folder of ``params.yaml``.
    databases
        The connections of this load.
    exporter
        What reads tables of Spark; None where the engine is another.
    """

    folder: Path
    databases: Connections
    exporter: Exporter | None


@contextmanager
def opened(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: Source,
    matched: Callable[[Sequence[str], str], Match],
    readers: Readers,
) -> Iterator[Scan]:
    """What can be read of a source.

    Parameters
    ----------
    table
        Canonical name.
    matched
        From the headers of a table and its name to the columns that are wanted.

    Raises
    ------
    ParameterError
        The source is declared wrongly.
    InputError
        It is missing, damaged, changed while it was read, or breaks its contract as a whole.
    UpstreamError
        A database, an object store or Spark does not answer.
    """
    with scratch(readers.folder) as work:
        if source.format == "database":
            yield database_scan(connection, source, readers.databases, work)
        elif source.format == "spark":
            with spark_scan(connection, source, readers.exporter, work, matched) as scan:
                yield scan
        elif source.path is None:
            raise ParameterError(f"table '{table}' has no path", hint="declare path, or format: database")
        elif is_address(source.path):
            with fetched(source.path, work, is_csv=source.format == "csv") as found:
                yield _fetched_scan(connection, found, source, work)
        elif is_in_parts(source.path, readers.folder):
            _refuse_csv(source, source.path)
            with unchanged(partial(appearances, source.path, readers.folder), source.path) as seen:
                yield part_scan(connection, [part for part, _ in seen], source.path, work)
        else:
            file = locate(source.path, readers.folder)
            with unchanged(partial(appearance, file), source.path):
                yield _file_scan(connection, file, source, work)


def _fetched_scan(connection: duckdb.DuckDBPyConnection, found: Fetched, source: Source, work: Path) -> Scan:
    if found.file is not None:
        return _file_scan(connection, found.file, source, work)
    return part_scan(connection, found.parts, source.path or "", work)


def _file_scan(connection: duckdb.DuckDBPyConnection, file: Path, source: Source, work: Path) -> Scan:
    if source.format == "csv":
        return csv_scan(file, source, work)
    return parquet_scan(connection, file, source, work)


def _refuse_csv(source: Source, path: str) -> None:
    if source.format == "csv":
        raise InputError(
            f"'{path}' is a folder or a pattern, and format is csv: a CSV table is one file",
            hint="name one file, or write the parts as Parquet and declare format: parquet",
            place=Place(stage="ingest", file=path),
        )
