"""What sales did with the lead: how fast, how often, with what result."""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, ago, counted, times


@feature(on="touches", says="we first responded after {value:days}")
def first_response_days(touch: ir.Table) -> ir.Scalar:
    """Days from the lead's creation to our first touch from then on; null if there was none yet."""
    return touch.days_after_creation.min(where=_is_ours(touch) & (touch.days_after_creation >= 0))


@feature(
    on="touches", days=(7, 30, 90), empty=0, says=times("we reached out", "we did not reach out", " {window}")
)
def attempts(touch: ir.Table) -> ir.Scalar:
    """Our touches in the window, in touches; 0 if none."""
    return touch.count(where=_is_ours(touch))


@feature(on="touches", empty=0, says=times("we reached out", "we have not reached out", " {window}"))
def attempts_ever(touch: ir.Table) -> ir.Scalar:
    """Our touches so far, in touches; 0 if none."""
    return touch.count(where=_is_ours(touch))


@feature(on="touches", says=ago("we last reached out"))
def days_since_attempt(touch: ir.Table) -> ir.Scalar:
    """Days since our latest touch; null if there was none."""
    return touch.age_days.min(where=_is_ours(touch))


@feature(on="touches", days=(30, 90), empty=0, says=counted("call got through", "calls got through"))
def connected_calls(touch: ir.Table) -> ir.Scalar:
    """Calls with a duration in the window, in calls; 0 if none."""
    return touch.count(where=(touch.means == "call") & (touch.duration_seconds > 0))


@feature(
    on="touches", empty=0, says=Sentence("talk time so far: {value:duration}", none="no talk time so far")
)
def talk_seconds(touch: ir.Table) -> ir.Scalar:
    """Duration of all calls and meetings so far, in seconds; 0 if none was measured."""
    return touch.duration_seconds.sum(where=touch.means.isin(("call", "meeting")))


@feature(
    on="touches",
    says=Sentence("{value:.0%} of our attempts were answered", none="none of our attempts was answered"),
)
def answered_share(touch: ir.Table) -> ir.Scalar:
    """Answers (a touch by the lead right after ours) in our touches, 0 to 1; null without an attempt."""
    is_answer = (touch.direction == "in") & (touch.previous_direction == "out")
    return touch.count(where=is_answer) / touch.count(where=_is_ours(touch)).nullif(0)


@feature(
    on="owner",
    says=Sentence(
        "the owner has {value} open leads",
        one="the owner has {value} open lead",
        none="the owner has no open lead",
    ),
)
def owner_open_leads(load: ir.Table) -> ir.Column:
    """Open leads of the lead's owner at the moment (load, not identity), in leads; null without an owner.

    Only where ``owner`` is declared static: of an owner that changes, only today's is known.
    """
    return load.open_leads


def _is_ours(touch: ir.Table) -> ir.BooleanValue:
    return touch.direction == "out"
