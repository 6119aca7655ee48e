"""Gates of the features: values that are missing, categories nobody knew, distributions that moved.

Tonight's feature table is held against that of the run before, column by column, so that memory holds two
columns at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import FeatureSpec
from models.binning import is_text
from serve import part_rows
from serve.gates.distances import counts, js, psi
from serve.gates.finding import Finding
from serve.gates.limits import Limits

FEWEST_LEADS = 100
"""In either run; a distribution of fewer says little."""


def features(
    before: Path,
    now: Path,
    specs: Sequence[FeatureSpec],
    known: Mapping[str, Sequence[str]],
    limits: Limits,
    *,
    shared: Collection[str] = (),
) -> Iterator[Finding]:
    """What moved between two feature tables; nothing where either has under `FEWEST_LEADS` rows.

    Parameters
    ----------
    before, now
        Parquet files, or their parts; a feature that one of them does not have is not compared.
    specs
        Features of the ranker.
    known
        Values that training knew, by category.
    shared
        Features whose value is one number for many leads at once: they move every night, so they have no
        gate ``drift``.
    """
    if min(part_rows.rows(before), part_rows.rows(now)) < FEWEST_LEADS:
        return
    both = set(part_rows.schema(before).names) & set(part_rows.schema(now).names)
    for spec in specs:
        if spec.name in both:
            was, is_now = (part_rows.column(file, spec.name) for file in (before, now))
            found = _moved(spec, was, is_now, known.get(spec.name), limits)
            yield from (one for one in found if one.gate != "drift" or spec.name not in shared)


def _moved(
    spec: FeatureSpec, old: pa.ChunkedArray, new: pa.ChunkedArray, known: Sequence[str] | None, limits: Limits
) -> Iterator[Finding]:
    missing = [column.null_count / len(column) for column in (old, new)]
    if missing[1] - missing[0] > limits.null_rise:
        yield _risen("nulls", spec.name, "without a value of", missing, limits.null_rise)
        return  # which moves the distribution too
    if known is not None:
        unseen = [_unseen(column, known) for column in (old, new)]
        if unseen[1] - unseen[0] > limits.unseen_rise:
            yield _risen("unseen", spec.name, "with a new category of", unseen, limits.unseen_rise)
            return
    if is_text(new.type):
        name, distance, limit = "JS", js(*counts(old, new)), limits.category_drift
    else:
        name, distance, limit = "PSI", psi(*counts(old, new)), limits.drift
    if distance > limit:
        reason = f"'{spec.name}' has moved since the run before: {name} {distance:.2f}, limit {limit:g}"
        yield Finding("drift", spec.name, reason, distance, limit)


def _risen(gate: str, name: str, words: str, shares: Sequence[float], limit: float) -> Finding:
    reason = f"{shares[1]:.0%} of the leads are {words} '{name}', {shares[0]:.0%} in the run before"
    return Finding(gate, name, reason, shares[1] - shares[0], limit)


def _unseen(column: pa.ChunkedArray, known: Sequence[str]) -> float:
    """Share of all rows with a value that is not among the known ones."""
    if not len(column):
        return 0.0
    is_known = pc.is_in(column, value_set=pa.array(known, column.type))
    unseen = pc.and_(pc.invert(is_known), column.is_valid())
    return float(pc.sum(unseen).as_py() or 0) / len(column)
