"""The models that category values have of their own, in a bundle: their files, their index, their checks.

``boosters/segment-<n>-<bag>.txt`` holds the trees, ``own`` of the target in ``model.json`` the rest. A target
without any has no ``own``: its bundle is, byte for byte, what it was before there were such models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from features.errors import ModelError
from models.fitting.blend import Blend, Own
from models.fitting.linear import Linear
from models.matrix import Encoding
from models.trees import check_booster

OWN = "own"


def path_of(folder: str, number: int, bag: int) -> str:
    """Path of a booster inside the bundle."""
    return f"{folder}/segment-{number}-{bag}.txt"


def files_of(own: Sequence[Own], folder: str) -> dict[str, bytes]:
    """The trees of each, by path."""
    return {
        path_of(folder, number, bag): text.encode()
        for number, one in enumerate(own)
        for bag, text in enumerate(one.blend.boosters)
    }


def own_as_json(own: Sequence[Own]) -> dict[str, Any]:
    """Plain data under ``own``, trees left out; nothing where there are none."""
    found = [
        {
            "column": one.column,
            "code": one.code,
            "share": one.share,
            "weights": list(one.blend.weights),
            "linear": None if one.blend.linear is None else one.blend.linear.as_json(),
        }
        for one in own
    ]
    return {OWN: found} if found else {}


def own_from_json(
    data: Mapping[str, Any], files: Mapping[str, bytes], folder: str, *, columns: int
) -> tuple[Own, ...]:
    """What :func:`own_as_json` and :func:`files_of` described."""
    return tuple(_own(one, number, files, folder, columns) for number, one in enumerate(data.get(OWN, ())))


def _own(data: Mapping[str, Any], number: int, files: Mapping[str, bytes], folder: str, columns: int) -> Own:
    texts = tuple(files[path_of(folder, number, bag)].decode() for bag in range(len(data["weights"])))
    linear = None if data["linear"] is None else Linear.from_json(data["linear"], columns=columns)
    blend = Blend(texts, tuple(float(weight) for weight in data["weights"]), linear)
    return Own(data["column"], data["code"], float(data["share"]), blend)


def check_own(own: Sequence[Own], encoding: Encoding) -> None:
    """Refuse models of values that the encoding lacks, of one value twice, or that are no sum of trees.

    Raises
    ------
    ModelError
        What is wrong, without a value.
    """
    if len({one.column for one in own}) > 1 or len({one.code for one in own}) < len(own):
        raise _refusal("two models are for the same leads")
    for one in own:
        if not _is_value(one, encoding):
            raise _refusal("a model is for a value that its features lack")
        if not (math.isfinite(one.share) and 0 < one.share <= 1):
            raise _refusal("the share of a value's own model is not above 0 and at most 1")
        check_blend(one.blend, features=len(encoding.names))


def check_blend(blend: Blend, *, features: int) -> None:
    """Refuse a blend that is no sum of sound trees and of a linear part.

    Raises
    ------
    ModelError
        What is wrong with it.
    """
    if not blend.boosters and blend.linear is None:
        raise _refusal("a target has no margin")
    if not all(math.isfinite(weight) and weight > 0 for weight in blend.weights):
        raise _refusal("a booster's weight is not above 0")
    if not all(check_booster(text, features=features) for text in blend.boosters):
        raise _refusal("a booster has no trees")


def _is_value(own: Own, encoding: Encoding) -> bool:
    if type(own.column) is not int or type(own.code) is not int:
        return False
    if not 0 <= own.column < len(encoding.names) or encoding.kinds[own.column] != "category":
        return False
    return 0 <= own.code < len(encoding.categories[encoding.names[own.column]])


def _refusal(why: str) -> ModelError:
    return ModelError(f"the bundle is refused: {why}", hint="restore it from the registry, or train again")
