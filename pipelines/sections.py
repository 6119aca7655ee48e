"""The sections of ``params.yaml``: what each may say, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from features.vocabulary import Word
from models.points.scorecard import Rule

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]
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
    memory
        Whether the feature rows of published runs are used: they are the only past of ``current`` fields.
    min_outcomes
        Fewest won and fewest not-won leads that are worth a model.
    bags
        Models of each shape of trees that are averaged; with many rows fewer are enough and made.
    max_depth
        Depth of a tree, at most 8: explanations keep a table for each leaf.
    max_trees
        Upper bound; early stopping usually ends sooner.
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
    memory: bool = False
    min_outcomes: Positive = 10
    bags: Positive = 4
    max_depth: Annotated[int, Field(ge=1, le=8)] = 8
    max_trees: Positive = 1000
    as_of: Moment | None = None


class TagRule(Section):
    """One predictive tag.

    Attributes
    ----------
    rule
        ``reaches``: one of the stages, by a lead that has none of them yet. ``silent``: no touch by the lead,
        of those that had one in as many days before. ``high_amount``: if won, an amount in the top quarter.
    stages
        For ``reaches``.
    horizon_days
        Days ahead; None is ``train.horizon_days``.
    precision_floor
        Share of right tags (0 to 1) below which the tag is not shown.
    """

    rule: Literal["reaches", "silent", "high_amount"] = "reaches"
    stages: tuple[Plain, ...] = ()
    horizon_days: Positive | None = None
    precision_floor: Annotated[float, Field(gt=0, lt=1)] = 0.5


TAGS: Mapping[str, TagRule] = {
    "likely_sql": TagRule(stages=("sql",)),
    "likely_opportunity": TagRule(stages=("opportunity",)),
    "fast_close": TagRule(stages=("won",), horizon_days=30, precision_floor=0.3),
    "high_value": TagRule(rule="high_amount", precision_floor=0.4),
    "will_be_returned": TagRule(stages=("returned_at_once", "returned_after_follow_up")),
    "going_cold": TagRule(rule="silent", horizon_days=30, precision_floor=0.7),
}


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
    rules
        Points for single features; without rules there is no scorecard to compare with.
    """

    mql_points: float = 50
    rules: tuple[Rule, ...] = ()


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
    publish_columns
        Lead columns that are shown beside the ranking.
    reasons_for, reasons_against
        The most reasons that are shown for and against a lead.
    """

    runs: Name = "runs"
    publish_columns: tuple[Name, ...] = ()
    reasons_for: Annotated[int, Field(ge=0)] = 3
    reasons_against: Annotated[int, Field(ge=0)] = 2


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


class Promotion(Section):
    """What a challenger may cost: ``leadrank promote`` refuses one that costs more.

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

    capacity_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    min_outcomes: Positive = 30
    min_slice_outcomes: Positive = 30
    log_loss_rise_max_share: Share = 0.02
    capture_loss_max_share: Share = 0.1
    calibration_rise_max_share: Share = 0.02
    slice_rise_max_share: Share = 0.05
    churn_max_share: Share = 0.5
    same_reason_min_share: Share = 0.3
