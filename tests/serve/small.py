"""A small trained bundle and a feature table for it."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.bundle import Bundle, Target, Window
from models.calibration import Calibration
from models.curves.spread import Spread
from models.fitting.blend import Blend
from models.fitting.classifier import SHALLOW, Rows, fit
from models.matrix import encode, fit_encoding

SPECS = (
    FeatureSpec("opens_7d", "opens", "behaviour", "number", "{value:.0f} opens in {days} days", 7),
    FeatureSpec("source", "source", "fit", "category", "came from {value}"),
    FeatureSpec(
        "days_since_last_touch", "days_since_last_touch", "recency", "number", "{value:.0f} days ago"
    ),
)
REFERENCE = tuple(np.linspace(0.1, 0.6, 101).tolist())


def features(rows: int, seed: int = 0) -> pa.Table:
    """A feature table with nulls: leads ``L00000`` … in the order of their snapshots."""
    random = np.random.default_rng(seed)
    days = random.integers(0, 60, rows).astype(float)
    return pa.table(
        {
            "snapshot_id": np.arange(rows),
            "lead_id": [f"L{row:05d}" for row in range(rows)],
            "as_of": pa.array([datetime(2026, 6, 30)] * rows, pa.timestamp("us")),  # noqa: DTZ001  # as kept
            "opens_7d": random.poisson(3, rows).astype(float),
            "source": pa.array(random.choice(["web", "fair", None], rows).tolist(), pa.string()),
            "days_since_last_touch": pa.array(days, mask=days > 50),
        }
    )


def bundle() -> Bundle:
    """A model of ``features``: more opens and a shorter silence are better."""
    table = features(600, seed=1)
    encoding = fit_encoding(table, SPECS)
    matrix = encode(table, encoding)
    noise = np.random.default_rng(2).normal(size=600)
    label = (np.nan_to_num(matrix[:, 0]) - np.nan_to_num(matrix[:, 2]) / 20 + noise > 2).astype(float)
    bags = fit(Rows(matrix, label, [1]), SHALLOW, trees=12, bags=2, seed=0, threads=1)
    curve = Calibration((-1.0, 1.0), (-2.0, 1.0))
    target = Target(
        "won",
        "won",
        90.0,
        Blend.mean(bags.boosters),
        curve,
        tuple(np.linspace(0.1, 0.6, 101).tolist()),
        Spread((0.0,), (0.3,)),
    )
    return Bundle((target,), encoding, SPECS, Window(None, None, 600, int(label.sum())))
