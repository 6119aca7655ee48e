"""The contract: which tables there are, which columns each has, and how a user's file is declared.

Canonical names are on our side; ``Source.mapping`` names the user's. Columns are matched by name.
Timestamps are UTC once a table is loaded, ids are text everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

ColumnType: TypeAlias = Literal["text", "number", "timestamp", "flag"]
Kind: TypeAlias = Literal["number", "category", "flag", "timestamp"]
TimeClass: TypeAlias = Literal["static", "tracked", "current"]


@dataclass(frozen=True)
class Column:
    """One contract column: its type, and whether a file without it is refused."""

    type: ColumnType
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One contract table.

    Attributes
    ----------
    columns
        Contract columns by canonical name.
    key
        Columns that identify a row; empty if the table has no key and keeps every row.
    has_own_fields
        Whether the user's own columns may be declared as fields.
    """

    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    has_own_fields: bool = False


_TEXT, _NUMBER, _TIME, _FLAG = Column("text"), Column("number"), Column("timestamp"), Column("flag")
_ID, _MOMENT, _NAME = (
    Column("text", required=True),
    Column("timestamp", required=True),
    Column("text", required=True),
)

CONTRACT: Mapping[str, Table] = {
    "leads": Table(
        {
            "lead_id": _ID,
            "created_at": _TIME,
            "source": _TEXT,
            "campaign": _TEXT,
            "owner": _TEXT,
            "territory": _TEXT,
            "account_id": _TEXT,
            "country": _TEXT,
            "merged_into": _TEXT,
            "merged_at": _TIME,
            "deleted_at": _TIME,
            "opted_out": _FLAG,
            "opted_out_at": _TIME,
            "name": _TEXT,
            "email": _TEXT,
            "phone": _TEXT,
            "title": _TEXT,
            "company": _TEXT,
            "website": _TEXT,
        },
        key=("lead_id",),
        has_own_fields=True,
    ),
    "touches": Table(
        {
            "lead_id": _TEXT,
            "contact_id": _TEXT,
            "visitor_id": _TEXT,
            "occurred_at": _MOMENT,
            "recorded_at": _TIME,
            "kind": _NAME,
            "place": _TEXT,
            "campaign": _TEXT,
            "keyword": _TEXT,
            "direction": _TEXT,
            "duration_seconds": _NUMBER,
            "weight": _NUMBER,
        },
        has_own_fields=True,
    ),
    "outcomes": Table(
        {
            "lead_id": _ID,
            "stage": _NAME,
            "occurred_at": _MOMENT,
            "recorded_at": _TIME,
            "amount": _NUMBER,
            "reason": _TEXT,
        },
        key=("lead_id", "stage", "occurred_at"),
    ),
    "contacts": Table(
        {
            "contact_id": _ID,
            "account_id": _TEXT,
            "lead_id": _TEXT,
            "role": _TEXT,
            "title": _TEXT,
            "seniority": _TEXT,
        },
        key=("contact_id",),
    ),
    "accounts": Table(
        {
            "account_id": _ID,
            "name": _TEXT,
            "industry": _TEXT,
            "employees": _NUMBER,
            "revenue": _NUMBER,
            "country": _TEXT,
        },
        key=("account_id",),
        has_own_fields=True,
    ),
    "field_history": Table(
        {
            "lead_id": _ID,
            "field": _NAME,
            "changed_at": _MOMENT,
            "recorded_at": _TIME,
            "old_value": _TEXT,
            "new_value": _TEXT,
        },
        key=("lead_id", "field", "changed_at"),
    ),
    "identities": Table(
        {"visitor_id": _TEXT, "contact_id": _TEXT, "lead_id": _ID, "linked_at": _MOMENT},
    ),
    "spend": Table(
        {"date": _MOMENT, "source": _TEXT, "campaign": _TEXT, "cost": Column("number", required=True)},
    ),
}

PERSONAL: Mapping[str, tuple[str, ...]] = {"leads": ("name", "email", "phone", "title", "company", "website")}
"""Optional contract columns that only the load reads: it derives columns from them, and drops them unless
they are published."""

DERIVED: Mapping[str, tuple[str, ...]] = {
    "leads": (
        "email_class",
        "phone_class",
        "title_seniority",
        "title_department",
        "has_company",
        "company_matches_email",
        "bant_known",
    )
}
"""Columns that a table has beside its own where what they are made of is there; features read them."""

ROWS = "rows"
LOADABLE: Mapping[str, Table] = {
    **CONTRACT,
    # What `train --rows` and `predict --rows` take; not a table of params.yaml.
    ROWS: Table({"lead_id": _ID, "as_of": _MOMENT, "label": _NUMBER}),
}


@dataclass(frozen=True)
class Field:
    """A column of the user's own table that becomes a fit feature.

    Attributes
    ----------
    kind
        ``number``, ``category``, ``flag`` (yes or no) or ``timestamp`` (days before the moment are used).
    time
        ``static``: true at creation and for ever. ``tracked``: its past is in ``field_history``.
        ``current``: only today's value is known, so it is never used for a past moment. None: nobody declared
        it; it is read like a static one, `train --strict` leaves it out, and the audit asks.
    label
        Words for a sales manager; the column's name with spaces if None.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    kind: Kind
    time: TimeClass | None = None
    label: str | None = None


@dataclass(frozen=True)
class Source:
    """Where one table is and how its text is written; nothing of this is guessed at night.

    Attributes
    ----------
    path
        CSV or Parquet file, or folder or pattern of Parquet files, relative to the folder of
        ``params.yaml``; None for a table of a database or of Spark.
    format
        ``csv``, ``parquet``, ``database`` or ``spark``.
    encoding, separator, decimal, thousands
        How a CSV file is written. ``thousands`` None: no grouping mark.
    timestamp_format
        ``iso``, ``unix_seconds``, ``unix_milliseconds`` or a strptime pattern.
    timezone
        IANA zone of stamps that carry no offset.
    null_tokens
        Texts that mean "no value", beside the empty cell.
    url_env
        Name of the environment variable that holds the SQLAlchemy URL of a database table.
    database_table
        Table or view name in the database, optionally ``schema.name``.
    spark_table
        Table or view of the Spark session's catalog, as Spark SQL names it.
    mapping
        Our column name to the user's header.
    fields
        Columns that become fit features, by our name (a contract text column may be named too).
    outcome_column
        Flat start only: our name of the column that says whether the lead was won.
    won_values
        Texts of ``outcome_column`` that mean won; an empty cell means undecided, all others lost.
    order_column
        Flat start only: the column that grows with time; None keeps the order of the file.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    path: str | None = None
    format: Literal["csv", "parquet", "database", "spark"] = "csv"
    encoding: str = "utf-8"
    separator: str = ","
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    timestamp_format: str = "iso"
    timezone: str = "UTC"
    null_tokens: tuple[str, ...] = ()
    url_env: str | None = None
    database_table: str | None = None
    spark_table: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    outcome_column: str | None = None
    won_values: tuple[str, ...] = ("1", "true", "yes", "won", "y", "t")
    order_column: str | None = None

    @property
    def is_flat(self) -> bool:
        """Whether the outcome stands in this table itself (flat start)."""
        return self.outcome_column is not None

    def header(self, column: str) -> str:
        """The user's header of one of our columns."""
        return self.mapping.get(column, column)
