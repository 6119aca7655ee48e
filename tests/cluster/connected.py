"""``python -m tests.cluster.connected ADDRESS FOLDER``: features over Spark Connect against DuckDB's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from features.backend import Own, engine, workspace
from features.build import feature_table
from features.engines.asked import Asked
from tests.features.oracle.engines import FIELDS, differences, one_of_each
from tests.features.random_history import WORDS, arrow, history


def main(address: str, folder: Path) -> None:
    with workspace(folder) as home, engine(Asked("spark", master=address), home, folder) as remote:
        tables = {name: home.create_table(name, rows) for name, rows in arrow(history(5)).items()}
        here, there = _features(Own(), tables), _features(remote, tables)
    print(json.dumps({"columns": len(there), "differences": differences(here, there)}))  # noqa: T201  # the answer


def _features(computing, tables):
    held = computing.held(tables)
    table = feature_table(held["snapshots"], held, one_of_each(), FIELDS, WORDS, keep=computing.keep)
    return computing.fetched(table).order_by("snapshot_id").to_pyarrow().to_pydict()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
