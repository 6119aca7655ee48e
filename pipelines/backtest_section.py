"""The section ``backtest`` of ``params.yaml``: how the past is replayed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.sections import Name, Positive, Section


class Backtest(Section):
    """How the past is replayed by ``leadrank backtest``.

    Attributes
    ----------
    origins
        How many past moments a model is trained at, the latest ones of which everything is known.
    every_days
        Days from one of them to the next.
    lists_every_days
        Days from one list of open leads to the next, from each origin on.
    calls_per_week
        Leads that the team calls in a week; a rep manages about 125.
    ages_days
        Ages at which a model that is not trained again is judged; taken as the nearest whole number of
        ``every_days``.
    slices
        Fields by which the leads are looked at; numbers are cut into thirds.
    min_slice_outcomes
        Different won leads without which a slice is not judged.
    order_field, order_first
        A number field by which the team orders its calls today, and which end of it is called first.
    resamples
        Bootstrap resamples of each interval.
    """

    origins: Positive = 8
    every_days: Positive = 30
    lists_every_days: Positive = 7
    calls_per_week: Positive = 125
    ages_days: tuple[Annotated[int, Field(ge=0)], ...] = (0, 30, 90, 180)
    slices: tuple[Name, ...] = ("source", "territory", "employees")
    min_slice_outcomes: Positive = 30
    order_field: Name | None = None
    order_first: Literal["highest", "lowest"] = "highest"
    resamples: Annotated[int, Field(ge=100)] = 500
