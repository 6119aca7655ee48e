"""The text of a ``params.yaml``: every key with a comment that says what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from features.propose import FieldProposal, TableProposal
from features.tables import CONTRACT, Field
from pipelines.params_sections import SECTIONS
from pipelines.tag_rules import usual_fields

if TYPE_CHECKING:
    from features.cycle import Cycle  # it imports Ibis

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_WIDTH = 100

_HEAD = """\
# Parameters of leadrank: one section a command. Check the lines marked CHECK, then run
#
#     leadrank check      # loads the tables and says what it found
#     leadrank train
#
# Nothing is guessed at night: what stands here is what is done. Unknown keys are refused.

seed: 7  # start of every random choice: the same seed and data give the same model

# ── The tables ──────────────────────────────────────────────────────────────────────────────────
# Paths start at this file's folder; a file elsewhere needs its whole path.
# "mapping" has our column name on the left, your header on the right.
# Moments are read in "timezone" where they carry no offset of their own.
tables:
"""

_FIELDS = """\
    # Your own columns that the model learns from, one a line.
    #   kind  number · category · flag (yes or no) · timestamp
    #   time  static   true at creation and for ever: a claim, so remove what is filled in later
    #         tracked  changes, and its past is in field_history
    #         current  changes, and only today's value is known: not used for the past
    #         Without a time a field is read as if static; `leadrank audit` says which ones to declare first.
"""


def params_text(tables: Sequence[TableProposal], cycle: Cycle | None = None) -> str:
    """The text of a parameter file.

    Parameters
    ----------
    tables
        Proposals in the order in which they are written.
    cycle
        What was measured of the time that outcomes take; None leaves the defaults.
    """
    return _HEAD + "\n".join("".join(_table(table)) for table in tables) + _tail(tables, cycle)


def quoted(text: str) -> str:
    r"""A text as a YAML scalar in double quotes, with everything unprintable escaped.

    >>> print(quoted('Größe: "L" #1'))
    "Größe: \"L\" #1"
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def scalar(text: str) -> str:
    """A text as a YAML scalar, in quotes unless it is a plain word.

    >>> scalar("lead_id"), scalar("no"), scalar("%d.%m.%Y")
    ('lead_id', '"no"', '"%d.%m.%Y"')
    """
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS
    return text if is_plain else quoted(text)


def _tail(tables: Sequence[TableProposal], cycle: Cycle | None) -> str:
    """The other sections, with tags on the usual fields that leads have, and the measured days if any."""
    leads = {p.name: p.field for t in tables if t.name == "leads" for p in t.fields if p.field}
    tags = "".join(f"  {name}: {{field: {name}, precision_floor: 0.5}}\n" for name in usual_fields(leads))
    text = SECTIONS.replace("\n# ── Tuning", f"{tags}\n# ── Tuning")
    for key, (days, remark) in ({} if cycle is None else cycle.proposals()).items():
        text = re.sub(rf"  {key}: \d+ +# (.*)\n", _line(f"  {key}: {days}", f"\\1; {remark}"), text)
    return text


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return {"\t": "\\t"}.get(char, f"\\U{ord(char):08x}")


def _table(table: TableProposal) -> Iterator[str]:
    yield f"  {table.name}:\n"
    for key, value, remark in _source_lines(table):
        yield _line(f"    {key}: {value}", remark)
    if table.name == "leads" and (note := table.notes.get("lead_id")):
        yield _line("    #", f"CHECK {note}", gap=" ")
    yield from _mapping(table)
    if table.fields:
        yield from _fields(table.fields)
    elif unused := _unused(table):
        yield _line("    #", f"not used: {', '.join(unused)}", gap=" ")


def _source_lines(table: TableProposal) -> Iterator[tuple[str, str, str]]:
    """Key, value and remark of each line of one table; what cannot differ is not written."""
    source, notes = table.source, {key: f"CHECK {note}" for key, note in table.notes.items()}
    yield "path", quoted(source.path or ""), ""
    yield "format", source.format, ""
    if source.format == "csv":
        yield "encoding", scalar(source.encoding), notes.get("encoding", "")
        yield "separator", quoted(source.separator), ""
        yield "decimal", quoted(source.decimal), notes.get("decimal", "decimal mark")
    if source.thousands is not None:
        yield "thousands", quoted(source.thousands), "mark between thousands"
    stamps = "iso, unix_seconds, unix_milliseconds or a pattern such as %d.%m.%Y %H:%M"
    yield "timestamp_format", scalar(source.timestamp_format), notes.get("timestamp_format", stamps)
    yield "timezone", scalar(source.timezone), "IANA name, for example Europe/Berlin"
    if source.null_tokens:
        remark = notes.get("null_tokens", 'texts that mean "no value", beside the empty cell')
        yield "null_tokens", _list(source.null_tokens), remark
    if source.outcome_column is not None:
        yield (
            "outcome_column",
            scalar(source.outcome_column),
            "says whether the lead was won; empty: undecided",
        )
        remark = notes.get("won_values", "its texts that mean won; all others mean lost")
        yield "won_values", _list(source.won_values), remark
        order = "null" if source.order_column is None else scalar(source.order_column)
        yield "order_column", order, notes.get("order_column", "the number that grows with time")


def _mapping(table: TableProposal) -> Iterator[str]:
    if table.source.mapping:
        yield "    mapping:\n"
        yield from (f"      {name}: {scalar(header)}\n" for name, header in table.source.mapping.items())


def _fields(fields: Sequence[FieldProposal]) -> Iterator[str]:
    yield _FIELDS
    used = any(proposal.field for proposal in fields)
    yield "    fields:\n" if used else "    fields: {}\n"
    for proposal in fields:
        yield _field(proposal)


def _field(proposal: FieldProposal) -> str:
    name = scalar(proposal.name) if proposal.field else quoted(proposal.name)
    if proposal.field is None:
        return f"      # {name}: {proposal.why}\n"
    remark = f"CHECK {proposal.why}" if proposal.field.time == "current" else proposal.why
    return f"      {name}: {_kind(proposal.field)}{'  # ' if remark else ''}{remark}\n"


def _kind(field: Field) -> str:
    return f"{{kind: {field.kind}{f', time: {field.time}' if field.time else ''}}}"


def _unused(table: TableProposal) -> list[str]:
    used = {header.casefold() for header in table.source.mapping.values()} | set(CONTRACT[table.name].columns)
    return [quoted(header) for header in table.file.columns if header.casefold() not in used]


def _list(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, texts)) + "]"


def _line(start: str, remark: str, *, gap: str = "  # ") -> str:
    """A line with its remark behind it, or above it where it would be too long."""
    if not remark:
        return f"{start}\n"
    if gap != "  # " or len(start) + len(remark) + len(gap) <= _WIDTH + 10:
        return f"{start}{gap}{remark}\n"
    indent = start[: len(start) - len(start.lstrip())]
    return f"{indent}# {remark}\n{start}\n"
