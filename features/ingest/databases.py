"""A database table, streamed through SQLAlchemy into a private Parquet file of texts.

Values become text here and are converted by the same rules as a CSV file's cells, so that a table and its
export give the same digest. Errors never carry the address, which may hold a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ParameterError, Place, UpstreamError

if TYPE_CHECKING:
    from sqlalchemy import Engine, Result, Select

_BATCH_ROWS = 20_000
_LARGEST_EXACT = 2**53


def spill(table: str, url_env: str, environment: Mapping[str, str], target: Path) -> None:
    """Copy a table or view into a Parquet file whose columns are all text.

    Parameters
    ----------
    table
        Name, optionally ``schema.name``.
    url_env
        Environment variable that holds the SQLAlchemy URL.
    environment
        Where to look for it.
    target
        File to write.

    Raises
    ------
    ParameterError
        The variable is not set, or is not a URL of an installed driver.
    UpstreamError
        The database does not answer, or refuses.
    """
    import sqlalchemy as sa

    engine = _engine(url_env, environment)
    schema, _, name = table.rpartition(".")
    query: Select[Any] = sa.select(sa.literal_column("*")).select_from(sa.table(name, schema=schema or None))
    try:
        with engine.connect() as connection:
            streamed = connection.execution_options(stream_results=True, yield_per=_BATCH_ROWS).execute(query)
            _write(streamed, target)
    except sa.exc.SQLAlchemyError as error:
        raise _unanswered(table, url_env, error) from None
    finally:
        engine.dispose()


def _engine(url_env: str, environment: Mapping[str, str]) -> Engine:
    import sqlalchemy as sa

    if url_env not in environment:
        raise ParameterError(
            f"environment variable '{url_env}' is not set",
            hint="set it to the SQLAlchemy URL of the database",
        )
    try:
        return sa.create_engine(environment[url_env])
    except (sa.exc.SQLAlchemyError, ImportError, ValueError):
        raise ParameterError(
            f"environment variable '{url_env}' holds no usable SQLAlchemy URL",
            hint="use a URL such as postgresql+psycopg://user@host/name, and install its driver",
        ) from None


def _write(rows: Result[Any], target: Path) -> None:
    schema = pa.schema([pa.field(name, pa.string()) for name in rows.keys()])  # noqa: SIM118  # not a dict
    with pq.ParquetWriter(target, schema) as writer:
        for batch in rows.partitions():
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
