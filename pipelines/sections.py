"""The sections of ``params.yaml``: what each may say, with its default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from features.languages import LanguageCode
from features.vocabulary import Word
from models.fitting.monotone import Direction
from models.points.rule import Rule
from models.points.scorecard import WrittenCard
from serve.routes import QUARTERS, ROUTES

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]
Grade = Annotated[str, Field(pattern=r"^[A-D][1-4]$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""Name of an environment variable; an address in its place may hold a password, and is refused unseen."""
Plain = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]


def _moment(text: object) -> object:
    """ISO 8601 text as a moment in UTC; a date alone means the midnight that begins it."""
    if not isinstance(text, str):
        return text
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Section(BaseModel):
    """One section of ``params.yaml``: unknown keys are refused, values keep their type."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Check(Section):
    """When a load is refused.

    Attributes
    ----------
    max_quarantine_share
        Largest part of a table's rows (0 to 1) that may be quarantined.
    """

    max_quarantine_share: Share = 0.05


class Features(Section):
    """Which features exist beside the built-in ones.

    Attributes
    ----------
    modules
        Python modules of the user, by import name, that define features.
    kinds_max, places_max, values_max
        The most common touch kinds, places, and values of each other category of touches that get features
        of their own.
    library_max, generic_max
        The most features of the library, and generic ones among them, that a model uses: those that help most
        on later rows. Fields of the lead and your own modules all stay.
    half_life_days
        Days after which a touch weighs half.
    returned_days
        A lead handed back within so many days was returned at once.
    kinds, places
        What the team's kinds and places mean; what is not said is read from their names.
    feedback
        Whether what people say of a lead on the page counts as stages that it reached.
    """

    modules: tuple[Name, ...] = ()
    kinds_max: Positive = 20
    places_max: Positive = 10
    values_max: Positive = 10
    library_max: Annotated[int, Field(ge=0)] = 80
    generic_max: Annotated[int, Field(ge=0)] = 60
    half_life_days: Annotated[float, Field(gt=0)] = 30.0
    returned_days: Positive = 7
    kinds: Mapping[str, Word] = {}
    places: Mapping[str, Word] = {}
    feedback: bool = True


class Train(Section):
    """What is predicted, from which past moments, by how large a model.

    Attributes
    ----------
    stage
        The stage whose probability is estimated.
    horizon_days
        Days ahead in which the stage has to be reached.
    horizons_days
        Other days ahead that a probability is given for, from the same training.
    stages
        Further stages that a probability is given for; None is those of mql, sql and opportunity that the
        outcomes have.
    every_days, max_per_lead
        Days between the past moments of training, and how many moments of all kinds one lead may give.
    at_stage_entry
        Whether to look also from the first midnight after each stage of a lead was known.
    at_days_after_creation
        Ages of a lead, in days, at which to look too: from the first midnight at which it is that old.
    reporting_delay_days
        Days until an outcome is surely recorded; younger label windows are not mature.
    censoring
        What becomes of snapshots whose window is not over: ``leave_out``, or ``weight``: those that are
        decided already are used, and all are weighted by the inverse probability of censoring.
    unworked
        What becomes of leads that no call list named, from the first list on: ``keep``, or ``leave_out``:
        called ones are learned from, weighted by the inverse probability of their selection.
    most_weight
        What no called lead stands for more than, where the others are left out.
    max_rows
        Moments to learn from at the most, of all leads: of more, so many are drawn and weighted. None draws
        none.
    memory
        Whether the feature rows of published runs are used: they are the only past of ``current`` fields.
    min_outcomes
        Fewest won and fewest not-won leads that are worth a model.
    segment_by, segment_outcomes
        A category field of the leads, and the fewest won and fewest not-won leads on the later slices that a
        value of it needs: under these no probability is published. None publishes every one.
    protected_fields
        Fields of the leads (``gender``) or accounts (``account.country``) that no model may use; training
        looks for the features that stand in for them.
    bags
        Models of each shape of trees that are averaged; with many rows fewer are enough and made.
    max_depth
        Depth of a tree, at most 8: explanations keep a table for each leaf.
    max_trees
        Upper bound; early stopping usually ends sooner.
    monotone
        Features that may only raise (``rising``) or only lower (``falling``) the chance, by family, stem or
        name, the nearest to the feature first; ``free`` takes one out of what its stem or family says.
    as_of
        Moment that training looks back from (UTC if it has no offset); None is the latest recorded fact.
    """

    stage: Name = "won"
    horizon_days: Positive = 90
    horizons_days: tuple[Positive, ...] = ()
    stages: tuple[Plain, ...] | None = None
    every_days: Positive = 7
    max_per_lead: Positive = 12
    at_stage_entry: bool = False
    at_days_after_creation: tuple[Positive, ...] = ()
    reporting_delay_days: Annotated[int, Field(ge=0)] = 3
    censoring: Literal["leave_out", "weight"] = "leave_out"
    unworked: Literal["keep", "leave_out"] = "keep"
    most_weight: Annotated[float, Field(ge=1)] = 10.0
    max_rows: Annotated[int, Field(ge=1000)] | None = 1_000_000
    memory: bool = False
    min_outcomes: Positive = 10
    segment_by: Name | None = "source"
    segment_outcomes: Positive = 5
    protected_fields: tuple[Name, ...] = ()
    bags: Positive = 4
    max_depth: Annotated[int, Field(ge=1, le=8)] = 8
    max_trees: Positive = 1000
    monotone: Mapping[Name, Direction] = {}
    as_of: Moment | None = None


class Tuning(Section):
    """How long ``train`` looks for shapes of trees that suit the team's own history.

    Attributes
    ----------
    trials
        Shapes to try after the usual ones; 0 takes the usual ones.
    """

    trials: Annotated[int, Field(ge=0)] = 0


class Audit(Section):
    """What the leakage audit may not leave out.

    Attributes
    ----------
    allow
        Reason by feature name: these columns are used whatever the audit found. The reason is recorded.
    """

    allow: Mapping[Name, Name] = {}


class Scorecard(Section):
    """The points that a team would use without a model: baseline and fallback.

    Attributes
    ----------
    mql_points
        Points from which a lead counts as marketing-qualified.
    half_life_days
        Days after which half of the points given for an action are left; None: they do not fade.
    rules
        Points for single features; without rules the default ones.
    """

    mql_points: float = 50
    half_life_days: Annotated[float, Field(gt=0)] | None = 30.0
    rules: tuple[Rule, ...] = ()

    @property
    def card(self) -> WrittenCard:
        """The points as they are given."""
        return WrittenCard(self.rules or None, self.half_life_days)


class Tracking(Section):
    """Where experiments and models are kept.

    Attributes
    ----------
    uri
        MLflow tracking and registry address; credentials belong into the environment.
    experiment, model
        Name of the experiment, and of the registered model.
    """

    uri: Name = "sqlite:///mlflow.db"
    experiment: Name = "leadrank"
    model: Name = "leadrank"


class Score(Section):
    """What a published ranking shows.

    Attributes
    ----------
    runs
        Folder of the published runs, relative to the folder of ``params.yaml``.
    keep_runs
        Latest runs that stay after each publish; None keeps all: they are the memory of ``current`` fields.
    publish_columns
        Lead columns that are shown beside the ranking.
    reasons_for, reasons_against
        The most reasons that are shown for and against a lead.
    evidence_leads
        Earlier leads with such a value that the evidence of a reason needs.
    timeline_touches
        Latest touches of each lead that are published to be shown; 0: none.
    grade_shares
        Share of earlier leads that has the best grade, the best two, the best three.
    routes
        Grades by route, such as ``call_now: [A1]``; the rest is held.
    part_leads
        Leads of a part, where the large files of a run are folders of parts (`serve.parts`); None: each is
        one file.
    language
        Of sentences, pages, reports, and the terminal of a ranking.
    """

    runs: Name = "runs"
    keep_runs: Positive | None = None
    publish_columns: tuple[Name, ...] = ()
    reasons_for: Annotated[int, Field(ge=0)] = 3
    reasons_against: Annotated[int, Field(ge=0)] = 2
    evidence_leads: Positive = 50
    timeline_touches: Annotated[int, Field(ge=0)] = 20
    part_leads: Annotated[int, Field(ge=1000)] | None = None
    grade_shares: tuple[Share, Share, Share] = QUARTERS
    routes: Mapping[Plain, tuple[Grade, ...]] = ROUTES
    language: LanguageCode = "en"

    @field_validator("grade_shares")
    @classmethod
    def _rise(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if list(shares) != sorted(set(shares)):
            raise PydanticCustomError("shares", "Input should be three rising shares")
        return shares

    @field_validator("routes")
    @classmethod
    def _each_once(cls, routes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        named = Counter(chain.from_iterable(routes.values()))
        if max(named.values(), default=1) > 1:
            raise PydanticCustomError("routes", "Input should be grades by route, each grade in one route")
        return routes
