"""Which of many generic features are worth keeping: those that alone lower the log loss of later rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.association import Codes, Flags
from models.coded import coded
from models.metrics import Vector

BINS = 16
PRIOR_ROWS = 50.0  # rows at the base rate that each bin is mixed with
SAME = 0.999  # correlation of two features' log-odds from which the second says nothing new


def with_gain(
    rows: pa.Table, label: Vector, earlier: Codes, later: Codes, specs: Sequence[FeatureSpec], *, most: int
) -> list[FeatureSpec]:
    """The generic features with the greatest forward gain, and all others.

    Each feature is cut into bins of equal counts, a rate is learned for each bin on the earlier rows, and the
    gain is the log loss of the base rate minus that of these rates on the later rows. A feature that says
    the same as a better one is left out, so is one without a gain.

    Parameters
    ----------
    rows
        One column per feature.
    label
        0.0 or 1.0, shape (n,).
    earlier, later
        Rows to learn from and to judge on.
    specs
        Features; those of other families than ``generic`` all stay.
    most
        Generic features to keep.

    Returns
    -------
    list of FeatureSpec
        In the order given.
    """
    generic = [spec for spec in specs if spec.family == "generic"]
    odds = {
        spec.name: _log_odds(_bins(rows.column(spec.name), spec.kind), label, earlier) for spec in generic
    }
    won = label[later] > 0
    base = _loss(np.full(len(later), _logit(label[earlier].mean())), won)
    gains = {name: base - _loss(values[later], won) for name, values in odds.items()}
    kept: list[str] = []
    for name in sorted((n for n in gains if gains[n] > 0), key=lambda n: (-gains[n], n)):
        if len(kept) == most:
            break
        if not any(_is_same(odds[name][later], odds[other][later]) for other in kept):
            kept.append(name)
    return [spec for spec in specs if spec.family != "generic" or spec.name in kept]


def _bins(column: pa.ChunkedArray, kind: str) -> Codes:
    """A small code for each row: categories as they are, numbers by rank in bins of equal counts."""
    code = coded(column, kind)
    if kind != "number" or code.missing <= BINS:
        return code.codes
    rank = np.cumsum(np.bincount(code.codes, minlength=code.missing + 1))
    share = (rank - 1) / max(rank[code.missing - 1], 1)
    place = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    place[code.missing] = BINS
    return np.asarray(place[code.codes], dtype=np.int64)


def _log_odds(codes: Codes, label: Vector, earlier: Codes) -> Vector:
    """Log-odds of each row's bin, learned on the earlier rows; a bin without rows has the base rate."""
    size = int(codes.max(initial=0)) + 1
    count = np.bincount(codes[earlier], minlength=size)
    won = np.bincount(codes[earlier], weights=label[earlier], minlength=size)
    base = label[earlier].mean()
    return np.asarray(_logit((won + PRIOR_ROWS * base) / (count + PRIOR_ROWS))[codes])


def _logit(rate: Vector) -> Vector:
    inside = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _loss(margin: Vector, won: Flags) -> float:
    return float((np.logaddexp(0, margin) - won * margin).mean())


def _is_same(one: Vector, other: Vector) -> bool:
    spread = one.std() * other.std()
    if spread == 0:
        return bool(one.std() == other.std())
    return bool(abs(((one - one.mean()) * (other - other.mean())).mean() / spread) > SAME)
