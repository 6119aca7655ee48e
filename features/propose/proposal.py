"""What goes into a proposal and what comes out: the user's wishes, and one table as it will be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.propose.facts import FileFacts
from features.propose.fields import FieldProposal
from features.tables import Source


@dataclass(frozen=True)
class Wishes:
    """What the user said; None and empty mean: not asked, propose.

    Attributes
    ----------
    outcome
        Header of the outcome column: the start is flat.
    tables
        Contract table by file.
    headers
        Headers by table and our column name: the user's answers, or those of a known CRM.
    is_day_first
        How 01/02/2026 is read.
    won_values
        Texts of the outcome column that mean won.
    left_out
        Headers that are no fields.
    """

    outcome: str | None = None
    tables: Mapping[Path, str] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_day_first: bool | None = None
    won_values: tuple[str, ...] | None = None
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TableProposal:
    """One table as ``params.yaml`` will declare it.

    Attributes
    ----------
    name
        Contract table.
    file
        What was seen.
    source
        The declaration, with the path as the user gave it.
    fields
        Every column that could be a field, also those that are left out.
    notes
        What the user should check, by key of ``Source`` (or ``lead_id``).
    """

    name: str
    file: FileFacts
    source: Source
    fields: tuple[FieldProposal, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
