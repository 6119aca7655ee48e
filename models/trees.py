"""Whether the text of a booster is a set of sound trees, asked before LightGBM reads it.

LightGBM trusts its model files: a child out of range, a cycle or a wrong size kills or hangs the process
(measured with 4.7.0). Here each tree is walked from its root: every node and leaf is met exactly once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from features.errors import ModelError

MOST_DEPTH = 64
MOST_LEAVES = 4096
NODE_KEYS = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
INNER_KEYS = (*NODE_KEYS, "internal_value", "internal_weight", "internal_count")
LEAF_KEYS = ("leaf_value", "leaf_weight", "leaf_count")
ONE_KEYS = ("num_leaves", "num_cat", "is_linear", "shrinkage")
CATEGORY_KEYS = ("cat_boundaries", "cat_threshold")
HEAD = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}
HEAD_KEYS = {*HEAD, "max_feature_idx", "objective", "feature_names", "feature_infos", "tree_sizes"}
IS_CATEGORY = 1  # bit of decision_type
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9.]+(e[-+]?[0-9]+)?", re.ASCII)

Part = Mapping[str, str]


def check_booster(text: str, *, features: int) -> int:
    """Refuse a booster text that is not made of sound trees.

    Parameters
    ----------
    features
        Columns of the matrix that the booster reads.

    Returns
    -------
    Number of trees.

    Raises
    ------
    ModelError
        What is wrong with the text, without its content.
    """
    head, blocks = _parts(text)
    _check_head(head, blocks, features)
    for number, block in enumerate(blocks):
        _check_tree(_fields(block.removesuffix("\n\n").removesuffix("\n"), f"Tree={number}"), features)
    return len(blocks)


def _parts(text: str) -> tuple[Part, list[str]]:
    """The header, and the text of each tree exactly as LightGBM will cut it."""
    head, found, rest = text.partition("\n\nTree=")
    body, ended, after = ("Tree=" + rest).rpartition("end of trees\n")
    if not found or not ended or after.strip():
        raise _refusal("it does not run from a header over trees to their end")
    starts = [match.start() for match in re.finditer(r"^Tree=", body, re.MULTILINE)]
    return _fields(head, "tree"), [body[a:b] for a, b in zip(starts, [*starts[1:], len(body)], strict=True)]


def _fields(block: str, first: str) -> Part:
    lines = [line for line in block.split("\n") if line]
    if not lines or lines[0] != first:
        raise _refusal("its trees are not numbered in order")
    pairs = [line.partition("=")[::2] for line in lines[1:]]
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise _refusal("a line stands twice")
    return dict(pairs)


def _check_head(head: Part, blocks: list[str], features: int) -> None:
    if set(head) != HEAD_KEYS or any(head[name] != value for name, value in HEAD.items()):
        raise _refusal("its header is not that of a binary model of LightGBM 4")
    if head["objective"] != "binary sigmoid:1":
        raise _refusal("its objective is not log-odds")
    widths = (len(head["feature_names"].split(" ")), len(head["feature_infos"].split(" ")))
    if _whole(head["max_feature_idx"], 1) != [features - 1] or widths != (features, features):
        raise _refusal(f"it does not read {features} features")
    # LightGBM cuts the text by these sizes without looking at what it cuts.
    if _whole(head["tree_sizes"], len(blocks)) != [len(block.encode()) for block in blocks]:
        raise _refusal("its tree sizes are not those of its trees")


def _check_tree(tree: Part, features: int) -> None:
    leaves, categories, linear, _ = _ones(tree)
    expected = {*LEAF_KEYS, *INNER_KEYS, *ONE_KEYS, *(CATEGORY_KEYS if categories else ())}
    if set(tree) != expected or linear or not 1 <= leaves <= MOST_LEAVES:
        raise _refusal("a tree lacks lines or has unknown ones")
    for name in LEAF_KEYS:
        _numbers(tree[name], leaves, may_be_empty=leaves == 1 and name != "leaf_value")
    for name in ("split_gain", "internal_value", "internal_weight", "internal_count"):
        _numbers(tree[name], leaves - 1)
    _thresholds(tree["threshold"], leaves - 1)
    splits = _whole(tree["split_feature"], leaves - 1)
    if not all(0 <= split < features for split in splits):
        raise _refusal("a tree splits on a feature that does not exist")
    _check_walk(_whole(tree["left_child"], leaves - 1), _whole(tree["right_child"], leaves - 1), leaves)
    _check_categories(tree, categories, leaves - 1)


def _ones(tree: Part) -> tuple[int, int, int, float]:
    try:
        leaves, categories, linear = (_whole(tree[name], 1)[0] for name in ONE_KEYS[:3])
        return leaves, categories, linear, _numbers(tree["shrinkage"], 1)[0]
    except KeyError:
        raise _refusal("a tree lacks lines or has unknown ones") from None


def _check_walk(left: list[int], right: list[int], leaves: int) -> None:
    """Walk down from the root: each node and each leaf is met once."""
    if leaves == 1:
        return
    if not all(-leaves <= child < leaves - 1 for child in (*left, *right)):
        raise _refusal("a tree has a child out of range")
    seen: set[int] = set()
    for child, depth in _walk(left, right):
        if child in seen or depth > MOST_DEPTH:
            raise _refusal("a tree runs in a circle")
        seen.add(child)
    if len(seen) != 2 * leaves - 1:
        raise _refusal("a tree has parts that its root does not reach")


def _walk(left: list[int], right: list[int]) -> Iterator[tuple[int, int]]:
    waiting = [(0, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if node >= 0:
            waiting += [(left[node], depth + 1), (right[node], depth + 1)]


def _check_categories(tree: Part, categories: int, nodes: int) -> None:
    """Each categorical split names its own set of categories, and the sets fill their table."""
    kinds = _whole(tree["decision_type"], nodes)
    if not all(0 <= kind < 16 for kind in kinds):  # noqa: PLR2004 - four bits
        raise _refusal("a tree has an unknown kind of split")
    by_category = zip(kinds, _thresholds(tree["threshold"], nodes), strict=True)
    used = sorted(value for kind, value in by_category if kind & IS_CATEGORY)
    if used != list(range(categories)):
        raise _refusal("a tree's categorical splits do not match its sets")
    if categories:
        bounds = _whole(tree["cat_boundaries"], categories + 1)
        words = _whole(tree["cat_threshold"], bounds[-1])
        rises = all(a < b for a, b in pairwise(bounds))
        if bounds[0] != 0 or not rises or not all(0 <= word < 2**32 for word in words):
            raise _refusal("a tree's sets of categories overlap or leave their table")


def _whole(text: str, count: int) -> list[int]:
    parts = text.split(" ") if text else []
    if len(parts) != count or not all(_WHOLE.fullmatch(part) for part in parts):
        raise _refusal("a line does not hold the whole numbers it should")
    return [int(part) for part in parts]


def _numbers(text: str, count: int, *, may_be_empty: bool = False) -> list[float]:
    parts = text.split(" ") if text else []
    if may_be_empty and not parts:
        return []
    if len(parts) != count or not all(_DECIMAL.fullmatch(part) for part in parts):
        raise _refusal("a line does not hold the numbers it should")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        raise _refusal("a line does not hold the numbers it should") from None
    if not all(map(math.isfinite, values)):
        raise _refusal("a tree holds a number that is not finite")
    return values


def _thresholds(text: str, count: int) -> list[float]:
    """As ``_numbers``; a split that only asks whether there is a value has the threshold ``inf``."""
    parts = text.split(" ") if text else []
    finite = iter(_numbers(" ".join(part for part in parts if part != "inf"), count - parts.count("inf")))
    return [math.inf if part == "inf" else next(finite) for part in parts]


def _refusal(why: str) -> ModelError:
    return ModelError(
        f"a booster is damaged: {why}", hint="restore the bundle from the registry, or train again"
    )
