"""Whole leads for the leakage audit: their fields today, how each ended, and which are of one age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.audit.association import Codes, Flags, Floats

LEAST_ENDED, STRATA = 20, 5


@dataclass(frozen=True)
class Leads:
    """Every lead as it stands today, shape (n,) each.

    Attributes
    ----------
    table
        Today's value of each own field; of a date, days ago (negative: still to come).
    won, lost
        How the lead ended; both False while it is open.
    created, closed
        Days ago; NaN if unknown or not closed.
    """

    table: pa.Table
    won: Flags
    lost: Flags
    created: Floats
    closed: Floats

    @property
    def open(self) -> Flags:
        """Leads that may still be won."""
        return np.asarray(~(self.won | self.lost), dtype=bool)

    @property
    def never_closed(self) -> Flags:
        """Open leads that were not reopened: what is written at a closing cannot stand in them."""
        return np.asarray(self.open & np.isnan(self.closed), dtype=bool)

    @property
    def strata(self) -> tuple[Codes, int]:
        """Groups of leads that were created at about the same time, and their number.

        They are cut where the open leads are; 0 is for those created before or after all open ones.
        """
        born = self.created[self.never_closed & ~np.isnan(self.created)]
        if not len(born):
            return np.zeros(len(self.created), dtype=np.int64), 1
        cuts = np.unique(np.quantile(born, np.linspace(0, 1, STRATA + 1)))
        groups = np.digitize(self.created, cuts[:-1])
        groups[(self.created > cuts[-1]) | np.isnan(self.created)] = 0
        return groups.astype(np.int64), len(cuts) + 1

    @property
    def can_compare(self) -> bool:
        """Whether enough closed leads are as old as enough open ones."""
        strata, size = self.strata
        ended, still = (
            np.bincount(strata[rows], minlength=size) for rows in (self.won | self.lost, self.never_closed)
        )
        both = (ended > 0) & (still > 0) & (np.arange(size) > 0)
        return bool(min(ended[both].sum(), still[both].sum()) >= LEAST_ENDED)
