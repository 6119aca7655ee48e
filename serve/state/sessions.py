"""Logins that hold: a random token in the browser, its SHA-256 here.

Every request looks its session up, so that a logout, a new role or a deactivation is in force at once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from serve.state import schema
from serve.state.audit import note
from serve.state.users import User, territories_of, user_of

_NOTED_EVERY = timedelta(minutes=1)
"""How often a request moves the end of an idle session; each would write otherwise."""
_HELD = (
    sa.select(schema.users, schema.sessions.c.used_at)
    .join_from(schema.sessions, schema.users)
    .where(schema.sessions.c.digest == sa.bindparam("key"), schema.users.c.is_active)
    .where(schema.sessions.c.ends_at > sa.bindparam("at"))
    .where(schema.sessions.c.used_at > sa.bindparam("since"))
)
"""A session that holds, and its user; every request asks it, so it is made once."""


@dataclass(frozen=True)
class Session:
    """A login that holds.

    Attributes
    ----------
    session_id
        The beginning of the digest: names it and opens nothing.
    user
        Whose it is, as they are now.
    """

    session_id: str
    user: User


@dataclass(frozen=True)
class Sessions:
    """All sessions."""

    engine: sa.Engine
    writing: sa.Engine

    def start(self, user_id: str, at: datetime, *, minutes: int, old: str = "") -> str:
        """A new session; the token that the browser keeps.

        Parameters
        ----------
        minutes
            How long it holds at most.
        old
            Token that the browser came with: its session ends, so that none lives on under a new login.
        """
        token, table = secrets.token_urlsafe(32), schema.sessions
        row: dict[str, Any] = {
            "digest": digest(token), "user_id": user_id, "created_at": at, "used_at": at,
            "ends_at": at + timedelta(minutes=minutes),
        }  # fmt: skip
        with self.writing.begin() as connection:
            over = (table.c.digest == digest(old)) | (table.c.ends_at <= at)
            connection.execute(sa.delete(table).where(over))
            connection.execute(sa.insert(table).values(row))
            note(connection, at, user_id, "login", session=row["digest"][:12])
        return token

    def find(self, token: str, at: datetime, idle_minutes: int) -> Session | None:
        """The session of a token while it holds; None for every other."""
        if not token:
            return None
        key, since = digest(token), at - timedelta(minutes=idle_minutes)
        with self.engine.connect() as connection:
            row: Any = connection.execute(_HELD, {"key": key, "at": at, "since": since}).first()
            if row is None:
                return None
            user = user_of(row, territories_of(connection, row.user_id))
        if at - row.used_at >= _NOTED_EVERY:
            self._use(key, at)
        return Session(key[:12], user)

    def end(self, token: str, at: datetime) -> None:
        """End the session of a token."""
        table, key = schema.sessions, digest(token)
        with self.writing.begin() as connection:
            of = connection.scalar(sa.select(table.c.user_id).where(table.c.digest == key))
            if of is not None:
                connection.execute(sa.delete(table).where(table.c.digest == key))
                note(connection, at, of, "logout", session=key[:12])

    def _use(self, key: str, at: datetime) -> None:
        table = schema.sessions
        with self.writing.begin() as connection:
            connection.execute(sa.update(table).where(table.c.digest == key).values(used_at=at))


def digest(token: str) -> str:
    """SHA-256 of a random token: a long random text needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
