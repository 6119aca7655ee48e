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
from models.evidence import FIGURES, Backing

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]
Calibrate: TypeAlias = Callable[[Floats], Floats]
Stem: TypeAlias = tuple[str, str]
"""Family and stem: what one reason is about."""

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
        "is_changeable": pa.bool_(),
        "evidence_rate": pa.float64(),
        "evidence_low": pa.float64(),
        "evidence_high": pa.float64(),
        "evidence_leads": pa.int64(),
    }
)
CHANGEABLE_FAMILIES = ("follow_up",)
"""What the team itself did or left undone; everything else is a fact about the lead."""
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
    families = list(dict.fromkeys(spec.family for spec in specs))
    group = np.array([families.index(spec.family) for spec in specs], dtype=np.int64)
    totals = _totals(values, group, len(families))
    return {family: np.ascontiguousarray(totals[:, place]) for place, family in enumerate(families)}


def reasons(  # noqa: PLR0913  # keyword-only, each named at the call
    values: Floats,
    table: pa.Table,
    specs: Sequence[FeatureSpec],
    *,
    margin: Floats,
    calibrate: Calibrate,
    backing: Backing | None = None,
    most_for: int = 3,
    most_against: int = 2,
    language: str = "en",
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
    backing
        What became of earlier leads with the same values; None for nothing.
    most_for, most_against
        Reasons per lead that raise and that lower the margin.
    language
        Of the sentences: ``en``, ``zh`` or ``ru``.

    Returns
    -------
    Table
        One row per reason, sorted by ``row`` (place of the lead, from 0) and ``rank_in_row`` (from 1: those
        ``for``, strongest first, then those ``against``). ``contribution`` is the sum over the known
        features of the stem, in log-odds; ``feature`` and ``value`` are the one that pulls hardest in that
        direction. ``points``: percentage points that the probability would lose without this contribution.
        ``is_changeable``: whether it is of the team's own doing. ``evidence_rate`` with ``evidence_low`` and
        ``evidence_high`` (0 to 1, a 95 % interval) and ``evidence_leads``: how many earlier leads had such a
        value, and what share of them converted; null without enough of them.
    """
    voices = _voices(values, table, specs)
    group, stems = _stems(specs)
    sums = _totals(voices, group, len(stems))
    row, stem = _chosen(sums, most_for, most_against)
    strength = sums[row, stem]
    member = _speakers(voices, stems, row=row, stem=stem, strength=strength)
    value, sentence = _said(table, specs, row, member, language)
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
            "is_changeable": [specs[place].family in CHANGEABLE_FAMILIES for place in member],
            **_evidence(backing, row, member),
        },
        schema=SCHEMA,
    )


def first_stems(
    values: Floats, table: pa.Table, specs: Sequence[FeatureSpec], *, most: int
) -> tuple[list[Stem], Places]:
    """What the strongest reasons for each lead are about, as `reasons` chooses them.

    Parameters
    ----------
    values, table, specs
        As for `reasons`.
    most
        Reasons per lead.

    Returns
    -------
    stems, places
        The stems, and for each lead the places of its reasons among them, shape (n, most), strongest first;
        -1 where it has fewer.
    """
    group, stems = _stems(specs)
    sums = _totals(_voices(values, table, specs), group, len(stems))
    row, stem = _strongest(sums, most)
    places = np.full((len(values), most), -1, dtype=np.int64)
    places[row, _rank(row) - 1] = stem
    return list(dict.fromkeys((spec.family, spec.stem) for spec in specs)), places


def _voices(values: Floats, table: pa.Table, specs: Sequence[FeatureSpec]) -> Floats:
    """The contributions of what is known: a missing value is never a reason."""
    known = ~np.column_stack([_missing(table, spec.name) for spec in specs])
    return np.where(known, values, 0.0)


def _totals(values: Floats, group: Places, groups: int) -> Floats:
    """The sum of the columns of each group, shape (n, groups).

    Column by column: a product of matrices, and ``sum(axis=1)`` of a row alone, add in another order where
    there are other rows, and the last bits of a lead would depend on whom it is scored with.
    """
    totals = np.zeros((len(values), groups), order="F")
    for place, number in enumerate(group):
        totals[:, number] += values[:, place]
    return totals


def _missing(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    column = table.column(name)
    if column.type == pa.float64():
        return np.asarray(np.isnan(column.to_numpy()), dtype=bool)  # a null is NaN there
    return np.asarray(column.is_null(nan_is_null=True).to_numpy(), dtype=bool)


def _stems(specs: Sequence[FeatureSpec]) -> tuple[Places, list[Places]]:
    """The stem of each feature as a number, and the places of the members of each stem."""
    members: dict[Stem, list[int]] = {}
    for place, spec in enumerate(specs):
        members.setdefault((spec.family, spec.stem), []).append(place)
    number = {stem: place for place, stem in enumerate(members)}
    group = np.array([number[spec.family, spec.stem] for spec in specs], dtype=np.int64)
    return group, [np.array(places, dtype=np.int64) for places in members.values()]


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
    table: pa.Table, specs: Sequence[FeatureSpec], row: Places, member: Places, language: str
) -> tuple[pa.Array, pa.Array]:
    """Value and sentence of each reason; what many leads share is put into words once."""
    values, sentences = [pa.array([], pa.string())], [pa.array([], pa.string())]
    order = np.argsort(member, kind="stable")
    for mine in _runs(member[order], order):
        spec = specs[member[mine[0]]]
        found = table.column(spec.name).take(pa.array(row[mine])).combine_chunks().dictionary_encode()
        words = found.dictionary.to_pylist()
        values.append(pa.array([_text(word) for word in words], pa.string()).take(found.indices))
        spoken = map(spec.speaker(language), words)
        sentences.append(pa.array(spoken, pa.string()).take(found.indices))
    back = pa.array(np.argsort(order, kind="stable"))
    return pa.concat_arrays(values).take(back), pa.concat_arrays(sentences).take(back)


def _evidence(backing: Backing | None, row: Places, member: Places) -> dict[str, pa.Array]:
    """What became of leads like these, by column; null where nothing is known."""
    figures = {name: np.full(len(row), np.nan) for name in FIGURES}
    if backing is not None:
        order = np.argsort(member, kind="stable")
        for mine in _runs(member[order], order):
            for name, figure in backing.of(row[mine], int(member[mine[0]])).items():
                figures[name][mine] = figure
    told = {name: pa.array(figure, from_pandas=True) for name, figure in figures.items()}
    return {f"evidence_{name}": array for name, array in told.items()} | {
        "evidence_leads": told["leads"].cast(pa.int64())
    }


def _runs(keys: Places, places: Places) -> list[Places]:
    """The places of each run of equal keys."""
    return [run for run in np.split(places, np.flatnonzero(np.diff(keys)) + 1) if len(run)]


def _text(value: object) -> str:
    """A value in words of its own: whole numbers without a point, others to four decimals."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 4))
    return str(value)


def _rank(row: Places) -> Places:
    """1, 2, 3 … within each run of equal rows."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    return np.arange(len(row)) - np.repeat(starts, np.diff(starts, append=len(row))) + 1
