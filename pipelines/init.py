"""``leadrank init``: look at the user's files, ask, and write a commented ``params.yaml``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import ParameterError, Place, StorageError
from features.propose import FileFacts, TableProposal, Wishes, look, propose, tables_of
from pipelines import params
from pipelines.init_questions import asked
from pipelines.params_text import params_text
from pipelines.presets import PRESETS

NAME = "params.yaml"
_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
_RECOGNISED = 3
"""Headers of ``leads`` that have to be a CRM's own before its names are used."""


@dataclass(frozen=True)
class InitResult:
    """What ``init`` wrote.

    Attributes
    ----------
    path
        The parameter file.
    summary
        Lines for the user: what each file was taken for, and what to check.
    """

    path: Path
    summary: tuple[str, ...]


def run(
    files: Sequence[Path],
    *,
    folder: Path,
    outcome: str | None = None,
    yes: bool = False,
    overwrite: bool = False,
) -> InitResult:
    """Write ``params.yaml`` for the user's files.

    Parameters
    ----------
    files
        CSV or Parquet files.
    folder
        Where ``params.yaml`` is written; paths in it are relative to it.
    outcome
        Header of the column that says whether a lead was won (flat start); None with a table of outcomes.
    yes
        Accept every proposal; else each group of proposals is asked about.
    overwrite
        Whether an existing ``params.yaml`` is replaced.

    Raises
    ------
    ParameterError
        There is a ``params.yaml`` already, a file is of no known format, or nothing says who was won.
    InputError
        A file is missing, empty or no contract table.
    StorageError
        The file cannot be written.
    """
    from features.propose.measure import measured

    path = folder / NAME
    _check(files, path, overwrite=overwrite)
    facts = [look(file, outcome=outcome) for file in files]
    wishes = _with_crm(facts, Wishes(outcome=outcome))
    wishes = wishes if yes else asked(facts, wishes)
    tables = [_beside(table, folder) for table in propose(facts, wishes)]
    text = params_text(tables, measured(tables))
    params.parse(text, file=NAME)  # a proposal that load refuses is our bug: better now than at night
    _write(path, text)
    return InitResult(path, tuple(line for table in tables for line in _summary(table)))


def _check(files: Sequence[Path], path: Path, *, overwrite: bool) -> None:
    place = Place("init", path.name)
    if not files:
        raise ParameterError("no files were given", hint="run `leadrank init FILE…`", place=place)
    if path.exists() and not overwrite:
        raise ParameterError(
            f"there is a {path.name} already", hint="edit it, or replace it with --force", place=place
        )
    for file in files:
        if file.suffix.lower() not in _SUFFIXES:
            raise ParameterError(
                f"'{file.name}' is neither CSV nor Parquet",
                hint="save it as CSV (UTF-8) or Parquet; database tables are declared in params.yaml",
                place=Place("init", file.name),
            )


def _with_crm(facts: Sequence[FileFacts], wishes: Wishes) -> Wishes:
    """The wishes with a CRM's header names, if the leads have enough of them."""
    by_table = tables_of(facts, wishes)
    hits = {crm: _hits(by_table["leads"], headers["leads"]) for crm, headers in PRESETS.items()}
    best = max(hits, key=lambda crm: hits[crm])
    return replace(wishes, headers=PRESETS[best]) if hits[best] >= _RECOGNISED else wishes


def _hits(leads: FileFacts, headers: Mapping[str, str]) -> int:
    """Headers of a CRM that are in the file, except those that are our own names."""
    return sum(header in leads.columns for column, header in headers.items() if header.casefold() != column)


def _beside(table: TableProposal, folder: Path) -> TableProposal:
    """The proposal with its path from the folder of ``params.yaml``; its whole path if it lies elsewhere."""
    # Not resolve(): a link in the user's path is theirs to keep.
    whole = Path(os.path.abspath(table.file.path))  # noqa: PTH100
    home = Path(os.path.abspath(folder))  # noqa: PTH100
    path = whole.relative_to(home) if whole.is_relative_to(home) else whole
    return replace(table, source=replace(table.source, path=path.as_posix()))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        raise StorageError(
            f"'{path.name}' cannot be written",
            hint="check the folder's permissions",
            place=Place("init", path.name),
        ) from None


def _summary(table: TableProposal) -> list[str]:
    used = sum(proposal.field is not None for proposal in table.fields)
    fields = f", {used} fields used, {len(table.fields) - used} left out" if table.fields else ""
    changing = [f.name for f in table.fields if f.field is not None and f.field.time == "current"]
    checks = [f"check {key}: {note}" for key, note in table.notes.items()]
    if changing:
        checks.append(f"check fields that change and so are not used for the past: {', '.join(changing)}")
    open_questions = sum(f.field is not None and f.field.time is None for f in table.fields)
    if open_questions:
        checks.append(f"{open_questions} fields have no `time:`, as only you know when they are filled in")
    return [f"{table.name}: {table.file.path.name}{fields}", *(f"  {check}" for check in checks)]
