"""API tokens: shown once, kept as SHA-256, never wider than their user, revocable."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from serve.state import schema
from serve.state.audit import note
from serve.state.sessions import digest
from serve.state.users import User, territories_of, user_of

PREFIX = "lr_"
"""Before each token, so that a scanner of secrets finds one that was published."""
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Token:
    """A token that holds.

    Attributes
    ----------
    token_id
        Names it and opens nothing.
    user
        Whose it is, as they are now.
    territories
        The only ones it opens, with everything below them; None: all of its user's.
    """

    token_id: str
    user: User
    territories: frozenset[str] | None


@dataclass(frozen=True)
class Tokens:
    """All tokens."""

    engine: sa.Engine
    writing: sa.Engine

    def issue(
        self,
        user_id: str,
        label: str,
        at: datetime,
        *,
        by: str,
        territories: Collection[str] | None = None,
        days: int | None = None,
    ) -> tuple[str, str]:
        """A new token: its id, and the secret that nobody sees again.

        Parameters
        ----------
        label
            What it is for.
        territories
            The only ones that it opens; None: all of its user's.
        days
            How long it holds; None: until it is revoked.
        """
        token_id, secret = str(uuid.uuid4()), PREFIX + secrets.token_urlsafe(32)
        chosen = None if territories is None else sorted(set(territories))
        row = {
            "token_id": token_id, "digest": digest(secret), "user_id": user_id, "label": label,
            "territories": sa.null() if chosen is None else chosen, "created_at": at,
            "ends_at": None if days is None else at + timedelta(days=days),
        }  # fmt: skip
        with self.writing.begin() as connection:
            connection.execute(sa.insert(schema.tokens).values(row))
            note(connection, at, by, "token issued", token_id, user=user_id, territories=chosen)
        return token_id, secret

    def find(self, secret: str, at: datetime) -> Token | None:
        """The token of a secret while it holds; None for every other."""
        if not secret.startswith(PREFIX):
            return None
        table, key = schema.tokens, digest(secret)
        asked = (
            sa.select(schema.users, table.c.token_id, table.c.digest, table.c.used_at)
            .add_columns(table.c.territories)
            .join_from(table, schema.users)
            .where(table.c.digest == key, table.c.revoked_at.is_(None), schema.users.c.is_active)
            .where(table.c.ends_at.is_(None) | (table.c.ends_at > at))
        )
        with self.engine.connect() as connection:
            row: Any = connection.execute(asked).first()
            if row is None or not secrets.compare_digest(row.digest, key):
                return None
            user = user_of(row, territories_of(connection, row.user_id))
        if row.used_at is None or at - row.used_at >= _NOTED_EVERY:
            self._use(row.token_id, at)
        chosen = None if row.territories is None else frozenset(row.territories)
        return Token(row.token_id, user, chosen)

    def revoke(self, token_id: str, at: datetime, *, by: str, of: str | None = None) -> bool:
        """End a token for ever; False if there is none (of that user) that holds.

        Parameters
        ----------
        of
            Whose it has to be; None: anybody's.
        """
        table = schema.tokens
        which = (table.c.token_id == token_id) & table.c.revoked_at.is_(None)
        if of is not None:
            which &= table.c.user_id == of
        with self.writing.begin() as connection:
            changed = connection.execute(sa.update(table).where(which).values(revoked_at=at)).rowcount
            if changed:
                note(connection, at, by, "token revoked", token_id)
        return bool(changed)

    def every(self, of: str | None = None) -> list[dict[str, Any]]:
        """Tokens of a user, or of all, the latest first, with ``user_name`` and without what they open."""
        table = schema.tokens
        columns = [column for column in table.c if column.name != "digest"]
        asked = (
            sa.select(*columns, schema.users.c.name.label("user_name"))
            .join_from(table, schema.users)
            .order_by(table.c.created_at.desc(), table.c.token_id)
        )
        if of is not None:
            asked = asked.where(table.c.user_id == of)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(asked).mappings()]

    def _use(self, token_id: str, at: datetime) -> None:
        table = schema.tokens
        with self.writing.begin() as connection:
            connection.execute(sa.update(table).where(table.c.token_id == token_id).values(used_at=at))
