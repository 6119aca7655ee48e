"""Which contract table a file is, and which of its headers are contract columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from features.errors import InputError, Place, listed
from features.personal import MOSTLY
from features.propose import names
from features.propose.facts import ColumnFacts, FileFacts
from features.tables import CONTRACT, PERSONAL

_BY_COLUMNS = (
    "field_history", "outcomes", "touches", "identities", "spend", "contacts", "leads", "accounts",
)  # fmt: skip
"""The order in which columns are compared: a table with more required columns comes first."""

_LINKS: Mapping[str, tuple[str, ...]] = {
    "leads": ("lead_id", "created_at", *PERSONAL["leads"]),
    "touches": ("lead_id",),
    "contacts": ("account_id", "lead_id"),
}
"""Columns that are looked for under other headers although a file may lack them."""


def table_of(file: FileFacts, *, outcome: str | None, only: bool) -> str:
    """The contract table that a file is.

    Parameters
    ----------
    file
        The file's facts.
    outcome
        Header of the outcome column of a flat start; the file that has it is ``leads``.
    only
        Whether it is the only file.

    Raises
    ------
    InputError
        Neither the file's name nor its columns tell.
    """
    if outcome is not None and outcome in file.columns:
        return "leads"
    said = set(names.words(file.path.stem))
    if by_name := next((table for table, words in names.TABLE_WORDS.items() if words & said), None):
        return by_name
    if by_columns := next((table for table in _BY_COLUMNS if _has_required(file, table)), None):
        return by_columns
    if only:
        return "leads"
    raise InputError(
        f"cannot tell which table '{file.path.name}' is: neither its name nor its columns say so",
        hint=f"name the file after its table: {', '.join(CONTRACT)}",
        place=Place("init", file.path.name),
    )


def mapping_of(
    file: FileFacts, table: str, *, taken: Collection[str] = (), wanted: Mapping[str, str]
) -> dict[str, str]:
    """Our column name to the file's header, for required and personal columns, ids and ``created_at``.

    Parameters
    ----------
    file
        The file's facts.
    table
        Contract table.
    taken
        Headers that are something else, such as the outcome.
    wanted
        Headers that the user or a CRM's preset names, by our column name; "" for a column that is not there.
    """
    free = [name for name in file.columns if name not in taken]
    mapping: dict[str, str] = {}
    for column in _looked_for(table, wanted):
        header = wanted.get(column)
        if header not in free and header != "":
            header = _likely(file, table, column, free)
        if header:
            mapping[column] = header
            free.remove(header)
    is_open = table == "leads" and "lead_id" not in mapping and wanted.get("lead_id") != ""
    if is_open and (own := _own_id(file, free)):
        mapping["lead_id"] = own
    return mapping


def check_required(file: FileFacts, table: str, mapping: Mapping[str, str], *, is_flat: bool) -> None:
    """Refuse a file without a column that its table needs; a flat table needs none.

    Raises
    ------
    InputError
        With the missing columns by name.
    """
    missing = [column for column in _required(table) if column not in mapping]
    if table == "touches" and not {"lead_id", "contact_id", "visitor_id"} & {*mapping, *file.columns}:
        missing.append("lead_id")
    if table == "identities" and not {"contact_id", "visitor_id"} & set(file.columns):
        missing.append("visitor_id")
    if missing and not is_flat:
        raise InputError(
            f"'{file.path.name}' looks like the table '{table}' but has no {listed(missing)}",
            hint="rename the column, or write its header under 'mapping' in params.yaml",
            place=Place("init", file.path.name),
        )


def _required(table: str) -> list[str]:
    return [name for name, column in CONTRACT[table].columns.items() if column.required]


def _looked_for(table: str, wanted: Iterable[str]) -> Iterable[str]:
    named = (column for column in wanted if column in CONTRACT[table].columns)
    return dict.fromkeys((*_required(table), *_LINKS.get(table, ()), *named))


def _has_required(file: FileFacts, table: str) -> bool:
    squeezed = {names.squeezed(header) for header in file.columns}
    return all(names.squeezed(column) in squeezed for column in _required(table))


def _likely(file: FileFacts, table: str, column: str, headers: Sequence[str]) -> str | None:
    """The header that names and facts speak for; a bare id is the table's own and nobody else's."""
    header = names.header_for(column, headers)
    is_foreign = CONTRACT[table].key != (column,) and header is not None and names.squeezed(header) == "id"
    return header if header and not is_foreign and _fits(file, table, column, header) else None


def _fits(file: FileFacts, table: str, column: str, header: str) -> bool:
    """A lead's id under another header must differ from row to row, and a moment must look like one."""
    if header.casefold() == column:
        return True
    facts = file.columns[header]
    if CONTRACT[table].columns[column].type == "timestamp":
        return facts.iso + facts.local_dates > 0 or facts.whole == facts.filled
    if column in PERSONAL.get(table, ()):
        return _looks_like(column, facts)
    is_key = CONTRACT[table].key == (column,)
    return not is_key or facts.distinct == facts.filled == file.rows


def _looks_like(column: str, facts: ColumnFacts) -> bool:
    """Whether the values are addresses, numbers or, for the other personal columns, many texts."""
    if column in ("email", "phone"):
        return (facts.emails if column == "email" else facts.phones) > MOSTLY * facts.filled
    is_varied = not facts.values or facts.distinct == facts.filled > 0
    return is_varied and facts.numbers <= MOSTLY * facts.filled


def _own_id(file: FileFacts, headers: Sequence[str]) -> str | None:
    unique = (h for h in headers if file.columns[h].distinct == file.columns[h].filled == file.rows)
    return next((header for header in unique if names.ends_like_an_id(header)), None)
