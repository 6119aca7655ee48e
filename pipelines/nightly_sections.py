"""The sections of ``params.yaml`` for what runs every night unwatched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from pipelines.sections import Name, Positive, Section, Share, Variable
from serve.gates.limits import Limits
from serve.lists.capacity import Capacity as Plan
from serve.lists.evidence import Evidence

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[float, Field(gt=0)]
Distance = Annotated[float, Field(gt=0)]
USUAL, CALLS, CLAIMS = Limits(), Plan(), Evidence()


class Gates(Section):
    """Figures beyond which a ranking is not published: see `serve.gates.limits.Limits`."""

    rows_fall: Share = USUAL.rows_fall
    freshness_days: Mapping[Name, Days] = {}
    null_rise: Share = USUAL.null_rise
    unseen_rise: Share = USUAL.unseen_rise
    drift: Distance = USUAL.drift
    category_drift: Distance = USUAL.category_drift
    score_drift: Distance = USUAL.score_drift
    churn: Share = USUAL.churn
    ties: Share = USUAL.ties
    model_age_days: Days = USUAL.model_age_days
    skew: Share = USUAL.skew

    @property
    def limits(self) -> Limits:
        """As the gates take them."""
        return Limits(**self.model_dump())


class Capacity(Section):
    """How many calls the team makes a day: see `serve.lists.capacity.Capacity`.

    Attributes
    ----------
    calls_per_owner
        Calls of each rep; None gives a list only to those in ``owners``.
    owners
        Calls of single reps by name.
    territories
        Territory of single reps by name; of the others it is the one that most of their leads are in.
    explore_share
        Share of each list that is drawn at random from the leads below the cut.
    recycle_days
        Days without work after which a lead goes to the next rep; None: it stays.
    """

    calls_per_owner: Positive | None = None
    owners: Mapping[Name, Annotated[int, Field(ge=0)]] = {}
    territories: Mapping[Name, Name] = {}
    explore_share: Share = CALLS.explore_share
    recycle_days: Days | None = None

    @property
    def plan(self) -> Plan:
        """As the call list takes it."""
        return Plan(**self.model_dump())


class Nurture(Section):
    """What is said of the content that earlier leads consumed: see `serve.lists.consumed.Evidence`.

    Attributes
    ----------
    kinds
        The most kinds of content that are named for a lead.
    window_days
        Days from entering a stage in which content counts.
    min_leads
        Earlier leads without which nothing is claimed.
    """

    kinds: Positive = CLAIMS.kinds
    window_days: Days = CLAIMS.window_days
    min_leads: Positive = CLAIMS.min_leads

    def evidence(self, horizon_days: int, delay_days: int) -> Evidence:
        """As the nurture list takes it."""
        return Evidence(**self.model_dump(), horizon_days=horizon_days, delay_days=delay_days)


class Reports(Section):
    """How the reports count: see `serve.reporting.plan.Plan`.

    Attributes
    ----------
    sla_hours
        Hours in which a lead has to be touched once it is marketing-qualified.
    """

    sla_hours: Annotated[float, Field(gt=0)] = 24.0


class Watch(Section):
    """Where `leadrank watch` sends its messages.

    Attributes
    ----------
    url_env
        Name of the environment variable with the address that they are posted to; None: they stay in the
        outbox.
    secret_env
        Name of the environment variable with the secret that they are signed with.
    timeout_seconds
        How long one attempt may take.
    """

    url_env: Variable | None = None
    secret_env: Variable | None = None
    timeout_seconds: Seconds = 10.0

    @model_validator(mode="after")
    def _what_is_sent_is_signed(self) -> Watch:
        if self.url_env is not None and self.secret_env is None:
            raise PydanticCustomError("secret", "Input should be given with a secret_env")
        return self
