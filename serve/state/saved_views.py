"""Lists that a user wants to open again: a name and what the page was asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from features.errors import ParameterError
from serve.state import schema

MOST = 50
LONGEST = 2000


@dataclass(frozen=True)
class SavedViews:
    """Saved views of all users; each sees their own."""

    engine: sa.Engine
    writing: sa.Engine

    def save(self, user_id: str, name: str, query: str, at: datetime) -> str:
        """Keep a view, in the place of one with this name; its id.

        Parameters
        ----------
        query
            The query string of the list, without ``?``.

        Raises
        ------
        ParameterError
            The name is empty, the query too long, or there are 50 views.
        """
        shown, table = name.strip()[:80], schema.saved_views
        if not shown or len(query) > LONGEST:
            raise ParameterError("a view has a name and a short query", hint="name it, or filter by less")
        with self.writing.begin() as connection:
            mine = table.c.user_id == user_id
            connection.execute(sa.delete(table).where(mine, table.c.name == shown))
            if (connection.scalar(sa.select(sa.func.count()).where(mine)) or 0) >= MOST:
                raise ParameterError(f"there are {MOST} saved views", hint="remove one")
            row = {"view_id": str(uuid.uuid4()), "user_id": user_id, "name": shown, "query": query}
            connection.execute(sa.insert(table).values(created_at=at, **row))
        return row["view_id"]

    def every(self, user_id: str) -> list[dict[str, Any]]:
        """Views of a user by name: ``view_id``, ``name``, ``query``, ``created_at``."""
        table = schema.saved_views
        asked = sa.select(table.c.view_id, table.c.name, table.c.query, table.c.created_at)
        with self.engine.connect() as connection:
            rows = connection.execute(asked.where(table.c.user_id == user_id).order_by(table.c.name))
            return [dict(row) for row in rows.mappings()]

    def remove(self, user_id: str, view_id: str) -> bool:
        """Forget a view; False if this user has none with this id."""
        table = schema.saved_views
        which = (table.c.user_id == user_id) & (table.c.view_id == view_id)
        with self.writing.begin() as connection:
            return bool(connection.execute(sa.delete(table).where(which)).rowcount)
