"""From how many and which earlier leads the nurture list makes a claim."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What a claim of the nurture list needs.

    Attributes
    ----------
    kinds
        The most kinds of content that are named for a lead.
    window_days
        Days from entering a stage in which content counts.
    horizon_days
        Days after them in which the lead has to advance.
    delay_days
        Days until an outcome is surely recorded.
    min_leads
        Earlier leads that consumed something without which nothing is claimed of it.
    """

    kinds: int = 3
    window_days: float = 30
    horizon_days: float = 90
    delay_days: float = 3
    min_leads: int = 50
