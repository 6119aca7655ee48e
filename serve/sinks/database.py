"""One transaction in a PostgreSQL database: bounded waits, asked again while it does not answer.

Errors never carry the address, which may hold a password, nor the words of the driver, which may hold values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from features.errors import ParameterError, Place, UpstreamError

if TYPE_CHECKING:
    import psycopg  # an extra

    Connection = psycopg.Connection[tuple[Any, ...]]

_Result = TypeVar("_Result")
_SLOWEST_RETRY_SECONDS = 10
_CONNECTING: Mapping[str, str] = {
    "application_name": "leadrank",
    "connect_timeout": "10",
    # A network that swallows packets must not hold a night: the kernel gives up on a silent peer.
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Database:
    """Where the tables are, and how long anything there may take.

    Attributes
    ----------
    url_env
        Name of the environment variable with the SQLAlchemy URL.
    schema
        Schema of the tables; it exists.
    lock_seconds, statement_seconds
        How long one statement waits for a lock, and how long it may take.
    retry_seconds
        How long a database that does not answer is asked again; 0: once.
    """

    url_env: str
    schema: str = "public"
    lock_seconds: int = 10
    statement_seconds: int = 600
    retry_seconds: int = 60


def usable(database: Database, environment: Mapping[str, str]) -> dict[str, str]:
    """What the driver is given to connect; nobody is connected to.

    Raises
    ------
    ParameterError
        The variable is not set, or is no URL of PostgreSQL with psycopg, or the driver is not installed.
    """
    import sqlalchemy as sa

    name = database.url_env
    if name not in environment:
        raise ParameterError(
            f"environment variable '{name}' is not set", hint="set it to the SQLAlchemy URL of the database"
        )
    try:
        url = sa.make_url(environment[name])
    except (sa.exc.ArgumentError, ValueError):
        raise _no_url(name) from None
    if url.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise _no_url(name)
    _installed()
    given = url.translate_connect_args(username="user", database="dbname")
    return {**_CONNECTING, **{key: str(value) for key, value in {**given, **url.query}.items()}}


def within(
    database: Database, environment: Mapping[str, str], work: Callable[[Connection], _Result]
) -> _Result:
    """Do all of ``work`` in one transaction, or nothing of it, and return what it returns.

    A connection that is lost while the transaction is committed leaves open whether it was: the work is done
    again, and so must change nothing the second time.

    Raises
    ------
    ParameterError
        As `usable`.
    UpstreamError
        The database does not answer within the bounds, or refuses.
    """
    import psycopg
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

    given = usable(database, environment)

    def once() -> _Result:
        with psycopg.connect(**given) as connection:  # type: ignore[arg-type]  # its options are all texts
            _bound(connection, database)
            return work(connection)

    retrying = Retrying(
        retry=retry_if_exception_type((psycopg.OperationalError, psycopg.InterfaceError)),
        stop=stop_after_delay(database.retry_seconds),
        wait=wait_random_exponential(multiplier=0.2, max=_SLOWEST_RETRY_SECONDS),
        reraise=True,
    )
    try:
        return retrying(once)
    except psycopg.Error as error:
        raise _refused(error, database, given) from None


def _bound(connection: Connection, database: Database) -> None:
    settings = {
        "lock_timeout": f"{database.lock_seconds}s",
        "statement_timeout": f"{database.statement_seconds}s",
        "idle_in_transaction_session_timeout": f"{database.statement_seconds}s",
        "TimeZone": "UTC",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def _installed() -> None:
    try:
        import psycopg  # noqa: F401  # whether it is there
    except ImportError:
        raise ParameterError(
            "sinks.sql wants the driver psycopg, which is not installed",
            hint="pip install 'leadrank[postgres]'",
        ) from None


def _no_url(name: str) -> ParameterError:
    return ParameterError(
        f"environment variable '{name}' holds no SQLAlchemy URL of PostgreSQL",
        hint="use a URL such as postgresql+psycopg://user@host/name",
    )


def _refused(error: psycopg.Error, database: Database, given: Mapping[str, str]) -> UpstreamError:
    kind = f"SQLSTATE {error.sqlstate}" if error.sqlstate else type(error).__name__
    held = _holders(given) if error.sqlstate == _LOCK_NOT_AVAILABLE else ""
    return UpstreamError(
        f"the SQL tables cannot be written ({kind}{held})",
        hint=f"check the URL in '{database.url_env}', the network, and the rights in its schema; then"
        " `leadrank publish --resume`, or the same command again",
        place=Place(stage="sinks"),
    )


def _holders(given: Mapping[str, str]) -> str:
    """Server processes that have our tables or our lock in a transaction that is open."""
    import psycopg

    asked = """
        SELECT DISTINCT l.pid FROM pg_locks AS l LEFT JOIN pg_class AS c ON c.oid = l.relation
        WHERE l.granted AND l.pid <> pg_backend_pid()
          AND (c.relname LIKE 'leadrank\\_%' OR l.locktype = 'advisory') ORDER BY l.pid LIMIT 5"""
    try:
        with psycopg.connect(**given) as connection:  # type: ignore[arg-type]  # its options are all texts
            pids = [str(pid) for (pid,) in connection.execute(asked)]
    except psycopg.Error:
        return ""
    return f", held by server process {', '.join(pids)}" if pids else ""
