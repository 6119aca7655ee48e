"""What leads to each leaf of a booster: one condition per feature, however often its path asks for it.

A condition is met when all of its splits go the leaf's way; its ratio is the share of the training rows that
went this way at those splits. A leaf's contributions depend on nothing else (Lundberg et al. 2020, "From
local explanations to global understanding with explainable AI for trees", algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from features.errors import ModelError
from models.fitting.classifier import MOST_DEPTH

LEFT, RIGHT = 0, 1
CATEGORY, DEFAULT_LEFT = 1, 2  # bits of decision_type, as in LightGBM's tree.h; above them the missing type
ZERO_IS_MISSING, NAN_IS_MISSING = 1, 2

Way = tuple[int, int]
"""A node and the side on which its path goes on."""

Asked = int | tuple[Way, ...]


@dataclass(frozen=True)
class Tree:
    """A tree as LightGBM wrote it; a child below 0 is the leaf ``~child``.

    Attributes
    ----------
    feature, threshold, kind, left, right, rows
        One entry per node: ``kind`` is LightGBM's decision_type, ``rows`` its internal_count.
    leaf_value, leaf_rows
        One entry per leaf, log-odds and training rows.
    sets
        Bits of the categories that go left, in words of 32, for each categorical split.
    """

    feature: list[int]
    threshold: list[float]
    kind: list[int]
    left: list[int]
    right: list[int]
    rows: list[int]
    leaf_value: list[float]
    leaf_rows: list[int]
    sets: list[list[int]]

    def expected(self) -> float:
        """Mean leaf over the training rows: the margin of a row of which nothing is known."""
        if not self.feature:
            return self.leaf_value[0]
        pairs = zip(self.leaf_rows, self.leaf_value, strict=True)
        return sum(rows / self.rows[0] * value for rows, value in pairs)


class Condition(NamedTuple):
    """All splits of one feature on the way to a leaf.

    Attributes
    ----------
    feature
        Place of the feature.
    asked
        A node, whose two sides are one question; or, of several nodes, all ways that must be gone.
    side
        Of a node, the side that meets the condition; of several, ``LEFT``.
    ratio
        Share of the training rows that met it where it was asked.
    """

    feature: int
    asked: Asked
    side: int
    ratio: float


class Leaf(NamedTuple):
    """A leaf and what leads to it."""

    value: float
    conditions: tuple[Condition, ...]


def width(text: str) -> int:
    """Number of features that a booster reads."""
    return int(text.partition("\nmax_feature_idx=")[2].partition("\n")[0]) + 1


def trees(text: str) -> Iterator[Tree]:
    """The trees of a text that :func:`models.trees.check_booster` has passed, in order.

    Raises
    ------
    ModelError
        A node has no training rows: shares of them are what contributions are made of.
    """
    for block in text.rpartition("end of trees\n")[0].split("\n\nTree=")[1:]:
        yield _tree(dict(line.split("=", 1) for line in block.split("\n")[1:] if line))


def leaves(tree: Tree) -> list[Leaf]:
    """The leaves from left to right.

    Raises
    ------
    ModelError
        A leaf is deeper than the trainer allows.
    """
    if not tree.feature:
        return []
    found = []
    waiting: list[tuple[int, int, dict[int, Condition]]] = [(0, 0, {})]
    while waiting:
        child, depth, path = waiting.pop()
        if child < 0:
            found.append(Leaf(tree.leaf_value[~child], tuple(path.values())))
            continue
        if depth == MOST_DEPTH:
            raise ModelError(
                f"a tree is deeper than {MOST_DEPTH}, its contributions are not tabulated",
                hint=f"train the model with max_depth between 1 and {MOST_DEPTH}",
            )
        for side, after in ((RIGHT, tree.right[child]), (LEFT, tree.left[child])):
            waiting.append((after, depth + 1, path | _gone(tree, path, child, side)))
    return found


def _gone(tree: Tree, path: dict[int, Condition], node: int, side: int) -> dict[int, Condition]:
    """The condition of a node's feature after the path has gone on at one of its sides."""
    feature, child = tree.feature[node], (tree.left, tree.right)[side][node]
    ratio = (tree.rows[child] if child >= 0 else tree.leaf_rows[~child]) / tree.rows[node]
    if feature not in path:
        return {feature: Condition(feature, node, side, ratio)}
    before = path[feature]
    ways = before.asked if isinstance(before.asked, tuple) else ((before.asked, before.side),)
    return {feature: Condition(feature, (*ways, (node, side)), LEFT, before.ratio * ratio)}


def _tree(lines: dict[str, str]) -> Tree:
    def whole(name: str) -> list[int]:
        return [int(part) for part in lines.get(name, "").split()]

    bounds, words = whole("cat_boundaries"), whole("cat_threshold")
    rows = whole("internal_count")
    if min(rows, default=1) < 1:
        raise ModelError("a booster has a node without training rows", hint="train the model again")
    return Tree(
        whole("split_feature"),
        [float(part) for part in lines["threshold"].split()],
        whole("decision_type"),
        whole("left_child"),
        whole("right_child"),
        rows,
        [float(part) for part in lines["leaf_value"].split()],
        whole("leaf_count"),
        [words[a:b] for a, b in pairwise(bounds)],
    )
