"""Take leads out of the state: what was said of one stays a figure, under a pseudonym, without a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from serve.state import schema
from serve.state.store import Store


def erase(store: Store, pseudonyms: Mapping[str, str]) -> int:
    """Replace leads in feedback and audit log, and forget saved views that look for one.

    Parameters
    ----------
    pseudonyms
        What each lead is called from now on, by its id.

    Returns
    -------
    int
        Rows that were changed or removed.
    """
    with store.writing.begin() as connection:
        changed = sum(_erase(connection, lead_id, other) for lead_id, other in pseudonyms.items())
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # the old bytes leave the disk, too
    return changed


def rows_of(store: Store, leads: Collection[str]) -> int:
    """How many rows of the state name one of these leads."""
    with store.engine.connect() as connection:
        return sum(
            connection.scalar(sa.select(sa.func.count()).select_from(table).where(which)) or 0
            for lead_id in leads
            for table, which in _naming(lead_id)
        )


def _naming(lead_id: str) -> list[tuple[sa.Table, sa.ColumnElement[bool]]]:
    return [
        (schema.feedback, schema.feedback.c.lead_id == lead_id),
        (schema.audit, schema.audit.c.subject == lead_id),
        (schema.saved_views, schema.saved_views.c.query.contains(lead_id, autoescape=True)),
    ]


def _erase(connection: sa.Connection, lead_id: str, pseudonym: str) -> int:
    said, log, views = _naming(lead_id)
    table = schema.feedback
    changed = 0
    for feedback_id in list(connection.scalars(sa.select(table.c.feedback_id).where(said[1]))):
        # The old one is a hash of the lead's id, which could be guessed.
        request = hashlib.sha256(feedback_id.encode()).hexdigest()
        values = {"lead_id": pseudonym, "reason": None, "request": request}
        connection.execute(sa.update(table).where(table.c.feedback_id == feedback_id).values(values))
        changed += 1
    changed += connection.execute(sa.update(schema.audit).where(log[1]).values(subject=pseudonym)).rowcount
    return changed + connection.execute(sa.delete(schema.saved_views).where(views[1])).rowcount
