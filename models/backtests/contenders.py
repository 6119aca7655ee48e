"""Who orders a call list: the model, and what teams do without one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.metrics import Vector
from models.points.scorecard import WrittenCard, newest_first

MODEL, SCORECARD, NEWEST, TODAY, RANDOM = "model", "scorecard", "newest_first", "todays_order", "random"


def orders(rows: pa.Table, card: WrittenCard, *, today: Vector | None = None) -> dict[str, Vector]:
    """What teams do without a model, each shape (n,) and highest first.

    Parameters
    ----------
    rows
        Feature rows.
    card
        The scorecard.
    today
        The team's own order, highest first, NaN last; None if it is not recorded.

    Returns
    -------
    dict
        ``scorecard``, ``newest_first``, ``todays_order`` as far as they can be had, and ``random``: the
        expectation over all orders.
    """
    found = {SCORECARD: card.points(rows), NEWEST: newest_first(rows)}
    if today is not None:
        found[TODAY] = np.where(np.isnan(today), -np.inf, today)
    found[RANDOM] = np.zeros(rows.num_rows)
    return {name: order for name, order in found.items() if order is not None}
