"""The points scorecard that every team starts with.

It is the baseline of each training and the fallback when history is thin. Points are 0 to 100; they are
not the model's score.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ParameterError

Points: TypeAlias = npt.NDArray[np.float64]
LOWEST, HIGHEST = 0.0, 100.0


@dataclass(frozen=True)
class Rule:
    """Points for one trait or action; a null value meets only ``is_missing: true``.

    Attributes
    ----------
    feature
        Column of the feature table.
    points
        Added when the condition holds; negative points are subtracted.
    at_least, at_most
        Bounds that are themselves included.
    equals
        The value itself: a text, or a number (flags are 1 and 0).
    is_missing
        True: the value is null. False: the value is known.
    label
        Words for a sales manager; None leaves the feature's own sentence.

    Raises
    ------
    ParameterError
        Not exactly one condition is given.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    feature: str
    points: float
    at_least: float | None = None
    at_most: float | None = None
    equals: str | float | None = None
    is_missing: bool | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        conditions = (self.at_least, self.at_most, self.equals, self.is_missing)
        if sum(condition is not None for condition in conditions) != 1:
            raise ParameterError(
                f"the scorecard rule for '{self.feature}' needs exactly one condition",
                hint="give one of at_least, at_most, equals or is_missing",
            )

    def holds(self, column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Whether the condition holds, per row: shape (n,).

        Raises
        ------
        ParameterError
            A number is compared with a text column, or a text with a number.
        """
        missing = column.is_null(nan_is_null=True)
        if self.is_missing is not None:
            return _mask(missing if self.is_missing else pc.invert(missing))
        try:
            met = self._compare(column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ParameterError(
                f"the scorecard rule for '{self.feature}' does not fit a column of type {column.type}",
                hint="compare texts with equals and a text, numbers with a number",
            ) from error
        return _mask(pc.and_(met.fill_null(False), pc.invert(missing)))  # noqa: FBT003  # pyarrow's own name is positional

    def _compare(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if isinstance(self.equals, str):
            return pc.equal(column, self.equals)
        number = column.cast(pa.float64())
        if self.at_least is not None:
            return pc.greater_equal(number, self.at_least)
        if self.at_most is not None:
            return pc.less_equal(number, self.at_most)
        return pc.equal(number, self.equals)


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


def points(table: pa.Table, rules: Sequence[Rule] | None = None) -> Points:
    """Points of each lead.

    Parameters
    ----------
    table
        Feature table of n rows.
    rules
        None: the default rules, as far as the table has their features.

    Returns
    -------
    ndarray
        Shape (n,), the sum of the points of all rules that hold, cut to 0 and 100.

    Raises
    ------
    ParameterError
        A given rule names a feature that the table does not have.

    Examples
    --------
    >>> rule = Rule("visits_30d", 20, at_least=3)
    >>> points(pa.table({"visits_30d": [2, 3, None]}), [rule]).tolist()
    [0.0, 20.0, 0.0]
    """
    return np.clip(uncut(table, rules), LOWEST, HIGHEST)


def uncut(table: pa.Table, rules: Sequence[Rule] | None = None) -> Points:
    """Points before they are cut to 0 and 100, shape (n,): they tell apart leads at the same end."""
    total = np.zeros(table.num_rows)
    for rule in usable(table.column_names, rules):
        total += rule.points * rule.holds(table.column(rule.feature))
    return total


def usable(names: Sequence[str], rules: Sequence[Rule] | None = None) -> list[Rule]:
    """The rules that columns of these names feed: all given ones, or the default ones as far as they go.

    Raises
    ------
    ParameterError
        A given rule names a feature that is not there.
    """
    known = set(names)
    if rules is None:
        return [rule for rule in DEFAULT_RULES if rule.feature in known]
    for rule in rules:
        if rule.feature not in known:
            _refuse(rule.feature, names)
    return list(rules)


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


def _mask(flags: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(flags.to_numpy(), dtype=bool)
