"""Which features are worth keeping: those that alone lower the log loss of later rows, and say something new.

The library computes hundreds of columns, and many say nearly the same. Fewer make the trees steadier, the
reasons plainer and the night shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.association import Codes
from models.coded import coded
from models.fitting.newton import logit, row_loss
from models.metrics import Vector
from models.weights import mean, per_row

LIBRARY = ("behaviour", "recency", "stage", "source", "account", "follow_up", "interest", "generic")
"""Families that are chosen from; the fields of the lead and a team's own modules all stay."""
BINS = 16
PRIOR_ROWS = 50.0  # rows at the base rate that each bin is mixed with
SAME = 0.95  # correlation of two features' log-odds from which the second says nothing new
ENOUGH_OUTCOMES = 30  # with fewer on the later rows, a gain is chance


@dataclass(frozen=True)
class Limits:
    """The most features to keep: of the library, and of its ``generic`` family."""

    library: int = 80
    generic: int = 60


def with_gain(
    rows: pa.Table,
    label: Vector,
    earlier: Codes,
    later: Codes,
    specs: Sequence[FeatureSpec],
    limits: Limits,
    *,
    weight: Vector | None = None,
) -> list[FeatureSpec]:
    """The features of the library with the greatest forward gain, and all others.

    Each feature is cut into bins of equal counts, a rate is learned for each bin on the earlier rows, and the
    gain is the log loss of the base rate minus that of these rates on the later rows. A feature without a
    gain is left out, and one that goes with a better one. Where the later rows have too few outcomes to tell,
    only the generic features are left out.

    Parameters
    ----------
    rows
        One column per feature.
    label
        0.0 or 1.0, shape (n,).
    earlier, later
        Rows to learn from and to judge on.
    specs
        Features.
    weight
        How often each row counts in a rate and in a loss, shape (n,); None is once.

    Returns
    -------
    list of FeatureSpec
        In the order given.
    """
    outcomes = label[later].sum()
    if min(outcomes, len(later) - outcomes) < ENOUGH_OUTCOMES:
        return [spec for spec in specs if spec.family != "generic"]
    chosen = [spec for spec in specs if spec.family in LIBRARY]
    counts = per_row(weight, len(label))
    odds = {
        spec.name: _log_odds(_bins(rows.column(spec.name), spec.kind), label, counts, earlier)
        for spec in chosen
    }
    plain = np.full(len(later), _logit(np.asarray(mean(label[earlier], counts[earlier]))))
    base = _loss(plain, label[later], counts[later])
    gains = {name: base - _loss(values[later], label[later], counts[later]) for name, values in odds.items()}
    ranked = sorted(
        (spec for spec in chosen if gains[spec.name] > 0), key=lambda spec: (-gains[spec.name], spec.name)
    )
    kept = set(_new(ranked, {spec.name: odds[spec.name][later] for spec in ranked}, limits))
    return [spec for spec in specs if spec.family not in LIBRARY or spec.name in kept]


def _new(ranked: Sequence[FeatureSpec], odds: dict[str, Vector], limits: Limits) -> Iterator[str]:
    """The names of the best features that do not go with a better one."""
    kept = np.empty((min(limits.library, len(ranked)), len(next(iter(odds.values()), ()))))
    count = generic = 0
    for spec in ranked:
        if count == len(kept):
            return
        values = odds[spec.name] - odds[spec.name].mean()
        length = float(np.linalg.norm(values))
        is_over = spec.family == "generic" and generic == limits.generic
        if is_over or length == 0 or np.abs(kept[:count] @ values).max(initial=0) > SAME * length:
            continue
        kept[count] = values / length
        count, generic = count + 1, generic + (spec.family == "generic")
        yield spec.name


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


def _log_odds(codes: Codes, label: Vector, weight: Vector, earlier: Codes) -> Vector:
    """Log-odds of each row's bin, learned on the earlier rows; a bin without rows has the base rate."""
    size = int(codes.max(initial=0)) + 1
    count = np.bincount(codes[earlier], weights=weight[earlier], minlength=size)
    won = np.bincount(codes[earlier], weights=weight[earlier] * label[earlier], minlength=size)
    base = mean(label[earlier], weight[earlier])
    return np.asarray(_logit((won + PRIOR_ROWS * base) / (count + PRIOR_ROWS))[codes])


def _logit(rate: Vector) -> Vector:
    return logit(np.clip(rate, 1e-6, 1 - 1e-6))


def _loss(margin: Vector, label: Vector, weight: Vector) -> float:
    return mean(row_loss(margin, label), weight)
