"""The figures that the audit shows of each column: how full it is, and how well it ranks alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import FeatureSpec
from models.audit.alone import forward_auc
from models.audit.association import Flags, cramers_v
from models.coded import coded, filled

Figures = Mapping[str, float | None]


def column_figures(
    column: pa.ChunkedArray,
    spec: FeatureSpec,
    *,
    won: Flags,
    earlier: Flags,
    tonight: pa.ChunkedArray | None = None,
    today: pa.ChunkedArray | None = None,
) -> dict[str, float | None]:
    """What is measured of one column.

    Parameters
    ----------
    column
        Its values on past nights, n rows.
    won, earlier
        Label, and which rows are learned from, shape (n,).
    tonight
        Its values of the leads that are open now; None if they are not compared.
    today
        Today's value in the place of each past one, n rows; None where it is the same.

    Returns
    -------
    dict
        ``fill_past``, ``fill_won``, ``fill_tonight`` (shares of rows with a value), ``null_association``
        (Cramér's V of having a value and the label), ``auc_alone`` (forward in time), and of a column with a
        past ``auc_alone_today`` and ``today_gain`` (what today's value knows more). None: not measured.
    """
    code, is_filled = coded(column, spec.kind), filled(column, beside=None)
    alone = forward_auc(code, spec.kind, won, earlier)
    later = None if today is None else forward_auc(coded(today, spec.kind), spec.kind, won, earlier)
    return {
        "fill_past": float(is_filled.mean()) if len(is_filled) else None,
        "fill_won": float(is_filled[won].mean()) if won.any() else None,
        "fill_tonight": float(filled(tonight, beside=None).mean())
        if tonight is not None and len(tonight)
        else None,
        "null_association": cramers_v(code.known.astype(np.int64), won),
        "auc_alone": alone,
        "auc_alone_today": later,
        "today_gain": None if later is None else later - alone,
    }


def in_place(values: pa.ChunkedArray, leads: pa.ChunkedArray, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
    """The value of each wanted lead; null for one that is not there.

    >>> one = pa.chunked_array
    >>> in_place(one([[7, 8]]), one([["a", "b"]]), one([["b", "c", "a"]])).to_pylist()
    [8, None, 7]
    """
    return values.take(pc.index_in(wanted, value_set=leads.combine_chunks()))


def ahead_share(days_ago: pa.ChunkedArray) -> float | None:
    """Share of the known dates that are still to come; None if there are none.

    >>> ahead_share(pa.chunked_array([[3.0, -1.0, None]]))
    0.5
    """
    ahead = pc.mean(pc.less(days_ago, 0.0).cast(pa.float64())).as_py()
    return None if ahead is None else float(ahead)
