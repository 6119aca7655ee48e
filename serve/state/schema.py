"""The tables of the state, in SQLite or PostgreSQL.

No password and no token is in them, only what one can be checked by. Moments are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

VERSION = 1
"""Raised with every change of a table; a state of a later version is refused."""


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no offset."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else value.replace(tzinfo=UTC)


META = sa.MetaData()

version = sa.Table(
    "state_version", META, sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)
)
users = sa.Table(
    "users",
    META,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),  # case-folded: Ann and ann are one
    sa.Column("password", sa.Text),  # argon2; null: comes through the provider only
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False, default=True),
    sa.Column("language", sa.String(8)),
    sa.Column("theme", sa.String(8), nullable=False, default="auto"),
    sa.Column("created_at", Moment, nullable=False),
)
user_territories = sa.Table(
    "user_territories",
    META,
    sa.Column("user_id", sa.ForeignKey("users.user_id"), primary_key=True),
    sa.Column("territory", sa.Text, primary_key=True),
)
territories = sa.Table(
    "territories",
    META,
    sa.Column("territory", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text),
)
sessions = sa.Table(
    "sessions",
    META,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.user_id"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
)
pending = sa.Table(  # logins on their way through the provider
    "pending_logins",
    META,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("next", sa.Text, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
)
tokens = sa.Table(
    "tokens",
    META,
    sa.Column("token_id", sa.String(36), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("user_id", sa.ForeignKey("users.user_id"), nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("territories", sa.JSON),  # null: all that the user may see
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Column("used_at", Moment),
    sa.Column("revoked_at", Moment),
)
feedback = sa.Table(
    "feedback",
    META,
    sa.Column("feedback_id", sa.String(36), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False, unique=True),  # the same one twice is one
    sa.Column("lead_id", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("territory", sa.Text),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(32), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Column("user_id", sa.ForeignKey("users.user_id"), nullable=False, index=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer),
    sa.Column("probability", sa.Float),
    sa.UniqueConstraint("lead_id", "version"),  # of two at once one is told to look again
)
audit = sa.Table(
    "audit",
    META,
    sa.Column("audit_id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("user_id", sa.Text, nullable=False),  # or what else acted: the command line, nobody
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("detail", sa.JSON),
)
saved_views = sa.Table(
    "saved_views",
    META,
    sa.Column("view_id", sa.String(36), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.user_id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("user_id", "name"),
)
