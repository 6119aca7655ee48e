"""A challenger on trial: it scores the leads that the champion ranked, and only how the two differ is kept.

No lead's id and no lead's probability leaves this module: what is kept are sums, shares and quantiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import StorageError
from models.backtests.slices import AGE
from models.bundle import Bundle
from models.metrics import Vector
from models.scoring import Scorer
from models.segments.cut import COLUMNS, Texts, segments
from serve import part_rows
from serve.gates.distances import counts, psi

CHUNK_ROWS = 20_000
FIRST, MOVED = 0.1, 0.1
LEAST_LEADS = 20
"""Leads without which a slice is not told: of a few, a mean is nearly a lead's own figure."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_BEST_FIRST = [("probability", "descending"), ("margin", "descending"), ("lead_id", "ascending")]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Both:
    """What champion and challenger say of the same n leads, shape (n,) each.

    Attributes
    ----------
    rank, shadow_rank
        Place by the champion and by the challenger, from 1.
    probability, shadow_probability
        Theirs; the champion's is NaN where it is withheld.
    slices
        Part of each lead, by the name of what they are cut by.
    """

    rank: Numbers
    shadow_rank: Numbers
    probability: Vector
    shadow_probability: Vector
    slices: Mapping[str, Texts]


def both(bundle: Bundle, run: Path, more: Path | None) -> Both:
    """Let a challenger score the leads of a published run.

    Parameters
    ----------
    bundle
        The challenger.
    run
        Folder of the run: its ``features.parquet`` and ``ranking.parquet`` are read.
    more
        Parquet file with features of the challenger, row by row for those of the run; a column in both
        counts as it stands here. None: the run has all of them.

    Raises
    ------
    StorageError
        The files are not of the same leads.
    ModelError
        A feature of the challenger is in neither file.
    """
    scorer, said = Scorer(bundle), []
    for rows in _rows(run / "features.parquet", more):
        scores = scorer.score(rows)
        said.append(
            pa.table({
                "lead_id": rows.column("lead_id"),
                "probability": scores.probability,
                "margin": scores.margin,
            })
        )  # fmt: skip
    shadow = pa.concat_tables(said)
    order = pc.sort_indices(shadow, sort_keys=_BEST_FIRST).to_numpy()
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(1, len(order) + 1)
    ranked = _columns(run / "ranking.parquet", "lead_id", "rank", "probability")
    where = pc.index_in(shadow.column("lead_id"), value_set=ranked.column("lead_id"))
    if where.null_count or ranked.num_rows != shadow.num_rows:
        raise StorageError("the ranking and the features are of other leads", hint="score the night again")
    ranked = ranked.take(where)
    return Both(
        rank=np.asarray(ranked.column("rank").to_numpy(), dtype=np.int64),
        shadow_rank=places,
        probability=np.asarray(ranked.column("probability").to_numpy(), dtype=np.float64),
        shadow_probability=np.asarray(shadow.column("probability").to_numpy(), dtype=np.float64),
        slices=segments(_cut_by(run / "features.parquet")),
    )


def difference(found: Both, *, calls: int | None) -> dict[str, Any]:
    """How the challenger's list differs from the champion's, as figures that name nobody.

    Parameters
    ----------
    calls
        Leads that are called tonight; None: nobody says.

    Returns
    -------
    dict
        ``leads``; ``rank_correlation`` (Spearman's); ``first_tenth`` and ``calls`` (``leads``, and
        ``same_share`` of them that both have there; ``calls`` may be None); ``moved`` (``leads`` whose place
        changes by more than a tenth of the list, and their ``share``); ``mean_probability``,
        ``expected_wins`` and ``expected_wins_first_tenth`` (``champion``, ``challenger``; each by its own
        probabilities, of the leads that have one); ``quantiles`` of the probability and ``psi`` between
        them; ``slices`` (``slice``, ``value``, ``leads``, and mean probability and leads in the first tenth
        of both) with 20 leads or more.
    """
    leads = len(found.rank)
    tenth = _first(leads)
    known = ~np.isnan(found.probability)
    sides = {"champion": found.probability, "challenger": found.shadow_probability}
    first = {"champion": found.rank <= tenth, "challenger": found.shadow_rank <= tenth}
    moved = int((np.abs(found.rank - found.shadow_rank) > MOVED * leads).sum())
    return {
        "leads": leads,
        "rank_correlation": rank_correlation(found.rank, found.shadow_rank),
        "first_tenth": _same(found, tenth),
        "calls": None if not calls else _same(found, min(calls, leads)),
        "moved": {"leads": moved, "share": moved / leads},
        "mean_probability": {side: _mean(chance[known]) for side, chance in sides.items()},
        "expected_wins": {side: float(chance[known].sum()) for side, chance in sides.items()},
        "expected_wins_first_tenth": {
            side: float(chance[known & first[side]].sum()) for side, chance in sides.items()
        },
        "quantiles": [
            {"share": share, **{side: _quantile(chance[known], share) for side, chance in sides.items()}}
            for share in QUANTILES
        ],
        "psi": psi(*counts(*(pa.chunked_array([sides[side][known]]) for side in ("champion", "challenger"))))
        if known.any()
        else None,
        "slices": list(_slices(found, known, sides, first)),
    }


def rank_correlation(before: Numbers, after: Numbers) -> float | None:
    """Spearman's coefficient of two orders without ties, shape (n,) from 1; None for fewer than two.

    Source: Spearman (1904), *The proof and measurement of association between two things*.

    >>> rank_correlation(np.array([1, 2, 3]), np.array([3, 2, 1]))
    -1.0
    """
    count = len(before)
    if count <= 1:
        return None
    apart = (before - after).astype(np.float64)
    return float(1 - 6 * (apart**2).sum() / (count * (count**2 - 1)))


def _same(found: Both, most: int) -> dict[str, Any]:
    both_have = int(((found.rank <= most) & (found.shadow_rank <= most)).sum())
    return {"leads": most, "same_share": both_have / most}


def _slices(
    found: Both, known: Any, sides: Mapping[str, Vector], first: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for name, values in found.slices.items():
        for value in sorted(set(values)):
            rows = values == value
            if int(rows.sum()) >= LEAST_LEADS:
                yield {
                    "slice": name,
                    "value": str(value),
                    "leads": int(rows.sum()),
                    "mean_probability": {side: _mean(chance[rows & known]) for side, chance in sides.items()},
                    "first_tenth": {side: int((rows & best).sum()) for side, best in first.items()},
                }


def _first(leads: int) -> int:
    return max(1, round(FIRST * leads))


def _mean(chances: Vector) -> float | None:
    return float(chances.mean()) if len(chances) else None


def _quantile(chances: Vector, share: float) -> float | None:
    return float(np.quantile(chances, share)) if len(chances) else None


def _rows(features: Path, more: Path | None) -> Iterator[pa.Table]:
    """The rows of both files side by side, so many at once that memory does not grow with their number."""
    if more is None:
        yield from _pieces(features)
        return
    for one, other in zip_longest(_pieces(features), _pieces(more)):
        if one is None or other is None or not other.column("lead_id").equals(one.column("lead_id")):
            raise StorageError("two files of features are of other leads", hint="score the night again")
        rows = other
        for name in one.column_names:
            if name not in other.column_names:
                rows = rows.append_column(name, one.column(name))
        yield rows


def _pieces(path: Path) -> Iterator[pa.Table]:
    """The rows of a file, `CHUNK_ROWS` at a time however they are grouped, so that two files go together."""
    held = None
    for _, new in part_rows.chunks(path, CHUNK_ROWS):
        held = new if held is None else pa.concat_tables([held, new])
        while held.num_rows >= CHUNK_ROWS:
            yield held.slice(0, CHUNK_ROWS)
            held = held.slice(CHUNK_ROWS)
    if held is not None and held.num_rows:
        yield held


def _cut_by(features: Path) -> pa.Table:
    """The columns that leads are cut by."""
    there = part_rows.schema(features).names
    return _columns(features, *(name for name in (*COLUMNS, AGE) if name in there))


def _columns(file: Path, *names: str) -> pa.Table:
    return pa.table({name: part_rows.column(file, name) for name in names})
