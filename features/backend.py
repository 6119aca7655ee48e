"""The one place that knows engines: where tables live, and what computes the features.

Tables are loaded and a run is put together by the command's own DuckDB, whatever the engine: it streams and
spills; Spark's executors convert large tables in parts before (`features.ingest.spread`). An engine receives
those tables, computes features by the same Ibis expressions, and hands back rows.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import ibis
import ibis.expr.types as ir

from features.build import cached
from features.engines.asked import Asked, EngineName
from features.errors import ParameterError
from features.scratch import scratch


class Engine(Protocol):
    """What computes features; rows go in and come back as tables of the command's own DuckDB.

    Attributes
    ----------
    name
        As in `Asked`.
    """

    name: EngineName

    def held(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """Tables of the load where the engine reads them; each is sent once."""

    def taken(self, table: ir.Table) -> ir.Table:
        """A table that may be another at the next call."""

    def keep(self, table: ir.Table) -> ir.Table:
        """Computes a table of the engine once for all that reads it."""

    def fetched(self, table: ir.Table) -> ir.Table:
        """The rows of a table of the engine, in no order, as a table of the command's own DuckDB."""


@runtime_checkable
class Wide(Engine, Protocol):
    """An engine with machines of its own, on which other work than queries can run."""

    @property
    def shared(self) -> Path:
        """A folder that its machines see under the same path; removed when the engine is left."""

    def each(self, work: Callable[[int], None], places: int) -> None:
        """Do ``work`` for each number from 0 on, below ``places``, on the engine's machines.

        Parameters
        ----------
        work
            It travels; what is done twice, as after the loss of a machine, must come out the same.
        """

    def ordered(self, folder: Path, by: Sequence[tuple[str, bool]], files: int) -> list[Path]:
        """Sort the rows of a folder's Parquet files on the engine's machines.

        Parameters
        ----------
        folder
            Below ``shared``; beside it the sorted rows are left.
        by
            Columns, the first decides first; whether their greatest value comes first. Texts are compared
            byte by byte, null is last.
        files
            About how many files of rows are wanted.

        Returns
        -------
        list
            Files whose rows, one file after the other, are in order.
        """


class Own:
    """The command's own DuckDB: nothing travels."""

    name: EngineName = "duckdb"

    def held(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """The tables themselves."""
        return dict(tables)

    def taken(self, table: ir.Table) -> ir.Table:
        """The table itself."""
        return table

    def keep(self, table: ir.Table) -> ir.Table:
        """Computed at once, until nothing refers to it."""
        return cached(table)

    def fetched(self, table: ir.Table) -> ir.Table:
        """The table itself."""
        return table


@contextmanager
def workspace(folder: Path) -> Iterator[Any]:
    """An Ibis DuckDB backend in memory that spills below ``folder``; what it spilled is removed after use.

    ``LEADRANK_MEMORY`` bounds DuckDB's memory (for example ``4GB``), ``LEADRANK_THREADS`` its threads.
    """
    with scratch(folder) as own:
        backend = ibis.duckdb.connect(**_settings(own))
        backend.con.execute("SET TimeZone = 'UTC'")  # as a setting of the connection it asks for a download
        _silence(backend.con)
        try:
            yield backend
        except BaseException as error:
            # Tables that Ibis keeps are dropped when nobody refers to them: now, while there is a connection.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            backend.disconnect()


@contextmanager
def engine(asked: Asked, home: Any, folder: Path) -> Iterator[Engine]:
    """The engine that is asked for; it is reached when it is first given a table.

    Parameters
    ----------
    home
        The backend of `workspace`.
    folder
        Of ``params.yaml``; below it lie files that travel, unless ``asked.shared`` is another place.

    Raises
    ------
    ParameterError
        What the engine needs is not installed, or not said.
    UpstreamError
        It cannot be reached (when it is first used).
    """
    if asked.name == "duckdb":
        yield Own()
        return
    seen = asked.shared or folder
    with scratch(seen) as between, _remote(asked, home, between, seen) as remote:
        yield remote


def _remote(asked: Asked, home: Any, between: Path, seen: Path) -> Any:
    try:
        if asked.name == "spark":
            from features.engines.spark import Spark

            # Workers without a Python of their own named would take another than this one, or none.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            return Spark(home, between, master=asked.master, settings=asked.settings, seen=seen)
        from features.engines.postgres import Postgres
    except ImportError:
        raise ParameterError(
            f"engine.name is '{asked.name}', and what it needs is not installed",
            hint=f"pip install 'leadrank[{asked.name}]'",
        ) from None
    if asked.url_env is None:
        raise ParameterError(
            "engine.name is 'postgres' without a server",
            hint="give engine.url_env, the name of an environment variable with its URL",
        )
    return Postgres(home, between, url_env=asked.url_env, environment=environment())


def environment() -> Mapping[str, str]:
    """Where the URLs of databases (``url_env``) are looked up."""
    return os.environ


def _silence(connection: Any) -> None:
    """No progress bar: stdout is the command's. In a notebook there is none, and setting it is refused."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        connection.execute("SET enable_progress_bar = false")


def _settings(own: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {"temp_directory": str(own / "spill")}
    if memory := os.environ.get("LEADRANK_MEMORY"):
        settings["memory_limit"] = memory
    if threads := os.environ.get("LEADRANK_THREADS"):
        settings["threads"] = int(threads)
    return settings
