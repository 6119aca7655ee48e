"""The questions of ``leadrank init``, one group a topic; Enter accepts the proposal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import typer
from rich.console import Console
from rich.table import Table

from features.propose import FileFacts, TableProposal, Wishes, propose, tables_of
from features.tables import CONTRACT


def asked(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    """The wishes, completed by the user's answers.

    Parameters
    ----------
    files
        Facts from ``look``.
    wishes
        What is known already.
    """
    for question in (_tables, _ids, _dates, _outcome, _kinds):
        wishes = question(files, wishes)
    return wishes


def _tables(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    proposed = {file.path: table for table, file in tables_of(files, wishes).items()}
    return replace(
        wishes,
        tables={
            file.path: _one_of(f"'{file.path.name}' is the table", tuple(CONTRACT), proposed[file.path])
            for file in files
        },
    )


def _ids(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    leads = _leads(files, wishes)
    headers = dict(wishes.headers.get("leads", {}))
    for column, what in (("lead_id", "the id of a lead"), ("created_at", "the moment a lead was created")):
        proposed = _header(leads, column)
        answer = _one_of(f"Column with {what} (- for none)", (*leads.file.columns, "-"), proposed or "-")
        headers[column] = "" if answer == "-" else answer
    return replace(wishes, headers={**wishes.headers, "leads": headers})


def _dates(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    unsure = [table for table in propose(files, wishes) if "timestamp_format" in table.notes]
    if not unsure:
        return wishes
    is_day_first = typer.confirm("Is 01/02/2026 the first of February?", default=True)
    return replace(wishes, is_day_first=is_day_first)


def _outcome(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    source = _leads(files, wishes).source
    if source.outcome_column is None:
        return wishes
    proposed = ", ".join(source.won_values)
    answer = typer.prompt(f"Texts of '{source.outcome_column}' that mean won", default=proposed)
    return wishes if answer == proposed else replace(wishes, won_values=_parts(answer))


def _kinds(files: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    for table in propose(files, wishes):
        if table.fields:
            Console(stderr=True).print(_shown(table))
    answer = typer.prompt("Fields to leave out, with commas between", default="", show_default=False)
    return replace(wishes, left_out=frozenset(_parts(answer)))


def _leads(files: Sequence[FileFacts], wishes: Wishes) -> TableProposal:
    return next(table for table in propose(files, wishes) if table.name == "leads")


def _header(table: TableProposal, column: str) -> str | None:
    header = table.source.header(column)
    return next((name for name in table.file.columns if name.casefold() == header.casefold()), None)


def _one_of(question: str, choices: Sequence[str], proposed: str) -> str:
    """An answer among the choices; anything else is asked again."""
    while True:
        answer: str = typer.prompt(question, default=proposed)
        if answer in choices:
            return answer
        typer.echo(f"one of: {', '.join(choices)}", err=True)


def _parts(answer: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in answer.split(","))))


def _shown(table: TableProposal) -> Table:
    shown = Table("field", "kind", "time", "remark", title=f"fields of {table.name}")
    for row in _rows(table):
        shown.add_row(*row)
    return shown


def _rows(table: TableProposal) -> Iterable[tuple[str, str, str, str]]:
    for proposal in table.fields:
        field = proposal.field
        time = (field.time or "not declared") if field else ""
        yield (proposal.name, field.kind if field else "left out", time, proposal.why)
