"""Plain lines and plain tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def say(*lines: str) -> None:
    """Lines of plain text, never broken: a path must stay whole to be copied."""
    for line in lines:
        Console(soft_wrap=True).print(line, markup=False, highlight=False)


def show_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows below their names; long cells are folded."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    Console().print(table)
