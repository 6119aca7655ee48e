"""The same columns by our feature library: ``python -m tests.benches.ours FOLDER [--every]``.

With ``--every`` it computes all behaviour and recency features instead, for every kind and place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from features.backend import workspace
from features.build import available, feature_table
from features.catalogue import Feature
from features.families import full_catalogue
from tests.benches import history, plain
from tests.benches.stopwatch import Way, timed

FAMILIES = ("features.behaviour", "features.recency")


def same_columns() -> list[Feature]:
    """The features that the plain query computes."""
    every = {feature.name: feature for feature in full_catalogue().expand({"kind": plain.KINDS})}
    return [every[name] for name in plain.COLUMNS]


def every_column(backend: Any) -> list[Feature]:
    """All features of behaviour and recency that read touches."""
    offered = full_catalogue().expand({"kind": history.KINDS, "place": history.PLACES})
    asked = [f for f in offered if f.compute.__module__ in FAMILIES and f.on == "touches"]
    kept, _left_out = available(asked, {"touches": backend.table("touches")}, {})
    return list(kept)


def table(backend: Any, features: Sequence[Feature]) -> ir.Table:
    """The feature table of the snapshots."""
    return feature_table(backend.table("snapshots"), {"touches": backend.table("touches")}, features, {})


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """As a training computes features, with the tables in DuckDB's memory."""
    with workspace(folder) as backend:
        history.read(backend.con, folder)
        features = every_column(backend) if "--every" in sys.argv else same_columns()

        def run() -> None:
            if kept := set(backend.list_tables()) - {*history.TABLES, "result"}:
                raise RuntimeError(f"{len(kept)} tables of an earlier run are kept; a run must not find any")
            backend.create_table("result", table(backend, features), overwrite=True)

        yield Way(
            run=run,
            save=lambda file: backend.con.table("result").write_parquet(str(file)),
            columns=len(features),
        )


if __name__ == "__main__":
    timed(way)
