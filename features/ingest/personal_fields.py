"""A category is never an e-mail address, a phone number, a person's name or a free note.

The texts of a category are kept by the model and shown in reasons. Values are looked at in SQL; a message
names table and column, never a value.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named()

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from features.errors import ParameterError, Place
from features.ingest.sql import named, quoted
from features.personal import (
    BARE_NAMES,
    DIGITS,
    EMAIL,
    MOSTLY,
    NAMES,
    NOTES,
    PERSON,
    PHONE,
    PHONES,
    squeezed,
    words,
)
from features.tables import PERSONAL, Source

_NOTE_CHARACTERS, _NOTE_WORDS, _NOTE_VALUES = 50, 5, 50
_FEWEST_VALUES = 20  # of fewer values nobody can say that nearly all differ
_WORDS = r"(len(regexp_extract_all(v, '\s+')) + len(regexp_extract_all(v, '\p{Han}')) // 3 + 1)"


@dataclass(frozen=True)
class _Looks:
    """What the values of a column look like: cells, different values, and shares of the cells (0 to 1)."""

    filled: int
    distinct: int
    emails: float
    phones: float
    digits: float
    persons: float
    mean_characters: float
    mean_words: float


def refuse_personal(connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source]) -> None:
    """Refuse categories of loaded tables whose values identify a person or are free text.

    Parameters
    ----------
    sources
        Declared sources of the loaded tables.

    Raises
    ------
    ParameterError
        Names table, column and what to do.
    """
    for table, source in sources.items():
        for name, field in source.fields.items():
            if field.kind == "category":
                looks = _looks(connection, table, name)
                if what := _what(table, {name, source.header(name)}, looks):
                    raise ParameterError(
                        f"the field '{name}' of table '{table}' is a category, but holds {what}",
                        hint=_hint(table, name, what),
                        place=Place(stage="ingest", file=source.path, column=source.header(name)),
                    )


def _looks(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> _Looks:
    shares = ", ".join(
        f"coalesce(sum(n) FILTER (regexp_full_match(v, {quoted(pattern)})) / sum(n), 0)"
        for pattern in (EMAIL, PHONE, DIGITS, PERSON)
    )
    row = connection.execute(
        f"SELECT coalesce(sum(n), 0), count(*), {shares}, coalesce(sum(n * length(v)) / sum(n), 0), "
        f"coalesce(sum(n * {_WORDS}) / sum(n), 0) FROM (SELECT {named(name)} AS v, count(*) AS n "
        f"FROM {named(table)} WHERE {named(name)} IS NOT NULL GROUP BY 1)"
    ).fetchone()
    return _Looks(*row) if row else _Looks(0, 0, 0, 0, 0, 0, 0, 0)


def _what(table: str, headers: Iterable[str], looks: _Looks) -> str:
    """What the column holds; empty for a category."""
    headers = list(headers)
    said = {word for header in headers for word in words(header)}
    if looks.emails > MOSTLY:
        return "e-mail addresses"
    if looks.phones > MOSTLY or (not PHONES.isdisjoint(said) and looks.digits > MOSTLY):
        return "phone numbers"
    names = NAMES | BARE_NAMES if table == "leads" else NAMES
    if looks.persons > MOSTLY and any(squeezed(header) in names for header in headers):
        return "names of persons"
    return "free notes" if _are_notes(looks, is_called_so=not NOTES.isdisjoint(said)) else ""


def _are_notes(looks: _Looks, *, is_called_so: bool) -> bool:
    """Many words that differ from row to row; a title or a campaign has fewer, a page's address one."""
    differ = looks.filled >= _FEWEST_VALUES and looks.distinct > MOSTLY * looks.filled
    is_long = looks.mean_characters > _NOTE_CHARACTERS and looks.distinct >= _NOTE_VALUES
    is_wordy = looks.mean_words >= _NOTE_WORDS
    return (is_wordy and (differ or is_long)) or (is_called_so and differ and looks.mean_words > 1)


def _hint(table: str, name: str, what: str) -> str:
    ours = {"e-mail addresses": "email", "phone numbers": "phone"}.get(what)
    if table == "leads" and ours in PERSONAL["leads"]:
        return (
            f"remove it from tables.leads.fields, and map its header to '{ours}' under tables.leads.mapping"
        )
    return f"remove '{name}' from tables.{table}.fields"
