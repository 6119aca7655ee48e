"""One lead's way through a model: each feature with its value and what it adds, up to the probability."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from models.explaining import Explainer
from models.reasons import family_totals


def traced(explainer: Explainer, row: pa.Table, *, language: str = "en") -> dict[str, Any]:
    """The numbers of one row, each made of the ones before it.

    Parameters
    ----------
    row
        Features of one lead.
    language
        Of the sentences.

    Returns
    -------
    dict
        ``features``, the strongest first: ``name``, ``family``, ``value`` as built, ``sentence`` (None for an
        unknown value) and ``contribution`` (log-odds); ``families``; ``base``; ``margin``, their sum;
        ``curve``: knots from the margin to the log-odds of the probability; ``probability`` with
        ``probability_low`` and ``probability_high``, and ``score``.
    """
    explained = explainer.explain(row)
    (contributions,) = explained.contributions
    scores = explained.scores
    specs = explainer.bundle.specs
    values = [row.column(spec.name)[0].as_py() for spec in specs]
    features = [
        {
            "name": spec.name,
            "family": spec.family,
            "value": value,
            "sentence": None if value is None else spec.sentence(value, language),
            "contribution": float(added),
        }
        for spec, value, added in zip(specs, values, contributions, strict=True)
    ]
    totals = family_totals(explained.contributions, specs)
    return {
        "features": sorted(features, key=lambda feature: -abs(feature["contribution"])),
        "families": {family: float(total[0]) for family, total in totals.items()},
        "base": explained.base,
        "margin": float(scores.margin[0]),
        "curve": explainer.bundle.target.calibration.as_json(),
        "probability": float(scores.probability[0]),
        "probability_low": float(scores.low[0]),
        "probability_high": float(scores.high[0]),
        "score": float(scores.score[0]),
    }
