"""How many leads of a matured list were won, by the score and by the chance that were published for them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.audit.association import Flags, wilson
from models.recalibrating import Cells
from models.segments.reliability import Z_95
from serve.monitoring.judging import SURELY_OPEN
from serve.monitoring.matured import Matured

BANDS = 10


def by_score(one: Matured, name: str, flags: Flags) -> pa.Table:
    """Leads and won leads of a slice by tens of the score.

    Returns
    -------
    pa.Table
        ``run_id``, ``as_of``, ``slice``, ``band`` (1 for scores under 10, to 10 from 90 on), ``rows``,
        ``won``, ``rate`` with its 95 % interval ``rate_low`` and ``rate_high`` (Wilson), and ``expected``:
        the mean probability, null where none was published. Bands without a lead are left out.
    """
    chosen = flags & np.isfinite(one.score)
    band = np.clip(one.score[chosen] // (100 / BANDS), 0, BANDS - 1).astype(np.int64)
    said, label = one.said[chosen], one.label[chosen]
    rows = np.bincount(band, minlength=BANDS)
    won = np.bincount(band, label, minlength=BANDS).astype(np.float64)
    has_chance = np.isfinite(said)
    told = np.bincount(band[has_chance], minlength=BANDS)
    total = np.bincount(band[has_chance], said[has_chance], minlength=BANDS)
    there = np.flatnonzero(rows)
    low, high = wilson(won[there], rows[there].astype(np.float64), z=Z_95)
    with np.errstate(invalid="ignore"):
        expected = (total / told)[there]
    count = len(there)
    return pa.table(
        {
            "run_id": pa.array([one.run.run_id] * count, pa.string()),
            "as_of": pa.array([one.run.as_of] * count, pa.string()),
            "slice": pa.array([name] * count, pa.string()),
            "band": pa.array(there + 1, pa.int64()),
            "rows": pa.array(rows[there], pa.int64()),
            "won": pa.array(won[there].astype(np.int64), pa.int64()),
            "rate": won[there] / rows[there],
            "rate_low": low,
            "rate_high": high,
            "expected": pa.array(expected, from_pandas=True),
        }
    )


def by_chance(one: Matured) -> pa.Table:
    """Leads and won leads by the probability that was published (`models.recalibrating.Cells`).

    Returns
    -------
    pa.Table
        ``run_id``, ``as_of``, ``model``, ``log_odds``, ``rows``, ``won``; no row of a list without
        probabilities.
    """
    known = np.isfinite(one.said)
    said = np.clip(one.said[known], SURELY_OPEN, 1 - SURELY_OPEN)
    cells = Cells.of(said, one.label[known])
    count = len(cells.rows)
    return pa.table(
        {
            "run_id": pa.array([one.run.run_id] * count, pa.string()),
            "as_of": pa.array([one.run.as_of] * count, pa.string()),
            "model": pa.array([one.model] * count, pa.string()),
            "log_odds": cells.log_odds,
            "rows": cells.rows,
            "won": cells.won,
        }
    )
