"""How far the lead has come in the funnel, and what its actions say about where it stands."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, ago, counted, times


@feature(on="outcomes", says="latest stage: {value:stage}", kind="category")
def latest_stage(outcome: ir.Table) -> ir.Scalar:
    """Stage reached last (of equal moments, the later row of the table); null before the first."""
    return outcome.stage.argmax(outcome.latest)


@feature(on="outcomes", empty=0, says=counted("stage change", "stage changes", " so far"))
def stages_reached(outcome: ir.Table) -> ir.Scalar:
    """Stage changes so far, in changes; 0 before the first."""
    return outcome.count()


@feature(
    on="outcomes",
    says=Sentence(
        "in this stage for {value:.0f} days",
        one="in this stage for {value:.0f} day",
        none="in this stage for less than a day",
    ),
)
def days_in_stage(outcome: ir.Table) -> ir.Scalar:
    """Days since the latest stage change; null before the first."""
    return outcome.age_days.min()


@feature(on="outcomes", per="stage", says=ago("stage “{each:stage}” reached"))
def days_since_stage(outcome: ir.Table) -> ir.Scalar:
    """Days since the lead last reached one stage; null if it never did."""
    return outcome.age_days.min()


@feature(on="outcomes", says="first stage reached {value:after_creation}")
def days_to_first_stage(outcome: ir.Table) -> ir.Scalar:
    """Days from the lead's creation to its first stage change; null before that."""
    return outcome.days_after_creation.min()


@feature(on="outcomes", says="a new stage every {value:days} on average")
def mean_stage_days(outcome: ir.Table) -> ir.Scalar:
    """Mean days from one stage change to the next; null with fewer than two."""
    return outcome.gap_days.mean()


@feature(on="outcomes", empty=0, says=times("handed back right away", "never handed back right away"))
def returned_at_once(outcome: ir.Table) -> ir.Scalar:
    """Times sales handed the lead back at once, in returns; 0 if never.

    Stage ``returned_at_once``, or a stage ``returned`` within ``features.returned_days`` of the stage before.
    """
    soon = (outcome.stage == "returned") & (outcome.gap_days <= outcome.returned_days)
    return outcome.count(where=(outcome.stage == "returned_at_once") | soon)


@feature(
    on="outcomes", empty=0, says=times("handed back after follow-up", "never handed back after follow-up")
)
def returned_after_follow_up(outcome: ir.Table) -> ir.Scalar:
    """Times sales handed the lead back after working it, in returns; 0 if never.

    Stage ``returned_after_follow_up``, or a stage ``returned`` later than ``features.returned_days``.
    """
    late = (outcome.stage == "returned") & (outcome.gap_days > outcome.returned_days)
    return outcome.count(where=(outcome.stage == "returned_after_follow_up") | late)


@feature(on="outcomes", empty=0, says=times("opened again after closing", "never opened again after closing"))
def reopened(outcome: ir.Table) -> ir.Scalar:
    """Times a closed lead was opened again, in times; 0 if never."""
    return outcome.count(where=outcome.stage == "reopened")


@feature(on="touches", days=30, says="actions {window} point to: {value:aim}", kind="category")
def buying_stage(touch: ir.Table) -> ir.Scalar:
    """Where the actions of the window point; null without a touch in it.

    ``decision`` (any intent), else ``evaluation`` (a download, event, form or meeting), else ``interest``
    (other engagement), else ``unclear``.
    """
    is_weighing = touch.means.isin(("download", "event", "form", "meeting"))
    return ibis.cases(
        (touch.count(where=touch.says == "direct") > 0, "decision"),
        (touch.count(where=is_weighing) > 0, "evaluation"),
        (touch.count(where=touch.says == "contextual") > 0, "interest"),
        else_="unclear",
    )
