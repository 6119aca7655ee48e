"""What can be filtered by: the values that the leads of a scope have, and how many have each."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from serve.views.arrays import NOTHING
from serve.views.asking import FILTERS, split
from serve.views.index import Index
from serve.views.scope import Scope

MOST = 200
"""Values of a filter that are offered, the most frequent ones."""
Values: TypeAlias = dict[str, list[tuple[str, int]]]


def values(index: Index, scope: Scope) -> Values:
    """The values of each filter with their leads within the scope, the most frequent first; remembered."""
    return index.remember(
        "facets", scope, lambda: {name: _counted(index, scope, name)[:MOST] for name in FILTERS}
    )


def _counted(index: Index, scope: Scope, name: str) -> list[tuple[str, int]]:
    column = FILTERS[name]
    texts = {code: text for text, code in index.words.get(column, {}).items()}
    codes = index.arrays.codes(column)[index.places(scope).rows]
    found = np.bincount(codes[codes != NOTHING], minlength=len(texts))
    counts: dict[str, int] = {}
    for code in np.flatnonzero(found).tolist():
        for value in split(texts[code]) if name == "tag" else [texts[code]]:
            counts[value] = counts.get(value, 0) + int(found[code])
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
