"""Which points fade, and by which age: those given for an action, by the days since the last such touch.

A trait does not fade, nor does silence. Points that were taken fade only by a half-life of their own: else a
lead that nobody touches would rise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from features.errors import ParameterError
from models.points.rule import Rule

_AGES: Mapping[str, str] = {
    "touches": "days_since_last_touch",
    "active_days": "days_since_last_touch",
    "last_touch_kind": "days_since_last_touch",
    "inbound_touches": "days_since_inbound",
    "direct_touches": "days_since_direct",
    "kind_touches": "days_since",
}
"""Age by the count of an action, without window and value: `features.behaviour`, `features.recency`."""
_NAME = re.compile(r"(?P<stem>\w+?)(_ever)?(?P<each>\[.*\])?(_\d+d)?")


def fading(rule: Rule, names: Collection[str], half_life_days: float | None) -> Rule:
    """The rule with the half-life and the age that its points fade by; as it is if they do not.

    Parameters
    ----------
    names
        Columns that there are.
    half_life_days
        The card's: for points given for an action.

    Raises
    ------
    ParameterError
        The rule has a half-life of its own, and no column says how long ago the action was.
    """
    age = rule.age_feature or _age_of(rule.feature)
    if rule.half_life_days is not None:
        if age is None or age not in names:
            raise _no_age(rule)
        return replace(rule, age_feature=age)
    is_faded = half_life_days is not None and rule.fades and rule.points > 0
    if is_faded and age in names and (rule.age_feature or _is_action(rule)):
        return replace(rule, half_life_days=half_life_days, age_feature=age)
    return rule


def unfading(rule: Rule) -> Rule:
    """The rule, saying that it does not fade where a card's half-life would be for it."""
    is_faded = rule.points > 0 and _age_of(rule.feature) is not None and _is_action(rule)
    return replace(rule, fades=False) if is_faded else rule


def _age_of(feature: str) -> str | None:
    """Column with the days since the last touch that a feature tells of.

    >>> _age_of("kind_touches[web_visit]_30d"), _age_of("kind_touches_ever[call]"), _age_of("touches_7d")
    ('days_since[web_visit]', 'days_since[call]', 'days_since_last_touch')
    >>> _age_of("days_since_direct"), _age_of("country")
    ('days_since_direct', None)
    """
    found = _NAME.fullmatch(feature)
    if found is None:
        return None
    stem, each = found["stem"], found["each"] or ""
    if stem in _AGES.values():
        return f"{stem}{each}"
    return f"{_AGES[stem]}{each}" if stem in _AGES else None


def _is_action(rule: Rule) -> bool:
    """Whether it asks for something that happened, not for silence."""
    if rule.feature.startswith("days_since"):
        return rule.at_most is not None or rule.is_missing is False
    return rule.at_least is not None or rule.equals not in (None, 0)


def _no_age(rule: Rule) -> ParameterError:
    return ParameterError(
        f"the scorecard rule for '{rule.feature}' fades, and no column says how long ago that was",
        hint="name a column of days in age_feature, such as days_since_last_touch, or drop half_life_days",
    )
