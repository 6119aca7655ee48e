"""Which leaves share a table: neighbours whose paths ask for much the same.

A table has a column per feature and a row per pattern of met conditions, so it doubles with each condition;
but its leaves then cost one look-up per feature together, not each.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.treeshap.paths import Asked, Leaf

MOST_BITS = 8  # conditions of one table; at least the trees' greatest depth, and a pattern is one byte
COST_OF_BIT = 0.15  # of a look-up, measured


def groups(leaves: Sequence[Leaf]) -> list[Sequence[Leaf]]:
    """Neighbouring leaves that share a table, so that a row costs the fewest look-ups.

    The best cut of the leaves into runs, by dynamic programming; a run has at most ``MOST_BITS`` conditions.
    """
    masks = _masks(leaves)
    best = [0.0] * (len(leaves) + 1)
    start = [0] * (len(leaves) + 1)
    for end in range(1, len(leaves) + 1):
        conditions, features = masks[end - 1]
        best[end], start[end] = best[end - 1] + _cost(conditions, features), end - 1
        for first in range(end - 2, -1, -1):
            conditions |= masks[first][0]
            features |= masks[first][1]
            if conditions.bit_count() > MOST_BITS:
                break
            cost = best[first] + _cost(conditions, features)
            if cost < best[end]:
                best[end], start[end] = cost, first
    found, end = [], len(leaves)
    while end:
        found.append(leaves[start[end] : end])
        end = start[end]
    return found[::-1]


def _cost(conditions: int, features: int) -> float:
    return features.bit_count() + COST_OF_BIT * conditions.bit_count()


def _masks(leaves: Sequence[Leaf]) -> list[tuple[int, int]]:
    """Conditions and features of each leaf, as bits of whole numbers."""
    asked: dict[Asked, int] = {}
    features: dict[int, int] = {}
    return [
        (
            sum(1 << asked.setdefault(item.asked, len(asked)) for item in leaf.conditions),
            sum(1 << features.setdefault(item.feature, len(features)) for item in leaf.conditions),
        )
        for leaf in leaves
    ]
