"""What would help: the one change within the team's hands that the model would welcome most.

Only values that earlier leads really had are tried, one feature at a time. It says how the model ranks leads
that differ in it, not what doing it would cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.evidence import Evidence
from models.reasons import CHANGEABLE_FAMILIES
from models.scoring import Scorer

LEAST_POINTS = 0.5  # percentage points; less is no advice


@dataclass(frozen=True)
class Improvement:
    """One change and what the model expects of it.

    Attributes
    ----------
    feature
        Name of the feature.
    value
        The value that earlier leads had.
    points
        Percentage points of probability above the lead's own.
    now, then
        Sentences of the feature with the lead's value (None if it is unknown) and with the other.
    leads
        Earlier leads with such a value.
    """

    feature: str
    value: float
    points: float
    now: str | None
    then: str
    leads: int


def best_improvement(
    scorer: Scorer, evidence: Evidence, lead: pa.Table, *, floor: int, language: str = "en"
) -> Improvement | None:
    """The changeable feature whose other value raises the probability most; None if none does much.

    Parameters
    ----------
    scorer
        The model that ranked the lead.
    evidence
        The evidence that it keeps.
    lead
        Its features, one row.
    floor
        Earlier leads that a value needs.
    language
        Of the sentences.
    """
    tried = list(_candidates(scorer.bundle.specs, evidence, floor))
    if not tried:
        return None
    rows = pa.concat_tables([lead, *(_with(lead, name, value) for name, value, _ in tried)])
    chance = scorer.score(rows).probability
    points = 100 * (chance[1:] - chance[0])
    best = int(np.argmax(points))
    if not points[best] >= LEAST_POINTS:
        return None
    name, value, leads = tried[best]
    spec = next(spec for spec in scorer.bundle.specs if spec.name == name)
    (known,) = lead.column(name).to_pylist()
    return Improvement(
        feature=name,
        value=value,
        points=float(points[best]),
        now=None if known is None else spec.sentence(known, language),
        then=spec.sentence(value, language),
        leads=leads,
    )


def _candidates(
    specs: Sequence[FeatureSpec], evidence: Evidence, floor: int
) -> Iterator[tuple[str, float, int]]:
    """Feature, value and earlier leads of every change that may be tried."""
    for spec, bins in zip(specs, evidence.features, strict=False):
        if spec.family in CHANGEABLE_FAMILIES and bins.edges is not None:
            for middle, leads in zip(bins.middles, bins.leads, strict=True):
                if middle is not None and leads >= floor:
                    yield spec.name, middle, leads


def _with(lead: pa.Table, name: str, value: float) -> pa.Table:
    column = lead.schema.field(name)
    place = lead.column_names.index(name)
    return lead.set_column(place, column, pa.array([value], column.type))
