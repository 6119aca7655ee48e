"""Logins on their way through the provider of OpenID Connect: each is taken up once, within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from serve.state import schema
from serve.state.sessions import digest

MINUTES = 10


@dataclass(frozen=True)
class Login:
    """What has to be known when a browser comes back.

    Attributes
    ----------
    nonce
        Must stand in the provider's answer.
    verifier
        Proves that who asks for the answer has begun the login (PKCE).
    next
        Where the user wanted to go.
    """

    nonce: str
    verifier: str
    next: str


@dataclass(frozen=True)
class Pending:
    """All of them."""

    engine: sa.Engine
    writing: sa.Engine

    def begin(self, state: str, login: Login, at: datetime) -> None:
        """Keep a login under its state."""
        table, ends_at = schema.pending, at + timedelta(minutes=MINUTES)
        with self.writing.begin() as connection:
            connection.execute(sa.delete(table).where(table.c.ends_at <= at))
            connection.execute(sa.insert(table).values(digest=digest(state), ends_at=ends_at, **vars(login)))

    def take(self, state: str, at: datetime) -> Login | None:
        """The login of a state, which is then gone; None for every other."""
        table = schema.pending
        one = table.c.digest == digest(state)
        with self.writing.begin() as connection:
            row = connection.execute(sa.select(table).where(one, table.c.ends_at > at)).first()
            connection.execute(sa.delete(table).where(one))
        return None if row is None else Login(row.nonce, row.verifier, row.next)
