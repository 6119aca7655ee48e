"""How many calls the team can make, and by which rules leads find a rep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Capacity:
    """Calls of a day.

    Attributes
    ----------
    calls_per_owner
        Calls that each rep can make; None gives a list only to those named in ``owners``.
    owners
        Calls of single reps, by the name in the column ``owner``; 0 hands their leads on.
    territories
        Territory of single reps; of the others it is the one that most of their ranked leads are in.
    explore_share
        Share of each list, 0 to 1, that is drawn at random from the leads below the cut.
    recycle_days
        Days after which a lead that its rep has not worked goes to the next rep; None: it stays.
    """

    calls_per_owner: int | None = None
    owners: Mapping[str, int] = field(default_factory=dict)
    territories: Mapping[str, str] = field(default_factory=dict)
    explore_share: float = 0.1
    recycle_days: float | None = None

    @property
    def has_list(self) -> bool:
        """Whether anybody is given a call list."""
        return self.calls_per_owner is not None or bool(self.owners)
