"""Who changed what, and when: a row is written in the transaction of the change itself and never again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from serve.state import schema

COMMAND_LINE = "command line"
NOBODY = "nobody"
"""Who acts without having logged in."""
MOST = 500


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes
    ----------
    audit_id
        Grows with time.
    at
        When, UTC.
    user_id, user_name
        Who; a name of None is that of the command line, or of a user who is gone.
    action, subject, detail
        What was done to whom, in codes.
    """

    audit_id: int
    at: datetime
    user_id: str
    user_name: str | None
    action: str
    subject: str | None
    detail: Mapping[str, Any]


def note(
    connection: sa.Connection, at: datetime, by: str, action: str, subject: str | None = None, **detail: Any
) -> None:
    """Write a line in the transaction of what it tells."""
    row = {"at": at, "user_id": by, "action": action, "subject": subject, "detail": detail}
    connection.execute(sa.insert(schema.audit).values(row))


@dataclass(frozen=True)
class Audit:
    """The log."""

    engine: sa.Engine
    writing: sa.Engine

    def add(self, at: datetime, by: str, action: str, subject: str | None = None, **detail: Any) -> None:
        """Write a line about something that changes nothing here, such as a login or an export."""
        with self.writing.begin() as connection:
            note(connection, at, by, action, subject, **detail)

    def latest(
        self, *, before: int | None = None, action: str | None = None, size: int = MOST
    ) -> list[Entry]:
        """Lines, the latest first.

        Parameters
        ----------
        before
            The ``audit_id`` that all of them are below; None: from the end.
        action
            Only these.
        size
            At most so many, 500 at most.
        """
        log = schema.audit
        columns = (log.c.audit_id, log.c.at, log.c.user_id, schema.users.c.name, log.c.action, log.c.subject)
        asked = (
            sa.select(*columns, log.c.detail)
            .join_from(log, schema.users, schema.users.c.user_id == log.c.user_id, isouter=True)
            .order_by(log.c.audit_id.desc())
            .limit(min(size, MOST))
        )
        if before is not None:
            asked = asked.where(log.c.audit_id < before)
        if action is not None:
            asked = asked.where(log.c.action == action)
        with self.engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(asked)]
