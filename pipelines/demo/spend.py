"""What the leads cost: one row a week, source and campaign."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.demo import vocabulary as words
from pipelines.demo import world
from pipelines.demo.write import as_text

_WEEKS = -(-world.HISTORY_DAYS // 7)


def costs(rng: np.random.Generator, counts: pa.Table) -> pa.Table:
    """Weekly cost in EUR per source and campaign, about the source's price times its leads.

    Parameters
    ----------
    counts
        ``week`` (from the start of the history), ``source``, ``campaign`` and ``leads``.

    Returns
    -------
    ``date`` (Monday-less: first day of the week, ISO text), ``source``, ``campaign``, ``cost`` (EUR).
    """
    price = dict(zip(words.SOURCES.values, words.COST_PER_LEAD_EUR, strict=True))
    each = np.asarray([price[source] for source in counts["source"].to_pylist()])
    cost = np.round(counts["leads"].to_numpy() * each * np.exp(rng.normal(0, 0.15, len(each))), 2)
    start = int(world.START_AT.timestamp()) + counts["week"].to_numpy() * 7 * 86_400
    date = pa.array(start, type=pa.timestamp("s", tz="UTC"))
    return as_text(
        pa.table({"date": date, "source": counts["source"], "campaign": counts["campaign"], "cost": cost})
    )


def weekly(leads: pa.Table) -> pa.Table:
    """Leads by week, source and campaign of one block."""
    start = int(world.START_AT.timestamp()) * 1_000_000
    week = pc.divide(pc.subtract(leads["created_at"].cast(pa.int64()), start), 7 * 86_400 * 1_000_000)
    return summed(
        pa.table(
            {
                "week": week,
                "source": leads["source"],
                "campaign": leads["campaign"],
                "leads": np.ones(len(leads), int),
            }
        )
    )


def summed(counts: pa.Table) -> pa.Table:
    """Counts of several blocks added up, in a fixed order."""
    keys = ["week", "source", "campaign"]
    out = counts.group_by(keys).aggregate([("leads", "sum")]).rename_columns([*keys, "leads"])
    return out.sort_by([(key, "ascending") for key in keys])
