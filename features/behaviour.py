"""What the lead did and what was done: visits, opens, forms, calls, meetings, and what they add up to.

Tag weights are the 4W of the touch (who, when, where, what): its weight by kind, place and depth halves every
``features.half_life_days``.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features.catalogue import feature
from features.wording import Sentence, counted, times, weighed

WINDOWS = (1, 7, 30, 90)


@feature(on="touches", days=WINDOWS, empty=0, says=counted("touch", "touches"))
def touches(touch: ir.Table) -> ir.Scalar:
    """Touches of any kind in the window, in touches; 0 if none."""
    return touch.count()


@feature(on="touches", empty=0, says=counted("touch", "touches"))
def touches_ever(touch: ir.Table) -> ir.Scalar:
    """Touches of any kind so far, in touches; 0 if none."""
    return touch.count()


@feature(
    on="touches", per="kind", days=WINDOWS, empty=0, says=times("{each:kind}:", "no {each:kind}", " {window}")
)
def kind_touches(touch: ir.Table) -> ir.Scalar:
    """Touches of one kind in the window, in touches; 0 if none."""
    return touch.count()


@feature(on="touches", per="kind", empty=0, says=times("{each:kind}:", "no {each:kind}", " {window}"))
def kind_touches_ever(touch: ir.Table) -> ir.Scalar:
    """Touches of one kind so far, in touches; 0 if none."""
    return touch.count()


@feature(
    on="touches",
    per="place",
    days=(7, 30, 90),
    empty=0,
    says=counted("touch at “{each:place}”", "touches at “{each:place}”"),
)
def place_touches(touch: ir.Table) -> ir.Scalar:
    """Touches at one place (page, channel) in the window, in touches; 0 if none."""
    return touch.count()


@feature(
    on="touches", per="place", empty=0, says=counted("touch at “{each:place}”", "touches at “{each:place}”")
)
def place_touches_ever(touch: ir.Table) -> ir.Scalar:
    """Touches at one place so far, in touches; 0 if none."""
    return touch.count()


@feature(on="touches", days=(7, 30, 90), empty=0, says=counted("day with a touch", "days with a touch"))
def active_days(touch: ir.Table) -> ir.Scalar:
    """Days of the window with a touch, counted back from the moment, in days; 0 if none."""
    return touch.age_days.ceil().nunique()  # a day, too, begins with its first moment: [as_of - 1 day, as_of)


@feature(on="touches", days=(30, 90), empty=0, says=counted("kind of touch", "kinds of touch"))
def distinct_kinds(touch: ir.Table) -> ir.Scalar:
    """Different kinds of touch in the window, in kinds; 0 if none."""
    return touch.kind.nunique()


@feature(on="touches", days=(30, 90), empty=0, says=counted("place with a touch", "places with a touch"))
def distinct_places(touch: ir.Table) -> ir.Scalar:
    """Different places in the window, in places; 0 if none."""
    return touch.place.nunique()


@feature(
    on="touches",
    days=30,
    says=Sentence(
        "{value:.0%} of the touches {window} came from the lead",
        none="none of the touches {window} came from the lead",
    ),
)
def inbound_share(touch: ir.Table) -> ir.Scalar:
    """Share of touches with direction ``in`` in the window, 0 to 1; null without a touch."""
    # Whole numbers: Spark takes 1.0 for a decimal and rounds the mean, Postgres casts a truth to no float.
    return (touch.direction == "in").fill_null(False).cast("int32").mean()  # noqa: FBT003  # a value


@feature(on="touches", days=(7, 30, 90), empty=0, says=counted("touch by the lead", "touches by the lead"))
def inbound_touches(touch: ir.Table) -> ir.Scalar:
    """Touches with direction ``in`` in the window, in touches; 0 if none."""
    return touch.count(where=touch.direction == "in")


@feature(
    on="touches",
    days=(7, 30, 90),
    says=Sentence(
        "in calls, visits and meetings {window}: {value:duration}",
        none="no measured time in calls, visits and meetings {window}",
    ),
)
def duration_seconds(touch: ir.Table) -> ir.Scalar:
    """Summed duration of the touches in the window, in seconds; null if none was measured."""
    return touch.duration_seconds.sum()


@feature(on="touches", days=(30, 90), says="longest touch {window}: {value:duration}")
def longest_seconds(touch: ir.Table) -> ir.Scalar:
    """Longest duration of a touch in the window, in seconds; null if none was measured."""
    return touch.duration_seconds.max()


@feature(on="touches", says="a touch lasts {value:duration} on average")
def mean_seconds(touch: ir.Table) -> ir.Scalar:
    """Mean duration of all touches so far, in seconds; null if none was measured."""
    return touch.duration_seconds.mean()


@feature(
    on="touches", days=(7, 30, 90), empty=0, says=counted("sign of buying intent", "signs of buying intent")
)
def direct_touches(touch: ir.Table) -> ir.Scalar:
    """Touches that say intent (pricing page, demo, trial, reply) in the window, in touches; 0 if none."""
    return touch.count(where=touch.says == "direct")


@feature(on="touches", days=(7, 30, 90), empty=0, says=counted("sign of engagement", "signs of engagement"))
def contextual_touches(touch: ir.Table) -> ir.Scalar:
    """Touches that say engagement (opens, webinars, downloads) in the window, in touches; 0 if none."""
    return touch.count(where=touch.says == "contextual")


@feature(on="touches", days=(30, 90), empty=0, says=counted("sign against buying", "signs against buying"))
def negative_touches(touch: ir.Table) -> ir.Scalar:
    """Touches that speak against buying (careers page, unsubscribing) in the window; 0 if none."""
    return touch.count(where=touch.says == "negative")


@feature(
    on="touches",
    days=90,
    says=Sentence(
        "{value:.0%} of the signs of engagement or intent {window} show buying intent",
        none="none of the signs of engagement {window} shows buying intent",
    ),
)
def direct_share(touch: ir.Table) -> ir.Scalar:
    """Direct touches in direct and contextual ones in the window, 0 to 1; null without either."""
    direct = touch.count(where=touch.says == "direct")
    return direct / (direct + touch.count(where=touch.says == "contextual")).nullif(0)


@feature(on="touches", days=(30, 90), empty=0, says=counted("social media action", "social media actions"))
def social_touches(touch: ir.Table) -> ir.Scalar:
    """Follows, likes and shares in the window, in touches; 0 if none."""
    return touch.count(where=touch.means == "social")


@feature(
    on="touches",
    days=90,
    says=Sentence("e-mail open rate {window}: {value:.0%}", none="opened none of our e-mails {window}"),
)
def email_open_rate(touch: ir.Table) -> ir.Scalar:
    """E-mail opens per e-mail sent in the window, from 0 (above 1: opened again); null if none was sent."""
    return touch.count(where=touch.means == "email_open") / _sent(touch)


@feature(
    on="touches",
    days=90,
    says=Sentence("e-mail click rate {window}: {value:.0%}", none="clicked in none of our e-mails {window}"),
)
def email_click_rate(touch: ir.Table) -> ir.Scalar:
    """E-mail clicks per e-mail sent in the window, from 0; null if none was sent."""
    return touch.count(where=touch.means == "email_click") / _sent(touch)


@feature(
    on="touches",
    empty=0,
    says=times("opened an e-mail right after a download", "never opened an e-mail right after a download"),
)
def opens_after_download(touch: ir.Table) -> ir.Scalar:
    """E-mail opens whose previous touch was a download, in touches; 0 if none."""
    return touch.count(where=(touch.means == "email_open") & (touch.previous_means == "download"))


@feature(on="touches", empty=0, says=times("opened an e-mail again", "never opened an e-mail again"))
def opens_again(touch: ir.Table) -> ir.Scalar:
    """E-mail opens whose previous touch was an open too, in touches; 0 if none."""
    return touch.count(where=(touch.means == "email_open") & (touch.previous_means == "email_open"))


@feature(on="touches", days=90, empty=0, says=times("answered us", "no answer from the lead", " {window}"))
def answers(touch: ir.Table) -> ir.Scalar:
    """Touches by the lead whose previous touch was ours, in the window, in touches; 0 if none."""
    return touch.count(where=_is_answer(touch))


@feature(on="touches", days=90, says="answers after {value:days} on average")
def answer_days(touch: ir.Table) -> ir.Scalar:
    """Mean days from our touch to the lead's next one, over the answers of the window; null without one."""
    return touch.gap_days.mean(where=_is_answer(touch))


@feature(on="touches", empty=0, says=weighed("all activity weighs"))
def tag_weight(touch: ir.Table) -> ir.Scalar:
    """Tag weights (time decay, place, action) of all touches so far, summed; 0 if none."""
    return touch.weight_now.sum()


@feature(
    on="touches",
    per="place",
    empty=0,
    says=weighed("activity at “{each:place}” weighs"),
)
def place_weight(touch: ir.Table) -> ir.Scalar:
    """Tag weights of the touches at one place, summed; 0 if none."""
    return touch.weight_now.sum()


@feature(on="touches", top="place", days=90, says="most drawn to “{value:place}” {window}")
def top_place(touch: ir.Table) -> ir.Scalar:
    """The place with the greatest tag weight in the window; null without a touch at a place."""
    return touch.weight_now.sum()


def _sent(touch: ir.Table) -> ir.Scalar:
    return touch.count(where=touch.means == "email_sent").nullif(0)


def _is_answer(touch: ir.Table) -> ir.BooleanValue:
    return (touch.direction == "in") & (touch.previous_direction == "out")
