"""Connections to the databases of one load: one each, on one snapshot of its tables, and not for ever.

A PostgreSQL transaction is read-only and sees all tables as they stood at its first question (``REPEATABLE
READ``): leads, touches and outcomes fit together though somebody writes meanwhile. A connection that was lost
is not taken up again in the middle: half of one moment and half of another would be a table that never was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from random import uniform
from typing import TYPE_CHECKING, Any, Self

from features.errors import ParameterError, Place, UpstreamError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

PAUSES_SECONDS = (0.5, 2.0, 8.0)
"""Before a server is asked again for a connection; each up to a half shorter or longer, so that not all who
wait come back at once."""
MOST_SECONDS = 3600.0
"""All reading of one load from databases together; and one statement of PostgreSQL."""
_CONNECTING: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_LIBPQ = ("psycopg", "psycopg2")
_WRONG_LOGIN = "28"  # class of SQLSTATE; asking again could lock the account


class Connections:
    """The connections of one load, by the environment variable that holds their URL.

    Parameters
    ----------
    environment
        Where the URLs are looked up.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._open: dict[str, Connection] = {}
        self._begun = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._open.values():
            connection.close()
            connection.engine.dispose()

    def to(self, url_env: str) -> Connection:
        """The connection of a variable, opened when it is first asked for.

        Raises
        ------
        ParameterError
            The variable is not set, or is not a URL of an installed driver.
        sqlalchemy.exc.SQLAlchemyError
            The server refuses, or has not answered for as long as `PAUSES_SECONDS` say.
        """
        if url_env not in self._open:
            self._open[url_env] = _patiently(engine(url_env, self._environment))
        return self._open[url_env]

    def check_in_time(self, table: str) -> None:
        """Refuse to go on after `MOST_SECONDS`.

        Raises
        ------
        UpstreamError
            They are over.
        """
        if time.perf_counter() - self._begun > MOST_SECONDS:
            raise UpstreamError(
                f"database table '{table}' could not be read within {MOST_SECONDS:.0f} s",
                hint="look why the database is slow, or export the table to a file",
                place=Place(stage="ingest", file=table),
            )


def engine(url_env: str, environment: Mapping[str, str]) -> Engine:
    """The engine of a variable's URL; nobody is connected to.

    Raises
    ------
    ParameterError
        The variable is not set, or is not a URL of an installed driver.
    """
    import sqlalchemy as sa

    if url_env not in environment:
        raise ParameterError(
            f"environment variable '{url_env}' is not set",
            hint="set it to the SQLAlchemy URL of the database",
        )
    try:
        url = sa.make_url(environment[url_env])
        given: Any = dict(_CONNECTING) if url.get_driver_name() in _LIBPQ else {}
        return sa.create_engine(url, connect_args=given)
    except (sa.exc.SQLAlchemyError, ImportError, ValueError):
        raise ParameterError(
            f"environment variable '{url_env}' holds no usable SQLAlchemy URL",
            hint="use a URL such as postgresql+psycopg://user@host/name, and install its driver",
        ) from None


def _patiently(engine: Engine) -> Connection:
    """A connection of a server that may take a moment to come back."""
    import sqlalchemy as sa

    for pause in PAUSES_SECONDS:
        try:
            return _connected(engine)
        except sa.exc.OperationalError as error:
            if engine.dialect.name == "sqlite" or _state(error).startswith(_WRONG_LOGIN):
                raise
            threading.Event().wait(pause * uniform(0.5, 1.5))  # noqa: S311  # no secret
    return _connected(engine)


def _connected(engine: Engine) -> Connection:
    connection = engine.connect()
    if engine.dialect.name != "postgresql":
        return connection
    connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{int(MOST_SECONDS)}s'")
    return connection


def _state(error: Any) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
