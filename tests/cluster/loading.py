"""The job of the load's test: loads touches in parts, which the executors of a cluster convert.

python loading.py SPARK_URL HOME ROWS_PER_TASK; prints the digest of the load.
"""

from __future__ import annotations

import sys
from pathlib import Path

from features.backend import engine, workspace
from features.engines.asked import Asked
from features.ingest import load, spread
from features.tables import Source
from tests.cluster.night import SETTINGS

SOURCES = {"touches": Source(path="touches", format="parquet")}


def run(url: str, home: str, rows_per_task: str) -> None:
    """Load ``HOME/touches``, however few rows they are."""
    spread.FEWEST_ROWS, spread.ROWS_PER_TASK = 1, int(rows_per_task)
    folder, asked = Path(home), Asked("spark", master=url, settings=SETTINGS)
    with workspace(folder) as own, engine(asked, own, folder) as machines:
        loaded = load(own.con, SOURCES, folder=folder, exporter=machines)
    sys.stdout.write(f"digest {loaded.digest}\n")


if __name__ == "__main__":
    run(*sys.argv[1:])
