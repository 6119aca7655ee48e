"""The state as a whole: one SQLite file beside ``params.yaml``, or a PostgreSQL database by its URL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher

from features.errors import ParameterError, StorageError, UpstreamError
from serve.state import schema
from serve.state.audit import Audit
from serve.state.feedback import Feedback
from serve.state.pending import Pending
from serve.state.saved_views import SavedViews
from serve.state.sessions import Sessions
from serve.state.territories import Tree
from serve.state.tokens import Tokens
from serve.state.users import Users

FILE = Path(".leadrank") / "state.db"
"""Where the state is without a URL, below the folder of ``params.yaml``."""
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})
_PRAGMAS = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is erased is overwritten
)


@dataclass(frozen=True)
class Store:
    """All that the page remembers, one idea each."""

    engine: sa.Engine
    writing: sa.Engine
    users: Users
    sessions: Sessions
    pending: Pending
    tokens: Tokens
    tree: Tree
    feedback: Feedback
    audit: Audit
    views: SavedViews

    def is_there(self) -> bool:
        """Whether the state answers."""
        try:
            with self.engine.connect() as connection:
                return connection.scalar(sa.select(schema.version.c.version)) == schema.VERSION
        except sa.exc.SQLAlchemyError:
            return False

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def opened(home: Path, url: str | None = None, *, hasher: PasswordHasher | None = None) -> Store:
    """The state, made if there is none.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    url
        SQLAlchemy URL of SQLite or PostgreSQL; None: the file ``.leadrank/state.db`` there.
    hasher
        How passwords are hashed; None: Argon2id as its library recommends.

    Raises
    ------
    ParameterError
        It is no such URL, or its driver is not installed.
    StorageError
        The file cannot be written, or a later version of leadrank made the state.
    UpstreamError
        The database does not answer.
    """
    address = _file(home) if url is None else _address(url)
    is_file = address.get_backend_name() == "sqlite"
    engine = _engine(address, is_file=is_file)
    _made(engine, is_file=is_file)
    return _store(engine, hasher or PasswordHasher())


def _store(engine: sa.Engine, hasher: PasswordHasher) -> Store:
    both: tuple[sa.Engine, sa.Engine] = (engine, engine.execution_options(is_writing=True))
    return Store(
        *both,
        Users(*both, hasher, hasher.hash(os.urandom(16).hex())),
        Sessions(*both),
        Pending(*both),
        Tokens(*both),
        Tree(*both),
        Feedback(*both),
        Audit(*both),
        SavedViews(*both),
    )


def _file(home: Path) -> sa.URL:
    path = home / FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other files this mode, too
        path.chmod(0o600)
    except OSError as error:
        raise StorageError(
            f"'{FILE}' cannot be written ({os.strerror(error.errno or 0).lower()})", hint="check its folder"
        ) from None
    return sa.URL.create("sqlite", database=str(path))


def _address(url: str) -> sa.URL:
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        found = None
    if found is None or found.drivername not in _DRIVERS:
        raise ParameterError(
            "the address of the state is no SQLAlchemy URL of SQLite or PostgreSQL",
            hint="use a URL such as postgresql+psycopg://user@host/name",
        )
    return found.set(drivername="postgresql+psycopg") if found.drivername == "postgresql" else found


def _engine(address: sa.URL, *, is_file: bool) -> sa.Engine:
    try:
        # Parameters hold names and reasons: no message of an error shows them.
        engine = sa.create_engine(address, hide_parameters=True, pool_pre_ping=not is_file)
    except ImportError:
        raise ParameterError(
            "the address of the state wants the driver psycopg, which is not installed",
            hint="pip install 'leadrank[postgres]'",
        ) from None
    if is_file:
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads and then writes would fail at once if another had written in between.
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _made(engine: sa.Engine, *, is_file: bool) -> None:
    try:
        with engine.execution_options(is_writing=True).begin() as connection:
            schema.META.create_all(connection)
            found = connection.scalar(sa.select(schema.version.c.version))
            if found is None:
                connection.execute(sa.insert(schema.version).values(version=schema.VERSION))
    except sa.exc.SQLAlchemyError as error:
        kind = type(error).__name__
        if is_file:
            raise StorageError(
                f"'{FILE}' cannot be used ({kind})", hint="check the disk and the file"
            ) from None
        raise UpstreamError(f"the database of the state cannot be used ({kind})", hint="check it") from None
    if found is not None and found > schema.VERSION:
        raise StorageError("a later version of leadrank made the state", hint="update leadrank")
