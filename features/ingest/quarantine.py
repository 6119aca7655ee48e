"""Why a row was turned away, and the law that no row disappears.

The quarantine keeps table, file, line, column and a reason code: never the row's values. Every load is
counted, and ``read = accepted + quarantined + deduplicated + erased`` must hold for each table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import duckdb

from features.errors import LeadrankError, Place

Reason: TypeAlias = Literal[
    "ragged_row",  # more or fewer cells than the header
    "unbalanced_quote",  # a quote is opened and not closed, or closed in the middle of a cell
    "undecodable",  # bytes that are not text in the file's encoding
    "control_character",  # NUL or another control character
    "line_too_long",  # more than a mebibyte
    "missing_required",
    "not_a_number",
    "not_a_timestamp",
    "not_a_flag",
    "sentinel_timestamp",  # a required moment holds 1900, 9999, infinity …
    "nonexistent_time",  # a local time that the clock change skipped
    "mixed_offsets",  # with an offset in a column that has none elsewhere, or the other way round
    "mangled_id",  # an id that a spreadsheet turned into scientific notation
    "conflicting_duplicate",  # rows of one key disagree
    "merged_in_a_circle",  # a lead that became another, which became the first
]


@dataclass(frozen=True)
class Counts:
    """What became of the rows of one table; all figures are rows."""

    table: str
    read: int
    accepted: int
    quarantined: int
    deduplicated: int
    erased: int = 0

    def less(self, erased: int) -> Counts:
        """These counts after accepted rows were dropped because their leads were erased."""
        return replace(self, accepted=self.accepted - erased, erased=erased).checked()

    def checked(self) -> Counts:
        """These counts, if no row has disappeared.

        Raises
        ------
        LeadrankError
            The conservation law is broken: a bug of ours.

        >>> Counts("leads", 5, 3, 1, 1).checked().accepted
        3
        """
        if self.read != self.accepted + self.quarantined + self.deduplicated + self.erased:
            raise LeadrankError(
                f"table '{self.table}': {self.read} rows read, but {self.accepted} accepted, "
                f"{self.quarantined} quarantined, {self.deduplicated} deduplicated and {self.erased} erased",
                hint="please report this; nothing was used",
                place=Place(stage="ingest"),
            )
        return self


@dataclass(frozen=True)
class Note:
    """Something about a column that was handled by a rule and is worth a count.

    Attributes
    ----------
    kind
        ``non_finite`` (NaN or infinite number → null), ``sentinel_timestamp`` (→ null), ``repeated_hour``
        (local time that occurs twice: the later moment is taken), ``unlinked`` (touch whose contact has
        no known lead), ``lost_values`` (distinct outcome texts that are not in ``won_values``),
        ``merged_undated`` (merged lead without ``merged_at``: never ranked, its touches stay its own),
        ``negative_duration`` (→ null), ``before_creation`` (outcome of a lead that was not there yet).
    count
        Rows, or distinct values for ``lost_values``.
    """

    table: str
    column: str
    kind: Literal[
        "non_finite",
        "sentinel_timestamp",
        "repeated_hour",
        "unlinked",
        "lost_values",
        "merged_undated",
        "negative_duration",
        "before_creation",
    ]
    count: int


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table ``quarantine(table_name, file, line, column, reason)``."""
    connection.execute(
        "CREATE OR REPLACE TABLE quarantine "
        '(table_name VARCHAR, file VARCHAR, line BIGINT, "column" VARCHAR, reason VARCHAR)'
    )


def quarantined(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of one table that are in quarantine."""
    row = connection.execute("SELECT count(*) FROM quarantine WHERE table_name = ?", [table]).fetchone()
    return int(row[0]) if row else 0
