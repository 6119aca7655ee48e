"""The points scorecard that every team starts with.

It is the baseline of each training and the fallback when history is thin. Points are 0 to 100; they are
not the model's score.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa

from features.errors import ParameterError
from models.points.fading import fading
from models.points.rule import Points, Rule

LOWEST, HIGHEST = 0.0, 100.0


# Points for at least one touch of a kind in 90 days. Values: examples from practice (docs, "scorecard").
_KINDS: dict[str, float] = {
    "offline_event": 50,
    "event": 50,
    "demo_request": 50,
    "trial": 40,
    "webinar": 30,
    "webinar_attended": 30,
    "meeting": 30,
    "pricing_visit": 20,
    "download": 10,
    "content_download": 10,
    "form": 10,
    "form_fill": 10,
    "form_submit": 10,
    "email_reply": 10,
    "email_click": 5,
    "careers_visit": -20,
    "unsubscribe": -30,
}
DEFAULT_RULES: tuple[Rule, ...] = (
    *(Rule(f"kind_touches[{kind}]_90d", points, at_least=1) for kind, points in _KINDS.items()),
    Rule("days_since_last_touch", -30, at_least=30, label="no touch for a month"),
    Rule("source", 5, equals="referral"),
    Rule("account_revenue", 5, at_least=300_000),
)


@dataclass(frozen=True)
class WrittenCard:
    """The scorecard as the parameters have it.

    Attributes
    ----------
    rules
        None: the default rules, as far as a table has their features.
    half_life_days
        Days after which half of the points given for an action are left; None: they do not fade, but for
        rules with a half-life of their own.
    """

    rules: tuple[Rule, ...] | None = None
    half_life_days: float | None = None

    def usable(self, names: Sequence[str]) -> list[Rule]:
        """The rules that columns of these names feed, each with what it fades by.

        Raises
        ------
        ParameterError
            A given rule names a feature that is not there, or fades by an age that is not there.
        """
        known = set(names)
        if self.rules is None:
            return [fading(r, known, self.half_life_days) for r in DEFAULT_RULES if r.feature in known]
        for rule in self.rules:
            for name in rule.columns:
                if name not in known:
                    _refuse(name, names)
        return [fading(rule, known, self.half_life_days) for rule in self.rules]

    def points(self, table: pa.Table) -> Points:
        """Points of each lead.

        Parameters
        ----------
        table
            Feature table of n rows.

        Returns
        -------
        ndarray
            Shape (n,), the sum of what all rules give, cut to 0 and 100.

        Raises
        ------
        ParameterError
            As ``usable``.

        Examples
        --------
        >>> rule = Rule("visits_30d", 20, at_least=3)
        >>> WrittenCard((rule,)).points(pa.table({"visits_30d": [2, 3, None]})).tolist()
        [0.0, 20.0, 0.0]
        """
        return np.clip(uncut(table, self.usable(table.column_names)), LOWEST, HIGHEST)


def uncut(table: pa.Table, rules: Sequence[Rule]) -> Points:
    """Points before they are cut to 0 and 100, shape (n,): they tell apart leads at the same end."""
    return sum((rule.given(table) for rule in rules), start=np.zeros(table.num_rows))


def newest_first(table: pa.Table) -> Points | None:
    """The other baseline: the younger the lead, the higher; None if no lead's age is known.

    Returns
    -------
    ndarray or None
        Shape (n,), minus the age in days; minus infinity where it is null.
    """
    if "lead_age_days" not in table.column_names:
        return None
    age = table.column("lead_age_days").cast(pa.float64()).to_numpy()
    return np.where(np.isnan(age), -np.inf, -age)


def _refuse(name: str, names: Sequence[str]) -> NoReturn:
    near = difflib.get_close_matches(name, names, n=1)
    raise ParameterError(
        f"the scorecard names the feature '{name}', which does not exist",
        hint=f"did you mean '{near[0]}'?"
        if near
        else "`leadrank train --json` lists the names under features",
    )
