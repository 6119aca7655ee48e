"""A database table, streamed through SQLAlchemy into a private Parquet file of texts.

Values become text here and are converted by the same rules as a CSV file's cells, so that a table and its
export give the same digest. Errors never carry the address, which may hold a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import Place, UpstreamError
from features.ingest.connecting import Connections, engine

if TYPE_CHECKING:
    from sqlalchemy import Result, Select

_BATCH_ROWS = 20_000
_STREAMED = {"stream_results": True, "yield_per": _BATCH_ROWS}
_LARGEST_EXACT = 2**53


def spill(table: str, url_env: str, databases: Connections, target: Path) -> None:
    """Copy a table or view into a Parquet file whose columns are all text.

    Parameters
    ----------
    table
        Name, optionally ``schema.name``.
    url_env
        Environment variable that holds the SQLAlchemy URL.
    databases
        The connections of this load.
    target
        File to write.

    Raises
    ------
    ParameterError
        The variable is not set, or is not a URL of an installed driver.
    UpstreamError
        The database does not answer, or refuses, or takes too long.
    """
    import sqlalchemy as sa

    schema, _, name = table.rpartition(".")
    query: Select[Any] = sa.select(sa.literal_column("*")).select_from(sa.table(name, schema=schema or None))
    try:
        with databases.to(url_env).execute(query, execution_options=_STREAMED) as streamed:
            _write(streamed, target, partial(databases.check_in_time, table))
    except sa.exc.SQLAlchemyError as error:
        raise _unanswered(table, url_env, error) from None


def newest(table: str, columns: Sequence[str], url_env: str, environment: Mapping[str, str]) -> str:
    """The greatest value of the first of the columns that a table or view has; its rows if it has none.

    Parameters
    ----------
    columns
        Headers, whatever their case.

    Raises
    ------
    ParameterError, UpstreamError
        As `spill`.
    """
    import sqlalchemy as sa

    asked_by = engine(url_env, environment)
    schema, _, name = table.rpartition(".")
    try:
        with asked_by.connect() as connection:
            there = {
                c["name"].casefold(): c["name"]
                for c in sa.inspect(connection).get_columns(name, schema or None)
            }
            found = next((there[c.casefold()] for c in columns if c.casefold() in there), None)
            asked = sa.func.count() if found is None else sa.func.max(sa.column(found))
            rows = sa.select(asked).select_from(sa.table(name, schema=schema or None))
            return str(connection.execute(rows).scalar())
    except sa.exc.SQLAlchemyError as error:
        raise _unanswered(table, url_env, error) from None
    finally:
        asked_by.dispose()


def _write(rows: Result[Any], target: Path, check_in_time: Callable[[], None]) -> None:
    schema = pa.schema([pa.field(name, pa.string()) for name in rows.keys()])  # noqa: SIM118  # not a dict
    with pq.ParquetWriter(target, schema) as writer:
        for batch in rows.partitions():
            check_in_time()
            columns = [
                pa.array([_text(value) for value in column], pa.string())
                for column in zip(*batch, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _text(value: object) -> str | None:
    """A value as a CSV export would write it.

    >>> [_text(value) for value in (None, True, 2.0, 2.5, datetime(2024, 1, 2, 10, 30))]
    [None, 'true', '2', '2.5', '2024-01-02 10:30:00']
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _unanswered(table: str, url_env: str, error: object) -> UpstreamError:
    """Say which table and which kind of error: the driver's own words may hold the address."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    kind = f"SQLSTATE {state}" if state else type(error).__name__
    return UpstreamError(
        f"database table '{table}' cannot be read ({kind})",
        hint=f"check the URL in '{url_env}', the network, and the right to read the table",
        place=Place(stage="ingest", file=table),
    )
