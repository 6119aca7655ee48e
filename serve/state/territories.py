"""The tree of territories: a manager of one sees the leads of all below it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from features.errors import ParameterError
from serve.state import schema
from serve.state.audit import note


@dataclass(frozen=True)
class Tree:
    """Which territory lies in which; one that is not told of stands alone."""

    engine: sa.Engine
    writing: sa.Engine

    def parents(self) -> dict[str, str | None]:
        """The territory above each; None: none."""
        table = schema.territories
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.territory))
            return {row.territory: row.parent for row in rows}

    def below(self, names: Collection[str]) -> frozenset[str]:
        """These territories and all below them."""
        return below(names, self.parents())

    def put(self, name: str, parent: str | None, *, at: datetime, by: str) -> None:
        """Put a territory below another, or at the top.

        Raises
        ------
        ParameterError
            It would lie below itself.
        """
        table = schema.territories
        with self.writing.begin() as connection:
            rows = connection.execute(sa.select(table))
            parents = {row.territory: row.parent for row in rows}
            if parent is not None and parent in below([name], parents):
                raise ParameterError(
                    "a territory cannot lie below itself", hint="choose another one above it"
                )
            for each in (name, parent):
                if each is not None and each not in parents:
                    connection.execute(sa.insert(table).values(territory=each, parent=None))
            one = table.c.territory == name
            connection.execute(sa.update(table).where(one).values(parent=parent))
            note(connection, at, by, "territory put", name, parent=parent)

    def remove(self, name: str, *, at: datetime, by: str) -> None:
        """Take a territory out of the tree; those below it stand at the top then."""
        table = schema.territories
        with self.writing.begin() as connection:
            connection.execute(sa.update(table).where(table.c.parent == name).values(parent=None))
            connection.execute(sa.delete(table).where(table.c.territory == name))
            note(connection, at, by, "territory removed", name)


def below(names: Collection[str], parents: Mapping[str, str | None]) -> frozenset[str]:
    """Territories and all below them.

    >>> sorted(below(["Europe"], {"France": "Europe", "Paris": "France", "Asia": None}))
    ['Europe', 'France', 'Paris']
    """
    found = set(names)
    while new := {name for name, parent in parents.items() if parent in found} - found:
        found |= new
    return frozenset(found)
