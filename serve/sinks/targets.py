"""What each CRM's import takes: the names of the fields, the size of a file, and how it reads an empty cell.

The sources of the limits are in docs/sinks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Crm: TypeAlias = Literal["salesforce", "hubspot", "dynamics"]


@dataclass(frozen=True)
class Target:
    """One way to load a file into a CRM.

    Attributes
    ----------
    key
        Header of the column that holds ``lead_id``.
    fields
        Header by column of the ranking; a column that a ranking lacks is left out.
    file_bytes, file_rows
        The most that one file may have; the header is no row.
    fields_max, characters
        The most fields of a file, and characters of a field.
    empty
        Text that makes a field empty; None: an empty cell.
    is_literal
        Whether a program reads each value as it stands. Otherwise people open such files in a spreadsheet.
    """

    key: str
    fields: Mapping[str, str]
    file_bytes: int
    file_rows: int
    fields_max: int
    characters: int
    empty: str | None
    is_literal: bool


_SHOWN = ("score", "probability", "grade", "route", "for_1")
_CALLED = ("score", "probability", "grade", "route", "reason")


def _fields(form: str, words: Iterable[str] = _CALLED) -> dict[str, str]:
    """The usual columns, each under the CRM's form of its word."""
    return {column: form.format(word) for column, word in zip(_SHOWN, words, strict=True)}


TARGETS: Mapping[Crm, Target] = {
    "salesforce": Target(
        key="Id",
        fields=_fields("LeadRank_{}__c", (word.title() for word in _CALLED)),
        file_bytes=100_000_000,
        file_rows=150_000_000,
        fields_max=5_000,
        characters=32_000,
        empty="#N/A",
        is_literal=True,
    ),
    "hubspot": Target(
        key="Record ID",
        fields=_fields("leadrank_{}"),
        file_bytes=512_000_000,
        file_rows=1_048_575,
        fields_max=999,
        characters=65_536,
        empty=None,
        is_literal=False,
    ),
    "dynamics": Target(
        key="leadid",
        fields=_fields("new_leadrank_{}"),
        file_bytes=8_000_000,
        file_rows=1_048_575,
        fields_max=1_024,
        characters=4_000,
        empty=None,
        is_literal=False,
    ),
}
