"""Published runs of a few hundred drawn leads, and the population of a training that is like them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.binning import cuts_of
from models.populations import EVERY, SCORE, Population, Seen
from serve import runs
from serve.monitoring.views import View

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
NAMES = ("email_kind", "visits", "fax")
WEIGHTS = {"email_kind": 0.3, "visits": 0.6, "fax": 0.1}


def leads(count: int, seed: int, *, bad: str | None = None, days: int = 10) -> pa.Table:
    """Leads of three sources, all created so many days ago at most; of a bad source nine in ten are free."""
    random = np.random.default_rng(seed)
    source = random.choice(["web", "fair", "tv"], count, p=[0.5, 0.3, 0.2])
    free = np.where(source == bad, 0.9, 0.2)
    return pa.table(
        {
            "lead_id": [f"L{seed}-{place:05d}" for place in range(count)],
            "source": source,
            "email_kind": np.where(random.random(count) < free, "free", "business"),
            "visits": random.poisson(3, count).astype(float),
            "fax": np.ones(count),
            "score": random.uniform(0, 100, count),
            "age": random.uniform(0, days, count),
        }
    )


def population(count: int = 6000) -> Population:
    """What the training saw: the same distributions as `leads` without a bad source."""
    rows = leads(count, 1)
    every = {
        name: Seen(cuts := cuts_of(rows[name], bins=10), cuts.counts(rows[name]))
        for name in (*NAMES, "score")
    }
    every[SCORE] = every.pop("score")
    new = {EVERY: {name: every[name] for name in NAMES}}
    for value in ("web", "fair", "tv"):
        part = rows.filter(pa.array(np.asarray(rows["source"]) == value))
        new[value] = {name: Seen(every[name].cuts, every[name].cuts.counts(part[name])) for name in NAMES}
    return Population("source", every, new)


def published(folder: Path, rows: pa.Table, *, days_before: float = 0, digest: str = "d") -> View:
    """The rows as a published run; contributions as `WEIGHTS` says."""
    night = NIGHT - timedelta(days=days_before)
    age = np.asarray(rows["age"])
    created = np.array(
        [(night - timedelta(days=float(a))).replace(tzinfo=None) for a in age], "datetime64[us]"
    )
    contributions = {name: np.full(rows.num_rows, weight) for name, weight in WEIGHTS.items()}
    files = {
        "features": rows.select(["lead_id", *NAMES]),
        "leads": pa.table({"lead_id": rows["lead_id"], "created_at": created, "source": rows["source"]}),
        "ranking": rows.select(["lead_id", "score"]),
        "contributions": pa.table(
            {"lead_id": rows["lead_id"], "base": np.zeros(rows.num_rows), **contributions}
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with runs.staging(folder) as staged:
        for name, content in files.items():
            pq.write_table(content, staged / f"{name}.parquet")
        manifest = {"as_of": night.isoformat(), "model": {"digest": digest}, "ranked_by": "model"}
        return View(runs.publish(staged, folder, runs.run_id(night, digest), manifest))
