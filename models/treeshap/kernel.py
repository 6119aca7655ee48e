"""The machine code behind contributions: rows against tables. Import it late, numba takes its time.

Rows are taken in tiles, and every loop over a tile is the same simple step for each row, so that the compiler
makes vector instructions of it. A tile of few rows is no wider than it must be. What is added to a row, and
in which order, does not depend on other rows.
All compiled functions stand in this file: numba does not see when one of another file changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

TILE = 256  # rows that stay in the fastest cache
LANES = 16  # rows of the narrowest tile: what vector instructions do at once
NUMBER, NUMBER_OR_ZERO, CATEGORIES = 0, 1, 2
"""Kinds of columns: null is missing; null and zero are missing; a set of categories decides."""
MISSING = 65535
TINY = 1.0000000180025095e-35  # LightGBM's kZeroThreshold, a float32: what is not beyond it is zero

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint16]
Bits = npt.NDArray[np.uint8]


class Plan(NamedTuple):
    """What is asked of a row, in flat arrays; ``*_start`` is where the entries of each owner begin.

    Tree t owns nodes, joins, groups and uses; a column owns cuts, a join owns ways, a group owns bits, a use
    owns lookups. Conditions of a tree are its nodes and then its joins.
    """

    column_feature: Places
    column_kind: Places
    column_words: Places
    cut_start: Places
    cuts: Floats
    node_start: Places
    node_column: Places
    node_limit: Codes
    node_shift: Codes
    node_words: Places
    words: Words
    join_start: Places
    way_start: Places
    way_node: Places
    way_side: Bits
    group_start: Places
    bit_start: Places
    bit_condition: Places
    use_start: Places
    use_feature: Places
    lookup_start: Places
    lookup_group: Places
    lookup_table: Places


class Leaves(NamedTuple):
    """What tables are made of: leaf l owns conditions; each knows its bit, and its table of the group."""

    value: Floats
    bits: Places
    condition_start: Places
    ratio: Floats
    bit: Places
    side: Bits
    table: Places


def _compiled(function: Callable[..., None]) -> Any:
    """Machine code, kept beside the module or in the user's cache, where one of them can be written."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


@_compiled
def _encode(plan: Plan, rows: Floats, codes: Codes) -> None:
    """Ranks of numbers among the thresholds, and category codes; rows of one tile."""
    for column in range(len(plan.column_kind)):
        feature, kind = plan.column_feature[column], plan.column_kind[column]
        cuts = plan.cuts[plan.cut_start[column] : plan.cut_start[column + 1]]
        nowhere = 32 * (plan.column_words[column] - 1)
        for row in range(len(rows)):
            value = rows[row, feature]
            if kind == CATEGORIES:
                code = nowhere
                if value > -1.0 and value < nowhere:  # NaN is neither
                    code = np.int64(value)
            elif np.isnan(value) or (kind == NUMBER_OR_ZERO and abs(value) <= TINY):
                code = MISSING
            else:
                if abs(value) <= TINY:
                    value = 0.0
                code = 0
                high = len(cuts)
                while code < high:
                    middle = (code + high) >> 1
                    if cuts[middle] < value:
                        code = middle + 1
                    else:
                        high = middle
            codes[column, row] = code


@_compiled
def _ask(plan: Plan, tree: int, codes: Codes, met: Bits) -> None:
    """Which rows go left at each node, and then which meet each join of nodes."""
    first = plan.node_start[tree]
    nodes = plan.node_start[tree + 1] - first
    for place in range(nodes):
        node = first + place
        code, answer = codes[plan.node_column[node]], met[place]
        start = plan.node_words[node]
        if start >= 0:
            words = plan.words[start : start + plan.column_words[plan.node_column[node]]]
            for row in range(met.shape[1]):
                answer[row] = (words[code[row] >> 5] >> np.uint32(code[row] & 31)) & np.uint32(1)
        else:
            limit, shift = plan.node_limit[node], plan.node_shift[node]
            for row in range(met.shape[1]):
                answer[row] = np.uint16(code[row] + shift) <= limit
    for join in range(plan.join_start[tree], plan.join_start[tree + 1]):
        answer = met[nodes + join - plan.join_start[tree]]
        answer[:] = 1
        for way in range(plan.way_start[join], plan.way_start[join + 1]):
            goes, side = met[plan.way_node[way]], plan.way_side[way]
            for row in range(met.shape[1]):
                answer[row] &= goes[row] ^ side


@_compiled
def _assemble(plan: Plan, tree: int, met: Bits, patterns: Bits) -> None:
    """The pattern of met conditions of each group, as a number below 256."""
    for group in range(plan.group_start[tree], plan.group_start[tree + 1]):
        pattern = patterns[group - plan.group_start[tree]]
        pattern[:] = 0
        for bit in range(plan.bit_start[group], plan.bit_start[group + 1]):
            condition = met[plan.bit_condition[bit]]
            for row in range(met.shape[1]):
                pattern[row] = np.uint8(pattern[row] << 1) | condition[row]


@_compiled
def _look_up(plan: Plan, tree: int, tables: Floats, patterns: Bits, sums: Floats) -> None:
    """Add each group's entry for each of its features."""
    for use in range(plan.use_start[tree], plan.use_start[tree + 1]):
        total = sums[plan.use_feature[use]]
        at, end = plan.lookup_start[use], plan.lookup_start[use + 1]
        while at + 4 <= end:
            a, b = tables[plan.lookup_table[at] :], tables[plan.lookup_table[at + 1] :]
            c, d = tables[plan.lookup_table[at + 2] :], tables[plan.lookup_table[at + 3] :]
            of_a, of_b = patterns[plan.lookup_group[at]], patterns[plan.lookup_group[at + 1]]
            of_c, of_d = patterns[plan.lookup_group[at + 2]], patterns[plan.lookup_group[at + 3]]
            for row in range(patterns.shape[1]):
                total[row] += (a[of_a[row]] + b[of_b[row]]) + (c[of_c[row]] + d[of_d[row]])
            at += 4
        while at < end:
            a, of_a = tables[plan.lookup_table[at] :], patterns[plan.lookup_group[at]]
            for row in range(patterns.shape[1]):
                total[row] += a[of_a[row]]
            at += 1


@_compiled
def add_contributions(plan: Plan, tables: Floats, rows: Floats, values: Floats) -> None:
    """Add the contributions of a plan's trees to ``values``; both matrices of shape (n, k)."""
    trees = len(plan.node_start) - 1
    tile_rows = min(TILE, (len(rows) + LANES - 1) // LANES * LANES)
    tiles = (len(rows) + TILE - 1) // TILE
    codes = np.zeros((tiles, len(plan.column_kind), tile_rows), np.uint16)
    sums = np.zeros((tiles, rows.shape[1], tile_rows))
    most, groups = 1, 1
    for tree in range(trees):
        nodes = plan.node_start[tree + 1] - plan.node_start[tree]
        most = max(most, nodes + plan.join_start[tree + 1] - plan.join_start[tree])
        groups = max(groups, plan.group_start[tree + 1] - plan.group_start[tree])
    met = np.empty((most, tile_rows), np.uint8)
    patterns = np.empty((groups, tile_rows), np.uint8)
    for tile in range(tiles):
        _encode(plan, rows[tile * TILE : (tile + 1) * TILE], codes[tile])
    for tree in range(trees):
        for tile in range(tiles):
            _ask(plan, tree, codes[tile], met)
            _assemble(plan, tree, met, patterns)
            _look_up(plan, tree, tables, patterns, sums[tile])
    for row in range(len(rows)):
        for feature in range(rows.shape[1]):
            values[row, feature] += sums[row // TILE, feature, row % TILE]


@_compiled
def fill_tables(leaves: Leaves, points: Floats, weights: Floats, tables: Floats) -> None:
    """Add each leaf's contributions, for each pattern of its group's conditions, to the group's tables.

    With value v, and for each condition i its ratio z_i and whether it is met o_i (0 or 1), feature j has

        v (o_j - z_j) * integral over t from 0 to 1 of prod over i != j of (z_i (1 - t) + o_i t)

    which is its Shapley value (Owen 1972, "Multilinear extensions of games"). The integrand is a polynomial,
    for which Gauss's points and weights are exact; it has no differences, so nothing cancels.
    """
    product, share = np.empty(256), np.empty((8, 256))
    for leaf in range(len(leaves.value)):
        first = leaves.condition_start[leaf]
        size = leaves.condition_start[leaf + 1] - first
        ratio = leaves.ratio[first : first + size]
        share[:] = 0.0
        for point in range(len(points)):
            product[0] = weights[point] * leaves.value[leaf]
            _add_point(ratio, points[point], product, share)
        for pattern in range(1 << leaves.bits[leaf]):
            met = 0
            for place in range(size):
                met |= (((pattern >> leaves.bit[first + place]) & 1) ^ leaves.side[first + place]) << place
            for own in range(size):
                tables[leaves.table[first + own] + pattern] += share[own, met]


@_compiled
def _add_point(ratio: Floats, point: float, product: Floats, share: Floats) -> None:
    """Add one point of the integral for each feature and each pattern of one leaf's conditions."""
    for place in range(len(ratio)):
        half, unmet = 1 << place, ratio[place] * (1.0 - point)
        for pattern in range(half):
            product[half + pattern] = product[pattern] * (unmet + point)
            product[pattern] *= unmet
    for own in range(len(ratio)):
        # The own factor stands in the product; these put o - z in its place.
        if_unmet = -1.0 / (1.0 - point)
        if_met = (1.0 - ratio[own]) / (ratio[own] * (1.0 - point) + point)
        for pattern in range(1 << len(ratio)):
            share[own, pattern] += product[pattern] * (if_met if (pattern >> own) & 1 else if_unmet)
