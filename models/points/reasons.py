"""Why a lead stands where the points scorecard puts it: the rules that held, each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from features.catalogue import NOT_KNOWN, POINTS_LEFT, FeatureSpec, around
from models.points.rule import Rule
from models.reasons import SCHEMA


def rule_reasons(
    table: pa.Table,
    rules: Sequence[Rule],
    specs: Mapping[str, FeatureSpec],
    *,
    most_for: int = 3,
    most_against: int = 2,
    language: str = "en",
) -> pa.Table:
    """The rules that gave and took most points, for each lead.

    Parameters
    ----------
    table
        The n leads with the columns of the rules.
    rules
        Rules of the card.
    specs
        Feature of each rule, by name.
    most_for, most_against
        Rules per lead that give and that take points.
    language
        Of the sentences: ``en``, ``zh`` or ``ru``. A label is said as it was written.

    Returns
    -------
    Table
        As `models.reasons.reasons` returns it, but in the card's points: ``points`` are those that
        the rule gives today, and ``contribution``, which is log-odds, is null.

    Examples
    --------
    >>> spec = FeatureSpec("visits", "visits", "behaviour", "number", "{value:.0f} visits")
    >>> leads = pa.table({"visits": [4.0, 1.0]})
    >>> rule_reasons(leads, [Rule("visits", 20, at_least=3)], {"visits": spec})["sentence"].to_pylist()
    ['4 visits']
    """
    points = np.array([rule.given(table) for rule in rules]).reshape(len(rules), -1).T
    found = [
        reason
        for row in range(table.num_rows)
        for reason in _of_row(row, points[row], most_for=most_for, most_against=most_against)
    ]
    values = {rule.feature: table.column(rule.feature).to_pylist() for rule in rules}
    told = []
    for row, rank, place in found:
        rule = rules[place]
        spec, value, left = specs[rule.feature], values[rule.feature][row], float(points[row, place])
        said = _faded(sentence(rule, spec, value, language), rule, left, language)
        told.append({**_told(row, rank, rule, spec, value), "points": left, "sentence": said})
    return pa.Table.from_pylist(told, schema=SCHEMA)


def sentence(rule: Rule, spec: FeatureSpec, value: object, language: str = "en") -> str:
    """A rule in words: its label, or the sentence of its feature."""
    if rule.label:
        return rule.label
    if value is None or value != value:  # NaN  # noqa: PLR0124
        return around(NOT_KNOWN, language, sentence=spec.sentence(None, language))
    return spec.sentence(value, language)


def _faded(said: str, rule: Rule, points: float, language: str) -> str:
    """The sentence with what is left of the points, in whole ones; alone if all are."""
    left, full = round(points), round(rule.points)
    if left == full:
        return said
    return around(POINTS_LEFT, language, sentence=said, left=str(left), full=str(full))


def _of_row(row: int, points: np.ndarray, *, most_for: int, most_against: int) -> list[tuple[int, int, int]]:
    """Row, rank in the row from 1, and place of the rule: those for first, most points first."""
    order = np.argsort(-np.abs(points), kind="stable")
    pros = [int(place) for place in order if points[place] > 0][:most_for]
    cons = [int(place) for place in order if points[place] < 0][:most_against]
    return [(row, rank, place) for rank, place in enumerate([*pros, *cons], start=1)]


def _told(row: int, rank: int, rule: Rule, spec: FeatureSpec, value: object) -> dict[str, object]:
    return {
        "row": row,
        "rank_in_row": rank,
        "direction": "for" if rule.points > 0 else "against",
        "family": spec.family,
        "stem": spec.stem,
        "feature": spec.name,
        "value": "" if value is None else f"{value:g}" if isinstance(value, float) else str(value),
        "contribution": None,
    }
