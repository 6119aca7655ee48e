"""Features in a PostgreSQL database, by Ibis: everything there is temporary and ends with the session.

The role needs the right to make temporary tables and no other. Rows travel by ``COPY``, as text in which
every number reads back as the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import psycopg
import sqlalchemy as sa
from psycopg import sql

from features.engines.asked import EngineName
from features.engines.remote import Remote
from features.errors import ParameterError, UpstreamError
from features.ingest.connecting import engine
from features.ingest.sql import named, quoted

LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer names, and two may then be one
_BLOCK = 1 << 20


class Postgres(Remote):
    """PostgreSQL as an engine: see `features.backend.Engine`.

    Parameters
    ----------
    home
        Ibis DuckDB backend of the command.
    between
        Private folder for files that travel.
    url_env
        Name of the environment variable with the SQLAlchemy URL of the server.
    environment
        Where it is looked up.
    """

    name: EngineName = "postgres"

    def __init__(self, home: Any, between: Path, *, url_env: str, environment: Mapping[str, str]) -> None:
        super().__init__(home, between)
        self._engine = engine(url_env, environment)
        if self._engine.url.get_driver_name() != "psycopg":
            raise ParameterError(
                f"environment variable '{url_env}' holds no URL that the engine can use",
                hint="use a URL such as postgresql+psycopg://user@host/name",
            )
        self._backend: Any = None

    def taken(self, table: ir.Table) -> ir.Table:
        """Copied into a temporary table."""
        _check_names(table.columns)
        name = self._next("sent")
        file = self._between / f"{name}.csv"
        # Every text is quoted, so that a bare \\N is null and nothing else is.
        rows = f"({self._home.compile(table)}) TO {quoted(str(file))}"
        self._home.con.execute(f"COPY {rows} (FORMAT csv, HEADER false, NULL '\\N', FORCE_QUOTE *)")
        with self._told():
            made: ir.Table = self._reached().create_table(name, schema=table.schema(), temp=True)
            self._copy_in(file, name)
            self._analysed(made)
        file.unlink()
        return made

    def keep(self, table: ir.Table) -> ir.Table:
        """Computed into a temporary table; Ibis makes it, for it knows the types that it expects back."""
        _check_names(table.columns)
        with self._told():
            kept: ir.Table = self._reached().create_table(self._next("kept"), table, temp=True)
            self._analysed(kept)
        return kept

    def fetched(self, table: ir.Table) -> ir.Table:
        """Copied out, and read by the command."""
        _check_names(table.columns)
        name = self._next("answer")
        file = self._between / f"{name}.csv"
        with self._told():
            query = sql.SQL(self._reached().compile(table))
            copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, NULL '\\N', FORCE_QUOTE *)").format(query)
            with self._backend.con.cursor() as cursor, cursor.copy(copy) as rows, file.open("wb") as out:
                for block in rows:
                    out.write(block)
        answer: ir.Table = self._home.create_table(name, schema=table.schema(), temp=True)
        way = "(FORMAT csv, HEADER false, NULL '\\N', ALLOW_QUOTED_NULLS false, AUTO_DETECT false)"
        self._home.con.execute(f"COPY {named(name)} FROM {quoted(str(file))} {way}")
        file.unlink()
        return answer

    def close(self) -> None:
        """End the session, and with it all that was made in it."""
        if self._backend is not None:
            self._backend.con.close()
        self._engine.dispose()
        self._backend = None

    def _copy_in(self, file: Path, name: str) -> None:
        copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv, NULL '\\N')").format(sql.Identifier(name))
        with self._backend.con.cursor() as cursor, cursor.copy(copy) as target, file.open("rb") as rows:
            while block := rows.read(_BLOCK):
                target.write(block)

    def _analysed(self, table: ir.Table) -> None:
        """Nobody else counts the rows of a temporary table, and plans for few rows are slow for many."""
        with self._backend.con.cursor() as cursor:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.get_name())))

    def _reached(self) -> Any:
        if self._backend is None:
            pooled = self._engine.raw_connection()
            connection: Any = pooled.driver_connection
            pooled.detach()  # from SQLAlchemy's pool: it is closed with the session
            connection.autocommit = True
            self._backend = ibis.postgres.from_connection(connection)
            with self._backend.con.cursor() as cursor:
                cursor.execute(
                    "SET jit = off"
                )  # compiling a query of hundreds of columns takes longer than it
        return self._backend

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A failure of the server as an error of ours; what it says may quote a cell or the address."""
        try:
            yield
        except (psycopg.Error, sa.exc.SQLAlchemyError) as error:
            state = getattr(error, "sqlstate", None) or getattr(
                getattr(error, "orig", None), "sqlstate", None
            )
            raise UpstreamError(
                f"the database of engine.url_env refused or went away (SQLSTATE {state or 'unknown'})",
                hint="check that it runs and that its role may make temporary tables",
            ) from None


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if len(name.encode()) > LONGEST_NAME:
            raise ParameterError(
                f"'{name[:40]}…' is a longer name than PostgreSQL has room for ({LONGEST_NAME} bytes)",
                hint="set engine.name to duckdb, or give the value or the field a shorter name",
            )
