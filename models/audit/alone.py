"""How well one column ranks leads on its own, learned on earlier rows and judged on later ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.audit.association import Codes, Flags, auc
from models.coded import Coded

EARLIER = 0.65  # share of the rows that are learned from
BINS = 20
CLEARLY = 0.02  # twenty groups fit any noise a little better than a direction
PRIOR_ROWS = 10  # weight of the base rate, so that rare values say little


def earlier_rows(rows: pa.Table) -> Flags:
    """Which rows are the earlier ones, shape (n,).

    The order is that of ``order`` (flat start), else of ``as_of``, else of the table; rows of one moment stay
    together.
    """
    if "order" in rows.column_names:
        at = pc.cast(rows.column("order"), pa.float64()).to_numpy()
    elif "as_of" in rows.column_names and pc.count_distinct(rows.column("as_of")).as_py() > 1:
        moments = pc.cast(rows.column("as_of"), pa.timestamp("us"), safe=False)
        at = moments.to_numpy().astype("datetime64[us]").astype(np.int64)
    else:
        at = np.arange(rows.num_rows)
    if not len(at):
        return np.zeros(0, dtype=bool)
    return np.asarray(at < np.sort(at)[int(EARLIER * len(at))], dtype=bool)


def forward_auc(column: Coded, kind: str, won: Flags, earlier: Flags) -> float:
    """ROC-AUC of the column on the later rows; 0.5 where they hold one label only.

    A number ranks by its size, or by the win rate of twenty groups of it where that served the earlier rows
    clearly better; a category by the win rate of its values. The direction is learned, too: below 0.5 means
    that what was true of the earlier rows is not true of the later.
    """
    if kind != "number":
        return auc(_by_rate(column.codes, won, earlier)[~earlier], won[~earlier])
    signed = [column.codes, -column.codes, column.nulls_first, -column.nulls_first]
    orders = [order - order.min(initial=0) for order in signed]
    served = [auc(order[earlier], won[earlier]) for order in orders]
    best, grouped = orders[int(np.argmax(served))], _by_rate(column.binned(BINS, earlier), won, earlier)
    if auc(grouped[earlier], won[earlier]) > max(served) + CLEARLY:
        best = grouped
    return auc(best[~earlier], won[~earlier])


def _by_rate(codes: Codes, won: Flags, earlier: Flags) -> Codes:
    """Each row's place by the win rate that its value had among the earlier rows."""
    size = int(codes.max(initial=0)) + 1
    count = np.bincount(codes[earlier], minlength=size)
    wins = np.bincount(codes[earlier & won], minlength=size)
    base = won[earlier].mean() if earlier.any() else 0.0
    rate = (wins + PRIOR_ROWS * base) / (count + PRIOR_ROWS)
    return np.asarray(np.unique(rate, return_inverse=True)[1][codes], dtype=np.int64)
