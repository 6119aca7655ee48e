"""Weekly lists drawn by chance, with outcomes that follow their probabilities or do not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa

from serve.runs import MANIFEST, find
from tests.features.drawn import drawn, install
from tests.serve.published import publish

FIRST = datetime(2026, 1, 5)  # noqa: DTZ001  # a Monday; stamps are naive UTC inside an engine
HORIZON, DELAY = 30, 2
NOTHING = """
    lead_id | stage | occurred_at      | recorded_at
    --------+-------+------------------+------------
    nobody  | won   | 2027-01-01 00:00 |
"""


def name_of(as_of, digest="aaaaaaaaaaaa"):
    return f"{as_of:%Y%m%dT%H%M%S}Z-{digest}"


def listed(folder, as_of, leads, *, digest="aaaaaaaaaaaa", model=None):
    """Publish a list, the best first: what is said of each lead, ``lead_id`` at least."""
    run = publish(folder, leads, name=name_of(as_of, digest), as_of=f"{as_of.isoformat()}+00:00")
    if model is not None:
        path = run.folder / MANIFEST
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps(manifest | {"model": manifest["model"] | model}))
    return find(folder, run.run_id)


def crm(outcomes=NOTHING, leads=()):
    """A workspace with the tables ``leads`` and ``outcomes``, as a load leaves them."""
    backend = ibis.duckdb.connect()
    if isinstance(outcomes, str):
        outcomes = drawn(outcomes)
    ids = pa.table({"lead_id": pa.array(list(leads), pa.string())})
    return backend, install(backend, leads=ids, outcomes=outcomes)


def won_at(moments):
    """Outcomes: the moment at which each lead was won, by its id."""
    stamps = pa.array(list(moments.values()), pa.timestamp("us"))
    names = pa.array(list(moments), pa.string())
    stages = pa.array(["won"] * len(moments), pa.string())
    return pa.table({"lead_id": names, "stage": stages, "occurred_at": stamps, "recorded_at": stamps})


def weeks_of_chance(folder, became, *, weeks=3, rows=2000, seed=0, model=None, score=None):
    """Weekly lists of new leads each, and the outcomes that ``became`` (their chances) made of them.

    Every third lead is of the source ``fair``, the others of ``web``.
    """
    random = np.random.default_rng(seed)
    moments, runs = {}, []
    for week in range(weeks):
        as_of = FIRST + timedelta(days=7 * week)
        said = np.sort(random.beta(0.9, 7, rows).clip(0.002, 0.95))[::-1]
        leads = [
            {
                "lead_id": f"w{week}-{place}",
                "probability": float(chance) if score is None else None,
                "score": 100.0 * (1 - place / rows),
                "source": "fair" if place % 3 == 0 else "web",
                "created_at": (as_of - timedelta(days=5 if place % 2 else 60)).isoformat(),
            }
            for place, chance in enumerate(said)
        ]
        runs.append(listed(folder, as_of, leads, model=model))
        is_won = random.random(rows) < became(said)
        moments |= {f"w{week}-{place}": as_of + timedelta(days=10) for place in np.flatnonzero(is_won)}
    end = FIRST + timedelta(days=7 * (weeks - 1) + HORIZON + DELAY)
    return runs, won_at(moments | {"nobody": end}), end
