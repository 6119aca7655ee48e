"""What people say about a ranked lead: the training reads it as stages, the reports as who was right.

The same request twice is one row. Who has seen an older version of a lead than there is has to look again.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from serve.state import schema
from serve.state.audit import note


class Action(StrEnum):
    """What may be said."""

    ACCEPT = "accept"
    RETURN = "return"
    WORKED = "worked"
    WON = "won"
    LOST = "lost"
    NOT_A_FIT = "not_a_fit"


REASONED = frozenset({Action.RETURN})
"""Actions that want a reason."""
LONGEST_REASON = 500
_STAGES = {
    Action.ACCEPT: "accepted", Action.WORKED: "worked", Action.WON: "won", Action.LOST: "lost",
    Action.NOT_A_FIT: "disqualified",
}  # fmt: skip
_BLOCK = 10_000


@dataclass(frozen=True)
class Said:
    """What somebody says of a lead.

    Attributes
    ----------
    user_id, lead_id, action, reason
        Who says what of whom, and why.
    run_id, territory, rank, probability
        The ranking that they looked at, and the lead in it.
    key
        The client's own name of this request: sent again it is the same one.
    version
        Version of the lead's feedback that they saw; None: whatever it is.
    """

    user_id: str
    lead_id: str
    action: Action
    run_id: str
    reason: str | None = None
    territory: str | None = None
    rank: int | None = None
    probability: float | None = None
    key: str = ""
    version: int | None = None

    @property
    def request(self) -> str:
        """Names the request: who, of whom, in which run, what, and the client's own name for it."""
        parts = (self.user_id, self.lead_id, self.run_id, self.action.value, self.key)
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Given:
    """Feedback that is kept.

    Attributes
    ----------
    feedback_id
        Its id.
    version
        Version of the lead's feedback with it: the first is 1.
    stage
        What the training reads: ``returned_at_once`` or ``returned_after_follow_up`` of a return.
    is_new
        False: it had been sent before.
    """

    feedback_id: str
    version: int
    stage: str
    is_new: bool


@dataclass(frozen=True)
class Feedback:
    """All feedback."""

    engine: sa.Engine
    writing: sa.Engine

    def give(self, said: Said, at: datetime) -> Given | None:
        """Keep it with a line in the audit log; None: somebody has said something since that version.

        A request that is kept already changes nothing.
        """
        try:
            with self.writing.begin() as connection:
                return _kept(connection, said) or _keep(connection, said, at)
        except sa.exc.IntegrityError:  # another process was faster: with the same request, or to this version
            with self.engine.connect() as connection:
                return _kept(connection, said)

    def version(self, lead_id: str) -> int:
        """Version of a lead's feedback; 0 without any."""
        with self.engine.connect() as connection:
            return _version(connection, lead_id)

    def of(self, lead_id: str) -> list[dict[str, Any]]:
        """What was said of a lead, the latest first, with ``user_name``.

        The caller has made sure that the lead may be seen.
        """
        table = schema.feedback
        asked = (
            sa.select(*_shown(), schema.users.c.name.label("user_name"))
            .join_from(table, schema.users)
            .where(table.c.lead_id == lead_id)
            .order_by(table.c.version.desc())
        )
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(asked).mappings()]

    def latest(self, lead_ids: Sequence[str]) -> dict[str, str]:
        """The latest action of each of some leads; those of which nothing was said are not in it.

        The caller has made sure that the leads may be seen.
        """
        table = schema.feedback
        asked = (
            sa.select(table.c.lead_id, table.c.action)
            .where(table.c.lead_id.in_(lead_ids))
            .order_by(table.c.version)
        )
        with self.engine.connect() as connection:
            return {row.lead_id: row.action for row in connection.execute(asked)}

    def rows(self, *, until: datetime) -> Iterator[dict[str, Any]]:
        """All that was said before a moment, in the order in which it was said of each lead.

        The columns of `schema.feedback` but ``request``.
        """
        table = schema.feedback
        order = (table.c.at, table.c.lead_id, table.c.version)
        asked = sa.select(*_shown()).where(table.c.at < until).order_by(*order)
        with self.engine.connect() as connection:
            for row in connection.execution_options(yield_per=_BLOCK).execute(asked).mappings():
                yield dict(row)


def _shown() -> list[sa.Column[Any]]:
    return [column for column in schema.feedback.c if column.name != "request"]


def _kept(connection: sa.Connection, said: Said) -> Given | None:
    table = schema.feedback
    asked = sa.select(table.c.feedback_id, table.c.version, table.c.stage)
    row = connection.execute(asked.where(table.c.request == said.request)).first()
    return None if row is None else Given(row.feedback_id, row.version, row.stage, is_new=False)


def _keep(connection: sa.Connection, said: Said, at: datetime) -> Given | None:
    seen = _version(connection, said.lead_id)
    if said.version is not None and said.version != seen:
        return None
    given = Given(str(uuid.uuid4()), seen + 1, _stage(connection, said), is_new=True)
    row = {
        "feedback_id": given.feedback_id, "request": said.request, "lead_id": said.lead_id,
        "version": given.version, "territory": said.territory, "action": said.action.value,
        "stage": given.stage, "reason": said.reason, "at": at, "user_id": said.user_id,
        "run_id": said.run_id, "rank": said.rank, "probability": said.probability,
    }  # fmt: skip
    connection.execute(sa.insert(schema.feedback).values(row))
    told = {"feedback_id": given.feedback_id, "run_id": said.run_id, "version": given.version}
    note(connection, at, said.user_id, f"feedback {said.action.value}", said.lead_id, **told)
    return given


def _version(connection: sa.Connection, lead_id: str) -> int:
    table = schema.feedback
    return connection.scalar(sa.select(sa.func.max(table.c.version)).where(table.c.lead_id == lead_id)) or 0


def _stage(connection: sa.Connection, said: Said) -> str:
    """The stage that an action means; a return came at once if nobody had worked on the lead before."""
    if said.action is not Action.RETURN:
        return _STAGES[said.action]
    table = schema.feedback
    worked = sa.select(table.c.version).where(
        table.c.lead_id == said.lead_id, table.c.action == Action.WORKED.value
    )
    is_worked = connection.execute(worked.limit(1)).first() is not None
    return "returned_after_follow_up" if is_worked else "returned_at_once"
