"""Whether a declared source holds something new, told without reading it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from features.errors import ParameterError
from features.ingest import objects_tables
from features.ingest.databases import newest
from features.ingest.files import appearance, locate
from features.ingest.objects import is_address
from features.ingest.parts import appearances, is_in_parts
from features.tables import CONTRACT, Source

DATES = ("recorded_at", "occurred_at", "changed_at", "linked_at", "created_at", "date")
"""By which a database table is looked at: the first of these that it has."""


def sighting(sources: Mapping[str, Source], folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What each source looks like from outside; another text means that something is new.

    Parameters
    ----------
    sources
        By canonical table name.
    folder
        Folder of ``params.yaml``.
    environment
        Where the URLs of database tables are looked up.

    Returns
    -------
    dict
        By table: size, time of change and inode of a file, or a hash of those of all parts; of objects a hash
        of their versions; of a database table its newest date (``recorded_at``, else another of `DATES`), or
        its number of rows without one.

    Raises
    ------
    InputError
        A file is missing.
    ParameterError, UpstreamError
        A database cannot be asked, or a table is one of Spark: each look would start a session.
    """
    return {name: _seen(name, source, folder, environment) for name, source in sources.items()}


def _seen(name: str, source: Source, folder: Path, environment: Mapping[str, str]) -> str:
    if source.format == "database":
        dates = [source.header(date) for date in DATES if date in CONTRACT[name].columns]
        return newest(source.database_table or name, dates, source.url_env or "", environment)
    if source.format == "spark":
        raise ParameterError(
            f"the table '{name}' is one of Spark, and cannot be looked at without a session",
            hint=f"have a job write it as Parquet, and declare that folder: tables.{name}.path",
        )
    path = source.path or ""
    if is_address(path):
        return objects_tables.appearance(path)
    if is_in_parts(path, folder):
        return hashlib.sha256(repr(appearances(path, folder)).encode()).hexdigest()
    return " ".join(map(str, appearance(locate(path, folder))))
