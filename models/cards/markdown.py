"""The model card as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.cards.cells import Table, period, tables


def markdown(card: Mapping[str, Any]) -> str:
    """The whole card.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it.
    """
    data = card["data"]
    lines = [
        f"# Model card: {card['name']}",
        "",
        f"Predicts the {card['predicts']}. Digest `{card['digest']}`.",
        "",
        "## Data",
        "",
        f"- {data['rows']:,} rows, {data['positives']:,} positive; base rate {data['base_rate']:.1%}",
        f"- {data['undecided_left_out']:,} undecided rows left out",
        f"- {period(data)}",
        f"- tables: {', '.join(data['tables'])}",
        "- features: " + ", ".join(f"{count} {family}" for family, count in card["families"].items()),
        "",
        "## What it does not know",
        "",
        *(f"- {sentence}" for sentence in card["limits"]),
        "",
    ]
    return "\n".join([*lines, *(line for table in tables(card) for line in _table(table))])


def _table(table: Table) -> Iterator[str]:
    """Title, note, a pipe table and an empty line; "none" where there are no rows."""
    yield from (f"## {table.title}", "")
    if not table.rows:
        yield from ("none", "")
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
