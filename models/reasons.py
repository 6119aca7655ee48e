"""From contributions to reasons: the few sentences that say why a lead stands where it stands.

The features of one stem (7, 30, 90 days) speak with one sentence; a missing value is never a reason.
Everything is done column by column; only the chosen few become text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue import FeatureSpec

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]
Calibrate: TypeAlias = Callable[[Floats], Floats]

SCHEMA = pa.schema(
    {
        "row": pa.int64(),
        "rank_in_row": pa.int64(),
        "direction": pa.string(),
        "family": pa.string(),
        "stem": pa.string(),
        "feature": pa.string(),
        "value": pa.string(),
        "contribution": pa.float64(),
        "points": pa.float64(),
        "sentence": pa.string(),
    }
)
LEAST = 0.01  # log-odds; less moves no probability by more than about a quarter of a point


def family_totals(values: Floats, specs: Sequence[FeatureSpec]) -> dict[str, Floats]:
    """Sum of the contributions of each family.

    Parameters
    ----------
    values
        Contributions, shape (n, k), log-odds.
    specs
        The k features, in the order of the columns.

    Returns
    -------
    dict
        Shape (n,) by family, log-odds; base plus all of them is the margin.
    """
    families = dict.fromkeys(spec.family for spec in specs)
    return {
        family: values[:, [place for place, spec in enumerate(specs) if spec.family == family]].sum(axis=1)
        for family in families
    }


def reasons(
    values: Floats,
    table: pa.Table,
    specs: Sequence[FeatureSpec],
    *,
    margin: Floats,
    calibrate: Calibrate,
    most_for: int = 3,
    most_against: int = 2,
) -> pa.Table:
    """The strongest reasons for and against each lead.

    Parameters
    ----------
    values
        Contributions, shape (n, k), log-odds.
    table
        The n leads with their k features as they were built, not encoded; null means unknown.
    specs
        The k features, in the order of the columns of ``values``.
    margin
        Shape (n,), log-odds.
    calibrate
        Margins to probabilities, both of shape (m,).
    most_for, most_against
        Reasons per lead that raise and that lower the margin.

    Returns
    -------
    Table
        One row per reason, sorted by ``row`` (place of the lead, from 0) and ``rank_in_row`` (from 1: those
        ``for``, strongest first, then those ``against``). ``contribution`` is the sum over the known
        features of the stem, in log-odds; ``feature`` and ``value`` are the one that pulls hardest in that
        direction. ``points``: percentage points that the probability would lose without this contribution.
    """
    known = ~np.column_stack([_missing(table, spec.name) for spec in specs])
    voices = np.where(known, values, 0.0)
    group, stems = _stems(specs)
    sums = voices @ np.eye(len(stems))[group]
    row, stem = _chosen(sums, most_for, most_against)
    strength = sums[row, stem]
    member = _speakers(voices, stems, row=row, stem=stem, strength=strength)
    value, sentence = _said(table, specs, row, member)
    return pa.table(
        {
            "row": row,
            "rank_in_row": _rank(row),
            "direction": np.where(strength > 0, "for", "against").tolist(),
            "family": [specs[place].family for place in member],
            "stem": [specs[place].stem for place in member],
            "feature": [specs[place].name for place in member],
            "value": value,
            "contribution": strength,
            "points": 100 * (calibrate(margin[row]) - calibrate(margin[row] - strength)),
            "sentence": sentence,
        },
        schema=SCHEMA,
    )


def _missing(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray(table.column(name).is_null(nan_is_null=True).to_numpy(), dtype=bool)


def _stems(specs: Sequence[FeatureSpec]) -> tuple[Places, list[Places]]:
    """The stem of each feature as a number, and the places of the members of each stem."""
    number: dict[tuple[str, str], int] = {}
    group = np.array([number.setdefault((s.family, s.stem), len(number)) for s in specs], dtype=np.int64)
    return group, [np.flatnonzero(group == g) for g in range(len(number))]


def _chosen(sums: Floats, most_for: int, most_against: int) -> tuple[Places, Places]:
    """Row and stem of each reason, by row, those for first, strongest first; ties by place of the stem."""
    pieces = [_strongest(sums, most_for), _strongest(-sums, most_against)]
    row, stem = (np.concatenate([piece[part] for piece in pieces]) for part in (0, 1))
    order = np.argsort(row, kind="stable")
    return row[order], stem[order]


def _strongest(sums: Floats, most: int) -> tuple[Places, Places]:
    """The ``most`` largest of each row that are at least ``LEAST``."""
    most = min(most, sums.shape[1])
    if most == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    top = np.sort(np.argpartition(-sums, most - 1, axis=1)[:, :most], axis=1)  # sorted: ties by place
    found = np.take_along_axis(sums, top, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    row, place = np.nonzero(np.take_along_axis(found, order, axis=1) >= LEAST)
    return row, np.take_along_axis(top, order, axis=1)[row, place]


def _speakers(voices: Floats, stems: list[Places], *, row: Places, stem: Places, strength: Floats) -> Places:
    """The feature that speaks for each reason: the one that pulls hardest in its direction."""
    member = np.empty(len(row), dtype=np.int64)
    for number in np.unique(stem):
        mine = np.flatnonzero(stem == number)
        pulls = voices[np.ix_(row[mine], stems[number])] * np.sign(strength[mine])[:, None]
        member[mine] = stems[number][pulls.argmax(axis=1)]
    return member


def _said(
    table: pa.Table, specs: Sequence[FeatureSpec], row: Places, member: Places
) -> tuple[list[str], list[str]]:
    """Value and sentence of each reason."""
    value, sentence = [""] * len(row), [""] * len(row)
    for place in np.unique(member):
        spec, mine = specs[place], np.flatnonzero(member == place)
        found = table.column(spec.name).take(pa.array(row[mine])).to_pylist()
        for reason, raw in zip(mine, found, strict=True):
            value[reason], sentence[reason] = _text(raw), spec.sentence(raw)
    return value, sentence


def _text(value: object) -> str:
    """A value in words of its own: whole numbers without a point, others to four decimals."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 4))
    return str(value)


def _rank(row: Places) -> Places:
    """1, 2, 3 … within each run of equal rows."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    return np.arange(len(row)) - np.repeat(starts, np.diff(starts, append=len(row))) + 1
