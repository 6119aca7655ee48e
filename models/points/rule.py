"""One line of a points card: what it asks of a lead, the points it gives, and how they fade."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ParameterError

Points: TypeAlias = npt.NDArray[np.float64]


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
    half_life_days
        Days, above 0, after which half of the points are left; None: that of the card, if it has one.
    age_feature
        Column with the days since the action; None: the one of the feature's own touches
        (``models/points/fading.py``).
    fades
        False: the card's half-life is not for this rule.

    Raises
    ------
    ParameterError
        Not exactly one condition is given, or the half-life is not above 0 or contradicts ``fades``.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    feature: str
    points: float
    at_least: float | None = None
    at_most: float | None = None
    equals: str | float | None = None
    is_missing: bool | None = None
    label: str | None = None
    half_life_days: float | None = None
    age_feature: str | None = None
    fades: bool = True

    def __post_init__(self) -> None:
        conditions = (self.at_least, self.at_most, self.equals, self.is_missing)
        if sum(condition is not None for condition in conditions) != 1:
            raise ParameterError(
                f"the scorecard rule for '{self.feature}' needs exactly one condition",
                hint="give one of at_least, at_most, equals or is_missing",
            )
        if self.half_life_days is not None and not (self.fades and 0 < self.half_life_days < math.inf):
            raise ParameterError(
                f"the scorecard rule for '{self.feature}' needs a half-life above 0 days, or none",
                hint="fades: false, without half_life_days, keeps all points",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the points are read from."""
        return (self.feature, self.age_feature) if self.age_feature else (self.feature,)

    def as_json(self) -> dict[str, Any]:
        """Plain data as ``params.yaml`` writes it: what is not the usual.

        >>> Rule("visits", 10.0, at_least=3).as_json()
        {'feature': 'visits', 'points': 10.0, 'at_least': 3}
        """
        given = ((field.name, field.default) for field in fields(self))
        return {name: value for name, usual in given if (value := getattr(self, name)) is not usual}

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

    def given(self, table: pa.Table) -> Points:
        """Points that each row gets today, shape (n,): halved for each half-life since the action.

        What never happened, or nobody knows when, does not fade.

        Examples
        --------
        >>> rule = Rule("demos", 40, at_least=1, half_life_days=30, age_feature="days_since_demo")
        >>> leads = pa.table({"demos": [1, 1, 0], "days_since_demo": [0.0, 30.0, None]})
        >>> rule.given(leads).tolist()
        [40.0, 20.0, 0.0]
        """
        full: Points = self.points * self.holds(table.column(self.feature)).astype(np.float64)
        if self.half_life_days is None or self.age_feature is None:
            return full
        return np.asarray(full * _left(self._age(table), self.half_life_days), dtype=np.float64)

    def _age(self, table: pa.Table) -> Points:
        column = table.column(self.age_feature)
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        raise ParameterError(
            f"the scorecard names '{self.age_feature}' as an age, and it is no number of days",
            hint="name a column such as days_since_last_touch in age_feature",
        )

    def _compare(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if isinstance(self.equals, str):
            return pc.equal(column, self.equals)
        number = column.cast(pa.float64())
        if self.at_least is not None:
            return pc.greater_equal(number, self.at_least)
        if self.at_most is not None:
            return pc.less_equal(number, self.at_most)
        return pc.equal(number, self.equals)


def _left(age_days: Points, half_life_days: float) -> Points:
    """Share of the points that is left, 0 to 1; a moment to come has an age of 0."""
    return np.asarray(0.5 ** (np.nan_to_num(np.maximum(age_days, 0.0)) / half_life_days))


def _mask(flags: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(flags.to_numpy(), dtype=bool)
