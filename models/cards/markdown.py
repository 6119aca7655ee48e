"""The model card as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.cards.cells import tables
from models.cards.opening import data_lines, predicts, title
from models.cards.table import Table
from models.cards.view_cells import view_tables
from models.phrases import spoken


def markdown(card: Mapping[str, Any], words: Language = ENGLISH) -> str:
    """The whole card in a language.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it.
    """
    digest = words.text("Digest {digest}.").format(digest=f"`{card['digest']}`")
    lines = [
        f"# {title(card, words)}",
        "",
        f"{predicts(card, words)} {digest}",
        "",
        f"## {words.text('Data')}",
        "",
        *(f"- {line}" for line in data_lines(card, words)),
        "",
        f"## {words.text('What it does not know')}",
        "",
        *(f"- {spoken(sentence, words)}" for sentence in card["limits"]),
        "",
    ]
    found = [*tables(card, words), *view_tables(card, words)]
    return "\n".join([*lines, *(line for table in found for line in _table(table, words))])


def _table(table: Table, words: Language) -> Iterator[str]:
    """Title, note, a pipe table and an empty line; "none" where there are no rows."""
    yield from (f"## {table.title}", "")
    if not table.rows:
        yield from (words.text("none"), "")
        return
    if table.note:
        yield from (table.note, "")
    yield _row(table.columns)
    yield "|" + "---|" * len(table.columns)
    yield from (_row(row) for row in table.rows)
    yield ""


def _row(cells: Any) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A text that neither ends its cell nor begins a tag."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
