"""What somebody asks of the list: search, filters, order, page; anything unknown is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from serve.views.arrays import Rows
from serve.views.call_places import call_places
from serve.views.index import Index
from serve.views.scope import Scope

Direction: TypeAlias = Literal["asc", "desc"]
SIZE, LONGEST = 50, 200
"""Leads on a page; the most that may be asked for."""
DEEPEST = 10_000
"""Leads that may be turned over: who wants more filters, or exports."""
SEARCHED = 100
"""Characters of a search that are looked for."""
VALUES = 200
"""Values of one filter."""
FILTERS = {
    **{name: name for name in ("owner", "territory", "source", "campaign", "stage", "grade", "route")},
    "changed": "changed",
    "tag": "tags",
}
"""Column of ``narrow`` by filter."""
SORTS: Mapping[str, tuple[str, Direction]] = {
    "place": ("row", "asc"),
    "score": ("score", "desc"),
    "probability": ("probability", "desc"),
    "expected_value": ("expected_value", "desc"),
    "change": ("change", "desc"),
    "last_touch_at": ("last_touch_at", "desc"),
    "created_at": ("created_at", "desc"),
    "touches": ("touches", "desc"),
    "call": ("call", "asc"),
    **{name: (name, "asc") for name in ("name", "owner", "territory", "source", "stage", "grade")},
}
"""Column of ``narrow`` by order, and the usual direction (calls: the only one).

None tells of leads that somebody may not see.
"""


@dataclass(frozen=True)
class Asked:
    """What somebody asks of the list.

    Attributes
    ----------
    search
        Looked for in the id and the published columns, whatever its case; no pattern.
    filters
        Values by filter (`FILTERS`): a lead has one of the values of each.
    sort
        One of `SORTS`.
    direction
        None: the usual one.
    offset, size
        Leads before the page (at most `DEEPEST`), and on it (at most `LONGEST`).
    calls
        Whether only leads of a call list are asked for.

    Examples
    --------
    >>> Asked(sort="password", size=10**9, offset=-1).sort
    'place'
    """

    search: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = "place"
    direction: Direction | None = None
    offset: int = 0
    size: int = SIZE
    calls: bool = False

    def __post_init__(self) -> None:
        """Bring everything within its bounds."""
        known = {
            name: tuple(dict.fromkeys(values))[:VALUES]
            for name, values in self.filters.items()
            if name in FILTERS and values
        }
        bounded = {
            "search": " ".join(self.search.replace("\x00", "").split())[:SEARCHED],
            "filters": known,
            "sort": self.sort if self.sort in SORTS else "place",
            "direction": self.direction if self.direction in ("asc", "desc") else None,
            "offset": min(max(self.offset, 0), DEEPEST),
            "size": min(max(self.size, 1), LONGEST),
        }
        for name, value in bounded.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> Asked:
        """What the query of an address asks; each key has all its values.

        >>> Asked.from_query({"owner": ["A", "B"], "q": ["x"], "page": ["2"], "evil": ["1"]}).offset
        50
        """
        size = _whole(query, "size", SIZE)
        page = max(_whole(query, "page", 1), 1)
        direction = _first(query, "direction")
        return cls(
            search=_first(query, "q"),
            filters={name: [v for v in values if v] for name, values in query.items() if name in FILTERS},
            sort=_first(query, "sort"),
            direction="asc" if direction == "asc" else "desc" if direction == "desc" else None,
            offset=_whole(query, "offset", (page - 1) * min(max(size, 1), LONGEST)),
            size=size,
            calls=_first(query, "calls") in {"1", "true", "on"},
        )


def chosen(index: Index, scope: Scope, asked: Asked) -> Rows:
    """The rows asked for within a scope, the best first."""
    rows = index.places(scope).rows
    for name, values in asked.filters.items():
        column = FILTERS[name]
        texts = _sets(index, values) if name == "tag" else values
        rows = rows[index.arrays.are(column, index.numbers(column, texts), rows)]
    if asked.calls:
        rows = rows[~np.isnan(index.arrays.values("call")[rows])]
    return rows[index.found(asked.search)[rows]] if asked.search else rows


def ordered(index: Index, scope: Scope, rows: Rows, asked: Asked, *, offset: int, size: int) -> list[int]:
    """The rows of a page in the order asked for; leads that are alike stand as they are ranked."""
    column, usual = SORTS[asked.sort]
    direction = asked.direction or usual
    end = min(offset + size, len(rows))
    if offset >= end:
        return []
    if column == "row":
        found = rows if direction == "asc" else rows[::-1]
        return [int(row) for row in found[offset:end]]
    if column == "call":
        found = rows[np.argsort(call_places(index, scope).standing(rows), kind="stable")]
        return [int(row) for row in found[offset:end]]
    standing = index.arrays.standing(column, direction)[rows]
    first = np.argpartition(standing, end - 1)[:end] if end < len(rows) else np.arange(len(rows))
    first = first[np.argsort(standing[first])]
    return [int(row) for row in rows[first[offset:end]]]


def _sets(index: Index, tags: Sequence[str]) -> list[str]:
    """Sets of tags with one of these; a set is one text in the ranking."""
    wanted = set(tags)
    return [text for text in index.words.get("tags", {}) if wanted & set(split(text))]


def split(tags: str) -> list[str]:
    """The tags of a text of the ranking."""
    return tags.split(", ")


def _first(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")


def _whole(query: Mapping[str, Sequence[str]], name: str, otherwise: int) -> int:
    text = _first(query, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise  # noqa: PLR2004
