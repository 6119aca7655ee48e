"""Boosters as flat arrays and look-up tables, cut into parts whose tables stay small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.treeshap.groups import groups
from models.treeshap.kernel import Floats, Leaves, Places, Plan, fill_tables
from models.treeshap.paths import Asked, Leaf, Tree, Way, leaves
from models.treeshap.questions import Question, question, questions

PART_BYTES = 64 * 2**20  # of tables; one more tree may stand above it
MOST_NODES = 60_000  # of a part, so that a rank among its thresholds has 16 bits
POINTS = 4  # of Gauss's rule: exact up to degree 7, which 8 conditions have


@dataclass(frozen=True)
class Part:
    """Some trees: what to ask of a row, and how to make the tables of the answers."""

    plan: Plan
    leaves: Leaves
    entries: int

    @property
    def table_bytes(self) -> int:
        """Memory of the tables."""
        return 8 * self.entries

    def tables(self) -> Floats:
        """Contributions for every pattern of every group, log-odds."""
        points, weights = np.polynomial.legendre.leggauss(POINTS)
        tables = np.zeros(self.entries)
        fill_tables(self.leaves, (points + 1) / 2, weights / 2, tables)
        return tables


def parts(weighted: Iterable[tuple[Tree, float]]) -> Iterator[Part]:
    """Trees, each with the weight of its booster, in parts.

    Raises
    ------
    ModelError
        A tree is too deep, or has too many categories.
    """
    writer = _Writer()
    for tree, weight in weighted:
        writer.add(tree, weight)
        if 8 * writer.entries >= PART_BYTES or len(writer.nodes) >= MOST_NODES:
            yield writer.part()
            writer = _Writer()
    if writer.nodes:
        yield writer.part()


class _Writer:
    """Collects trees; each list becomes an array of the plan or of its leaves."""

    def __init__(self) -> None:
        self.nodes: list[Question] = []
        self.entries = 0
        self._node_start, self._join_start, self._group_start, self._use_start = [0], [0], [0], [0]
        self._way_start, self._bit_start, self._lookup_start = [0], [0], [0]
        self._ways: list[Way] = []
        self._bits: list[int] = []
        self._use_feature: list[int] = []
        self._lookups: list[tuple[int, int]] = []
        self._leaf: list[tuple[float, int]] = []
        self._condition_start = [0]
        self._conditions: list[tuple[float, int, int, int]] = []

    def add(self, tree: Tree, weight: float) -> None:
        """Write one tree."""
        self.nodes += [question(tree, node) for node in range(len(tree.feature))]
        self._node_start.append(len(self.nodes))
        place_of_join: dict[Asked, int] = {}
        uses: dict[int, list[tuple[int, int]]] = {}
        for place, group in enumerate(groups(leaves(tree))):
            for feature, table in self._add_group(group, weight, len(tree.feature), place_of_join).items():
                uses.setdefault(feature, []).append((place, table))
        self._join_start.append(self._join_start[-1] + len(place_of_join))
        self._group_start.append(len(self._bit_start) - 1)
        for feature, lookups in uses.items():
            self._use_feature.append(feature)
            self._lookups += lookups
            self._lookup_start.append(len(self._lookups))
        self._use_start.append(len(self._use_feature))

    def _add_group(
        self, group: Sequence[Leaf], weight: float, nodes: int, place_of_join: dict[Asked, int]
    ) -> dict[int, int]:
        """Write a group and its leaves; the table of each of its features."""
        asked = list(dict.fromkeys(item.asked for leaf in group for item in leaf.conditions))
        features = dict.fromkeys(item.feature for leaf in group for item in leaf.conditions)
        tables = {f: self.entries + (place << len(asked)) for place, f in enumerate(features)}
        self.entries += len(features) << len(asked)
        for one in asked:
            self._bits.append(one if isinstance(one, int) else self._join(one, nodes, place_of_join))
        self._bit_start.append(len(self._bits))
        bit = {one: len(asked) - 1 - place for place, one in enumerate(asked)}  # the first stands highest
        for leaf in group:
            self._leaf.append((weight * leaf.value, len(asked)))
            self._conditions += [
                (item.ratio, bit[item.asked], item.side, tables[item.feature]) for item in leaf.conditions
            ]
            self._condition_start.append(len(self._conditions))
        return tables

    def _join(self, ways: tuple[Way, ...], nodes: int, place_of_join: dict[Asked, int]) -> int:
        """Where a tree's condition of several nodes stands, behind its nodes."""
        if ways not in place_of_join:
            place_of_join[ways] = nodes + len(place_of_join)
            self._ways += ways
            self._way_start.append(len(self._ways))
        return place_of_join[ways]

    def part(self) -> Part:
        """What has been collected, as arrays."""
        plan = Plan(
            **questions(self.nodes)._asdict(),
            node_start=_places(self._node_start),
            join_start=_places(self._join_start),
            way_start=_places(self._way_start),
            way_node=_places([node for node, _ in self._ways]),
            way_side=np.array([side for _, side in self._ways], np.uint8),
            group_start=_places(self._group_start),
            bit_start=_places(self._bit_start),
            bit_condition=_places(self._bits),
            use_start=_places(self._use_start),
            use_feature=_places(self._use_feature),
            lookup_start=_places(self._lookup_start),
            lookup_group=_places([group for group, _ in self._lookups]),
            lookup_table=_places([table for _, table in self._lookups]),
        )
        ratio, bit, side, table = zip(*self._conditions, strict=True)
        made_of = Leaves(
            np.array([value for value, _ in self._leaf]),
            _places([bits for _, bits in self._leaf]),
            _places(self._condition_start),
            np.array(ratio),
            _places(bit),
            np.array(side, np.uint8),
            _places(table),
        )
        return Part(plan, made_of, self.entries)


def _places(values: Sequence[int]) -> Places:
    return np.array(values, np.int64)
