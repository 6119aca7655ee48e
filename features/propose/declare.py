"""From the decisions about one file to its declaration."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.propose import names
from features.propose.facts import FileFacts
from features.propose.fields import FieldProposal, propose_field
from features.propose.outcome import Outcome, read_outcome, tells_the_outcome
from features.propose.proposal import TableProposal, Wishes
from features.propose.tables import check_required
from features.propose.writing import Writing, read_writing
from features.tables import CONTRACT, PERSONAL, Source

_WITH_FIELDS = ("leads", "accounts")
"""Tables whose columns become fit features."""

_LEFT_TO_THE_LOAD = "tells who a person is or a way to reach one: the load keeps classes of it only"
_NO_FIELDS = ("owner", "name")
"""Contract texts that say who, not what."""


@dataclass(frozen=True)
class _Seen:
    """All that was decided about one file before its fields."""

    table: str
    file: FileFacts
    mapping: Mapping[str, str]
    writing: Writing
    outcome: Outcome | None
    order: str | None


def declare(
    table: str, file: FileFacts, mapping: Mapping[str, str], *, wishes: Wishes, tracked: Collection[str]
) -> TableProposal:
    """The declaration of one file.

    Parameters
    ----------
    table
        Contract table.
    file
        The file's facts.
    mapping
        Our column name to the file's header.
    wishes
        What the user said.
    tracked
        Fields of the leads whose past is in ``field_history``.

    Raises
    ------
    InputError
        A required column is missing, or the outcome column says neither won nor lost.
    """
    is_flat = table == "leads" and wishes.outcome is not None
    check_required(file, table, mapping, is_flat=is_flat)
    seen = _Seen(
        table=table,
        file=file,
        mapping=mapping,
        writing=read_writing(file, moments=_moments(table, file, mapping), is_day_first=wishes.is_day_first),
        outcome=read_outcome(file, wishes.outcome, won_values=wishes.won_values)
        if is_flat and wishes.outcome
        else None,
        order=_order_column(file, mapping) if is_flat else None,
    )
    fields = tuple(_fields(seen, wishes.left_out, tracked)) if table in _WITH_FIELDS else ()
    return TableProposal(table, file, _source(seen, fields), fields, _notes(seen))


def _moments(table: str, file: FileFacts, mapping: Mapping[str, str]) -> list[str]:
    stamps = (name for name, column in CONTRACT[table].columns.items() if column.type == "timestamp")
    return [header for name in stamps if (header := mapping.get(name, name)) in file.columns]


def _order_column(file: FileFacts, mapping: Mapping[str, str]) -> str | None:
    """Our name of the number that grows with time; none is needed where ``created_at`` is known."""
    if "created_at" in mapping:
        return None
    unique = [c.name for c in file.columns.values() if c.whole == c.distinct == c.filled == file.rows]
    likely = (
        name for name in unique if file.columns[name].is_growing or names.words(name)[-1:] == ("number",)
    )
    found = next(likely, None)
    return "lead_id" if found is not None and found == mapping.get("lead_id") else found


def _fields(seen: _Seen, left_out: Collection[str], tracked: Collection[str]) -> Iterator[FieldProposal]:
    contract = {name: name for name in CONTRACT[seen.table].columns}
    contract |= {header.casefold(): name for name, header in seen.mapping.items()}
    used = {seen.order, seen.outcome.column if seen.outcome else None}
    for header in seen.file.columns:
        # The load matches headers without regard to case, so a field takes the contract's own spelling.
        name = contract.get(header.casefold(), header)
        if header not in used and not _is_no_field(seen.table, name):
            yield _field(seen, header, name, left_out, tracked)


def _is_no_field(table: str, name: str) -> bool:
    """A contract column that says who or when, not what."""
    column = CONTRACT[table].columns.get(name)
    return column is not None and (column.type == "timestamp" or name.endswith("_id") or name in _NO_FIELDS)


def _field(
    seen: _Seen, header: str, name: str, left_out: Collection[str], tracked: Collection[str]
) -> FieldProposal:
    if header in left_out:
        return FieldProposal(name, None, "you left it out")
    if seen.outcome is not None and tells_the_outcome(seen.file, header, seen.outcome):
        return FieldProposal(name, None, "filled in after the outcome: being filled in tells who was won")
    column, facts = CONTRACT[seen.table].columns.get(name), seen.file.columns[header]
    is_personal = name in PERSONAL.get(seen.table, ())
    if is_personal and not facts.values:
        return FieldProposal(name, None, _LEFT_TO_THE_LOAD)
    return propose_field(
        facts,
        seen.writing,
        name=name,
        rows=seen.file.rows,
        tracked=tracked if seen.table == "leads" else (),
        is_contract=column is not None and column.type == "text" and not is_personal,
    )


def _source(seen: _Seen, fields: Sequence[FieldProposal]) -> Source:
    dialect, outcome, writing = seen.file.dialect, seen.outcome, seen.writing
    return Source(
        path=str(seen.file.path),
        format="csv" if dialect else "parquet",
        encoding=dialect.encoding if dialect else "utf-8",
        separator=dialect.separator if dialect else ",",
        decimal=writing.decimal,
        thousands=writing.thousands,
        timestamp_format=writing.timestamp_format,
        null_tokens=(*writing.null_tokens, *(outcome.undecided if outcome else ())),
        mapping={name: header for name, header in seen.mapping.items() if header.casefold() != name},
        fields={proposal.name: proposal.field for proposal in fields if proposal.field},
        outcome_column=outcome.column if outcome else None,
        won_values=outcome.won_values if outcome else Source.won_values,
        order_column=seen.order,
    )


def _notes(seen: _Seen) -> dict[str, str]:
    dialect = seen.file.dialect
    notes = {
        "encoding": "" if dialect is None or dialect.is_sure else "guessed by the look of the text",
        "timestamp_format": seen.writing.date_note,
        "decimal": seen.writing.number_note,
    }
    if seen.outcome is not None:
        notes |= _flat_notes(seen, seen.outcome)
    return {key: note for key, note in notes.items() if note}


def _flat_notes(seen: _Seen, outcome: Outcome) -> dict[str, str]:
    has_id, has_order = "lead_id" in seen.mapping, seen.order or "created_at" in seen.mapping
    return {
        "won_values": outcome.note,
        "null_tokens": f"among them the undecided ones of '{outcome.column}'" if outcome.undecided else "",
        "lead_id": "" if has_id else "no column is an id: leads are called row-1, row-2 …",
        "order_column": "" if has_order else "no column grows with time: the order of the file stands for it",
    }
