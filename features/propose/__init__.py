"""Proposals for ``params.yaml``: what each of the user's files is, from counts over its first rows.

``look`` counts, the other modules decide one thing each, and ``propose`` puts their answers together.
Nothing here runs at night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from features.errors import InputError, ParameterError, Place, listed
from features.propose.declare import declare
from features.propose.facts import ColumnFacts, FileFacts
from features.propose.fields import FieldProposal
from features.propose.look import look, texts
from features.propose.names import squeezed
from features.propose.proposal import TableProposal, Wishes
from features.propose.tables import mapping_of, table_of
from features.tables import CONTRACT

__all__ = [
    "ColumnFacts",
    "FieldProposal",
    "FileFacts",
    "TableProposal",
    "Wishes",
    "look",
    "propose",
    "tables_of",
]


def propose(files: Sequence[FileFacts], wishes: Wishes) -> tuple[TableProposal, ...]:
    """What each file is, in the order of the contract.

    Parameters
    ----------
    files
        Facts from ``look``.
    wishes
        What the user said.

    Raises
    ------
    InputError
        A file is no contract table, two files are the same one, or a required column is missing.
    ParameterError
        Nothing says which leads were won, or two things do.
    """
    by_table = tables_of(files, wishes)
    _check_outcome(by_table, wishes)
    mappings = _mappings(by_table, wishes)
    history = mappings.get("field_history", {}).get("field")
    tracked = texts(by_table["field_history"].path, history) if history else ()
    return tuple(
        declare(table, by_table[table], mappings[table], wishes=wishes, tracked=tracked)
        for table in CONTRACT
        if table in by_table
    )


def tables_of(files: Sequence[FileFacts], wishes: Wishes) -> dict[str, FileFacts]:
    """Files by contract table.

    Raises
    ------
    InputError
        A file is no contract table, two files are the same one, or none is ``leads``.
    """
    found: dict[str, FileFacts] = {}
    for file in files:
        only = len(files) == 1
        table = wishes.tables.get(file.path) or table_of(file, outcome=wishes.outcome, only=only)
        if table in found:
            raise InputError(
                f"'{found[table].path.name}' and '{file.path.name}' both look like the table '{table}'",
                hint="name each file after its table, or leave one out",
                place=Place("init", file.path.name),
            )
        found[table] = file
    if "leads" not in found:
        raise InputError(
            "none of the files is the table 'leads'",
            hint="add a file with one row per lead, named leads",
            place=Place("init"),
        )
    return found


def _mappings(by_table: Mapping[str, FileFacts], wishes: Wishes) -> dict[str, dict[str, str]]:
    """Our names to headers by table; other tables call the lead's id as ``leads`` does, if they can."""
    taken = () if wishes.outcome is None else (wishes.outcome,)
    leads = mapping_of(by_table["leads"], "leads", taken=taken, wanted=wishes.headers.get("leads", {}))
    others = {
        table: mapping_of(file, table, wanted={**_shared(leads, file), **wishes.headers.get(table, {})})
        for table, file in by_table.items()
        if table != "leads"
    }
    return {"leads": leads, **others}


def _shared(leads: Mapping[str, str], file: FileFacts) -> dict[str, str]:
    """Ids under the headers that ``leads`` has, where a file has no column of our name."""
    own = {header.casefold() for header in file.columns}
    return {
        name: header
        for name, header in leads.items()
        if name.endswith("_id") and name not in own and squeezed(header) != "id"
    }


def _check_outcome(by_table: Mapping[str, FileFacts], wishes: Wishes) -> None:
    leads, outcomes = by_table["leads"], by_table.get("outcomes")
    place = Place("init", leads.path.name)
    if wishes.outcome is None and outcomes is None:
        two = [name for name, column in leads.columns.items() if len(column.values) == 2]  # noqa: PLR2004  (won or not)
        also = f"; columns with two values: {listed(two)}" if two else ""
        raise ParameterError(
            "nothing says which leads were won",
            hint=f"add the table of outcomes, or name the column with --outcome COLUMN{also}",
            place=place,
        )
    if wishes.outcome is None:
        return
    if wishes.outcome not in leads.columns:
        near = get_close_matches(wishes.outcome, leads.columns, n=1)
        raise ParameterError(
            f"'{leads.path.name}' has no column '{wishes.outcome}'",
            hint=f"did you mean --outcome '{near[0]}'" if near else "check the name after --outcome",
            place=place,
        )
    if outcomes is not None:
        raise ParameterError(
            f"the outcome is given twice: by --outcome and by '{outcomes.path.name}'",
            hint="leave one of the two out",
            place=place,
        )
