"""The list that an address asks for, and the addresses of its neighbours: sorted, filtered, further on.

What is not understood is left out: an address that somebody has kept for years still opens a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from serve.views.asking import FILTERS, SORTS, VALUES, Asked

_ONE = ("q", "sort", "direction", "calls", "offset")
_MOVING = ("offset", "run")
"""Where in the list, and in which ranking: another filter or order begins anew."""


@dataclass(frozen=True)
class Address:
    """The address of a list.

    Attributes
    ----------
    values
        The parameters that were understood, each with its values.
    run
        The ranking that it was begun in; None: the one in force.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    run: str | None = None

    @property
    def asked(self) -> Asked:
        """What the list is asked for."""
        found = Asked.from_query(self.values)
        sort = found.sort if "sort" in self.values else self.usual_sort
        return replace(found, sort=sort, direction=found.direction or SORTS[sort][1])

    @property
    def usual_sort(self) -> str:
        """The calls of one rep come in the order of the list; those of several have no order of their own."""
        return "call" if "calls" in self.values and len(self.values.get("owner", ())) == 1 else "place"

    @property
    def query(self) -> str:
        """What a saved view keeps."""
        return self.link("").removeprefix("?")

    @property
    def here(self) -> str:
        """The query of this very page of the list, with ``?``; empty for the first page of all leads."""
        return self.link("", offset=next(iter(self.values.get("offset", ())), None), run=self.run)

    def link(self, path: str = "/", **changes: str | int | None) -> str:
        """The address of the same list with changes; None takes a parameter away.

        >>> Address({"owner": ("Ann",), "offset": ("50",)}).link(sort="name")
        '/?owner=Ann&sort=name'
        """
        changed = {name: [str(value)] for name, value in changes.items() if value is not None}
        gone = {*changes, *_MOVING}
        left = {name: values for name, values in self.values.items() if name not in gone}
        query = urlencode({**left, **changed}, doseq=True)
        return f"{path}?{query}" if query else path

    def without(self, name: str, value: str) -> str:
        """The address without one value of a filter.

        >>> Address({"tag": ("a", "b")}).without("tag", "a")
        '/?tag=b'
        """
        left = [other for other in self.values.get(name, ()) if other != value]
        return Address({**self.values, name: left}).link()


def address(params: QueryParams) -> Address:
    """The part of a query string that a list understands.

    >>> address(QueryParams("owner=Ann&sort=&x=1")).values
    {'owner': ['Ann']}
    """
    many = {name: [value for value in params.getlist(name) if value][:VALUES] for name in FILTERS}
    one = {name: [params[name].strip()] for name in _ONE if params.get(name, "").strip()}
    return Address(
        {name: values for name, values in (many | one).items() if values}, params.get("run") or None
    )
