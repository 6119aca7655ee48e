"""Columns that may only raise, or only lower, the margin: from what a team asks to a sign for each column.

Asked for by the name of a feature, by a stem, or by a family; the nearest to the column wins. A stem whose
features stand for one value each, as ``days_since[email_open]``, may be written without its bracket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from features.catalogue import FeatureSpec

Direction: TypeAlias = Literal["rising", "falling", "free"]
Asked: TypeAlias = Mapping[str, Direction]
"""Direction by family, stem or name; ``free`` takes a column out of what its stem or family asks."""
MONOTONE = "monotone"
SIGNS: Mapping[str, int] = {"rising": 1, "falling": -1, "free": 0}


def directions(specs: Sequence[FeatureSpec], asked: Asked) -> tuple[int, ...]:
    """Whether each column may only raise the margin (1), only lower it (-1), or is free (0).

    A category has no order and stays free.

    Examples
    --------
    >>> opens = FeatureSpec("opens_7d", "opens", "behaviour", "number", "{value:.0f} opens", 7)
    >>> last = FeatureSpec("last_kind", "last_kind", "behaviour", "category", "last: {value}")
    >>> directions([opens, last], {"behaviour": "falling", "opens": "rising"})
    (1, 0)
    """
    return tuple(SIGNS[_direction(spec, asked)] for spec in specs)


def promised(specs: Sequence[FeatureSpec], asked: Asked) -> dict[str, dict[str, list[str]]]:
    """What a bundle keeps of it: under `MONOTONE`, names of the ``rising`` and of the ``falling`` columns.

    Nothing where no column is held.
    """
    signs = directions(specs, asked)
    if not any(signs):
        return {}
    return {
        MONOTONE: {
            word: [spec.name for spec, sign in zip(specs, signs, strict=True) if sign == SIGNS[word]]
            for word in ("rising", "falling")
        }
    }


def parameters(signs: Sequence[int]) -> dict[str, Any]:
    """What holds LightGBM to the signs of the columns; nothing where all are free."""
    if not any(signs):
        return {}
    # The other two methods let trees break the constraint (measured with 4.7.0, and LightGBM issue 5358).
    return {"monotone_constraints": list(signs), "monotone_constraints_method": "basic"}


def ways_to_name(spec: FeatureSpec) -> Iterator[str]:
    """What a column may be asked for by, the nearest to it first."""
    yield from (spec.name, spec.stem, spec.stem.partition("[")[0], spec.family)


def _direction(spec: FeatureSpec, asked: Asked) -> Direction:
    if spec.kind == "category":
        return "free"
    return next((asked[name] for name in ways_to_name(spec) if name in asked), "free")
