"""The sections ``retrain`` and ``shadow`` of ``params.yaml``: when a model is trained again, and on trial."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.sections import Positive, Section


class Retrain(Section):
    """When ``leadrank retrain`` trains again, and how far it goes.

    Attributes
    ----------
    every_days
        Days from one training to the next; None: not by time.
    new_outcomes
        Leads that were decided since the latest training; None: not by their number.
    on_drift
        Whether `leadrank monitor` may ask for it.
    rest_days
        Days after a training in which none is due, whatever else says so.
    backtest
        Whether the past is replayed after the training; it takes as long as several trainings.
    promote
        Whether a challenger takes the champion's place when every gate is open; else it waits for a person.
    """

    every_days: Positive | None = 30
    new_outcomes: Positive | None = None
    on_drift: bool = True
    rest_days: Annotated[int, Field(ge=0)] = 7
    backtest: bool = False
    promote: bool = True


class Shadow(Section):
    """How long a challenger scores beside the champion before anybody calls by it.

    Attributes
    ----------
    nights
        Nights on which the challenger scores the leads that the champion ranked; 0: none.
    needed_to_promote
        Whether it is promoted only after all of them.
    """

    nights: Annotated[int, Field(ge=0, le=365)] = 0
    needed_to_promote: bool = True
