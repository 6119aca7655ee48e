"""The section ``tags`` of ``params.yaml``: which tags are predicted, and how surely one must be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from features.tables import Field as Declared
from features.tables import Source
from pipelines.sections import Name, Plain, Positive, Section


class TagRule(Section):
    """One predictive tag.

    Attributes
    ----------
    rule
        ``reaches``: one of the stages, by a lead that has none of them yet. ``silent``: no touch by the lead,
        of those that had one in as many days before. ``high_amount``: if won, an amount in the top quarter.
    stages
        For ``reaches``.
    field
        A category of ``leads`` in place of a rule: the tag is the value that a lead without one would state,
        likely enough and likelier than every other.
    horizon_days
        Days ahead; None is ``train.horizon_days``.
    precision_floor
        Share of right tags (0 to 1) below which the tag is not shown.
    """

    rule: Literal["reaches", "silent", "high_amount"] = "reaches"
    stages: tuple[Plain, ...] = ()
    field: Name | None = None
    horizon_days: Positive | None = None
    precision_floor: Annotated[float, Field(gt=0, lt=1)] = 0.5


USUAL_STAGES = ("mql", "sql", "opportunity")
"""Stages that get a probability of their own unless `train.stages` says otherwise."""
USUAL: Mapping[str, TagRule] = {
    "likely_sql": TagRule(stages=("sql",)),
    "likely_opportunity": TagRule(stages=("opportunity",)),
    "fast_close": TagRule(stages=("won",), horizon_days=30, precision_floor=0.3),
    "high_value": TagRule(rule="high_amount", precision_floor=0.4),
    "will_be_returned": TagRule(stages=("returned_at_once", "returned_after_follow_up")),
    "going_cold": TagRule(rule="silent", horizon_days=30, precision_floor=0.7),
}
USUAL_FIELDS = ("product_interest", "persona")


def usual_fields(fields: Mapping[str, Declared]) -> list[str]:
    """Those of the fields of ``leads`` whose values are tags where nothing else is said."""
    return [name for name in USUAL_FIELDS if name in fields and fields[name].kind == "category"]


def usual(leads: Source) -> dict[str, TagRule]:
    """The tags of a file that says nothing of tags: six, and one for each usual field that leads have."""
    return {**USUAL, **{name: TagRule(field=name) for name in usual_fields(leads.fields)}}
