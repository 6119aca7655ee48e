"""How time and memory of our features grow: ``python -m tests.benches.growth [--millions 1 5 20]``.

All behaviour and recency features, 50 touches a lead, one snapshot each, DuckDB bound to 4 GiB (it spills
beyond); each size in a process of its own. Linear growth is a constant column of seconds per million touches.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benches import history
from tests.benches.report import conditions
from tests.benches.rounds import Competitor, child

TOUCHES_A_LEAD = 50
MEMORY = "4GiB"
HEADS = ("touches", "snapshots", "columns", "seconds", "CPU s", "peak MiB", "s / million", "CPU s / million",
         "MiB / million")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 5, 20])
    parser.add_argument("--memory", default=MEMORY, help="DuckDB's bound (LEADRANK_MEMORY)")
    asked = parser.parse_args()
    screen = Console(width=130)
    screen.print(conditions())
    drawn = Table(title=f"ours, DuckDB within {asked.memory}")
    for head in HEADS:
        drawn.add_column(head, justify="right")
    for millions in asked.millions:
        drawn.add_row(*_measured(millions, asked.memory))
    screen.print(drawn)
    screen.print(conditions())


def _measured(millions: float, memory: str) -> list[str]:
    touches = round(millions * 1_000_000)
    size = history.Size(touches=touches, leads=touches // TOUCHES_A_LEAD)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        history.write(Path(folder), size)
        found = child(Competitor("ours"), Path(folder), ["--every"], {"LEADRANK_MEMORY": memory})
    wall, cpu, peak = found["wall"][0], found["cpu"][0], found["peak_mib"]
    return [
        f"{touches:,}",
        f"{size.leads:,}",
        str(found["columns"]),
        *(f"{value:,.1f}" for value in (wall, cpu, peak)),
        *(f"{value / millions:,.2f}" for value in (wall, cpu, peak)),
    ]


if __name__ == "__main__":
    main()
