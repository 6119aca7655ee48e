"""What a challenger may cost: the section ``promotion`` of ``params.yaml``, as the gates compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Least: TypeAlias = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Thresholds:
    """The limits of a promotion; ``leadrank promote`` refuses a challenger that costs more.

    Attributes
    ----------
    capacity_share
        Share of the list (0 to 1) that the team can call.
    min_outcomes, min_slice_outcomes
        Rows of the rarer outcome without which nothing, or a slice, is judged.
    log_loss_rise_max_share
        Most that the log loss may rise, at the upper end of its interval, as a share of the champion's.
    capture_loss_max_share
        Most of all outcomes that the best of the list may lose, at the lower end of the interval.
    calibration_rise_max_share
        Most that the calibration error (0 to 1) may rise.
    slice_rise_max_share
        Most that the log loss of a slice may surely rise, as a share of the champion's there.
    churn_max_share
        Most of tonight's best leads that may be replaced.
    same_reason_min_share
        Fewest of tonight's open leads that keep the family that speaks most for them.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    capacity_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    min_outcomes: Least = 30
    min_slice_outcomes: Least = 30
    log_loss_rise_max_share: Share = 0.02
    capture_loss_max_share: Share = 0.1
    calibration_rise_max_share: Share = 0.02
    slice_rise_max_share: Share = 0.05
    churn_max_share: Share = 0.5
    same_reason_min_share: Share = 0.3
