"""Which leads somebody may see: every reading of a published run goes through a scope; default: none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """Which leads somebody may see.

    Attributes
    ----------
    territories
        None: every lead, also one without a territory. A set: only leads whose territory is in it (already
        expanded down the tree); an empty one is no lead.
    owner
        A rep who sees only own leads, and those of the territories that are dealt to them to call today;
        None: all of the territories.

    Examples
    --------
    >>> Scope(frozenset({"North"})).is_everything, EVERYTHING.is_everything
    (False, True)
    """

    territories: frozenset[str] | None
    owner: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self.territories is None and self.owner is None


NOTHING = Scope(frozenset())
EVERYTHING = Scope(None)
