"""Our features against other ways to the same columns, each in processes of its own, in alternating order.

``python -m tests.benches.features [--touches N] [--leads N] [--peers] [--peers-python PATH]`` prints a table
with ratios, after it has compared the values. ``--peers`` adds pandas; with ``--peers-python``, a Python that
can import them, also featuretools and getML. They are no dependencies of this project. featuretools is run on
a smaller history only, once with shared and once with own moments, with ours beside it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
from rich.console import Console

from tests.benches import history
from tests.benches.report import conditions, ratios, table
from tests.benches.rounds import Competitor, Measured, can_import, race
from tests.benches.values import differences

OURS, PLAIN, PANDAS = Competitor("ours"), Competitor("plain"), Competitor("by_pandas")
SLICE = history.Size(touches=200_000, leads=4_000)
SLICE_OF_MOMENTS = history.Size(touches=5_000, leads=100, has_own_moments=True)
ZERO_SUMS = ("duration_seconds_30d", "duration_seconds_90d")  # its sum of nothing is 0


def main() -> int:
    asked = _arguments().parse_args()
    screen = Console(width=130)
    screen.print(conditions())
    peers = _peers(asked, screen)
    size = history.Size(asked.touches, asked.leads)
    large = [PLAIN, OURS, *(peer for peer in peers if peer.module != "by_featuretools")]
    is_equal = _round(size, large, asked, screen)
    for peer in peers:
        if peer.module == "by_featuretools":
            is_equal &= _round(SLICE, [PLAIN, OURS, peer], asked, screen)
            is_equal &= _round(SLICE_OF_MOMENTS, [PLAIN, OURS, peer], asked, screen)
    screen.print(conditions())
    return 0 if is_equal else 1


def _round(
    size: history.Size, ways: Sequence[Competitor], asked: argparse.Namespace, screen: Console
) -> bool:
    """Race the ways on a new history and print what came out; whether all values were equal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        history.write(home, size)
        measured = race(ways, home, rounds=asked.rounds, runs=asked.runs)
        unequal = _unequal(home, measured)
    for name, columns in unequal.items():
        screen.print(f"[red]{name}: other values than plain in {columns}")
    if not unequal:
        screen.print(table(size, measured))
        screen.print(ratios(measured))
    return not unequal


def _unequal(home: Path, measured: Sequence[Measured]) -> dict[str, dict[str, int]]:
    """Snapshots with other values than plain has, by way and column; a way that saved nothing is left out."""
    found = {}
    with duckdb.connect() as connection:
        for way in measured:
            plain, other = (f"'{home / name}.parquet'" for name in (PLAIN.module, way.module))
            zeros = ZERO_SUMS if way.module == "by_featuretools" else ()
            if way.has_values and (columns := differences(connection, plain, other, null_is_zero=zeros)):
                found[way.module] = columns
    return found


def _peers(asked: argparse.Namespace, screen: Console) -> list[Competitor]:
    if not asked.peers and asked.peers_python is None:
        return []
    peers = [PANDAS]
    for library in ("featuretools", "getml"):
        if asked.peers_python is None:
            screen.print(f"{library} is left out: name a Python that has it with --peers-python")
        elif not can_import(asked.peers_python, library):
            screen.print(f"{library} is left out: the Python of --peers-python cannot import it")
        else:
            peers.append(Competitor(f"by_{library}", asked.peers_python))
    return peers


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touches", type=int, default=5_000_000)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="processes for each way")
    parser.add_argument("--runs", type=int, default=2, help="runs in each process of plain, ours and pandas")
    parser.add_argument("--peers", action="store_true", help="pandas too")
    parser.add_argument("--peers-python", help="a Python with featuretools and getml")
    return parser


if __name__ == "__main__":
    sys.exit(main())
