"""The model card: what a model was made from, how good it was on later leads, and what it does not know.

After Mitchell et al., Model Cards for Model Reporting (FAT* 2019). Everything is a function of what the
training reported; no value of a single lead is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.audit.audit import Audit
from models.bundle import Bundle
from models.cards.limits import Facts, limits
from models.fitting.monotone import MONOTONE
from models.labels import marked
from models.metrics import Vector, interval, measure
from models.phrases import Phrase
from models.promoting.paired import Numbers
from models.segments.cut import Texts
from models.segments.floor import floor_of
from models.segments.reliability import reliability
from models.weights import mean, per_row

BINS = 10
FURTHER = ("horizons", "stages", "tags")
RESAMPLES = 100  # of each slice: there may be dozens


@dataclass(frozen=True)
class LaterRows:
    """The rows of the forward test, shape (n,) each: label, probability, lead, slice by name, and weight.

    A weight of None is once.
    """

    label: Vector
    probability: Vector
    leads: Numbers
    segments: Mapping[str, Texts]
    weight: Vector | None = None

    def weight_of(self, rows: Any) -> Vector | None:
        """How often some rows count."""
        return None if self.weight is None else self.weight[rows]


def card(
    bundle: Bundle,
    facts: Facts,
    tested: LaterRows,
    audit: Audit,
    figures: Mapping[str, Mapping[str, Any]],
    *,
    further: Mapping[str, Any],
    min_slice_outcomes: int,
) -> dict[str, Any]:
    """The card as plain data.

    Parameters
    ----------
    facts
        What the training reported.
    tested
        Rows of the forward test.
    figures
        By contender, the model first: numbers, or ``value``, ``low`` and ``high``.
    further
        ``horizons``, ``stages`` and ``tags`` by name, as the training reported them.
    min_slice_outcomes
        Rows of the rarer outcome without which a slice is not judged.

    Returns
    -------
    dict
        ``name``, ``predicts``, ``digest``, ``data``, ``families`` (features by family), ``monotone``
        (features held to a direction, by direction), ``figures``, ``slices`` (each with what
        `models.segments.reliability.reliability` says of it), ``horizons``, ``stages``, ``tags``,
        ``calibration``, ``leaks``, ``views`` (of the whole model; empty if nobody looked), ``limits``.
    """
    target = bundle.target
    slices = list(_slices(tested, least=min_slice_outcomes))
    return {
        "name": facts.model,
        "predicts": _predicts(target.stage, target.horizon_days),
        "digest": bundle.digest,
        "data": {
            "tables": list(facts.tables),
            "rows": bundle.window.rows,
            "positives": bundle.window.positives,
            "base_rate": facts.base_rate,
            "first_as_of": bundle.window.first_as_of,
            "last_as_of": bundle.window.last_as_of,
            "undecided_left_out": facts.undecided,
            "drawn_from": facts.drawn_from,
        },
        "families": dict(Counter(spec.family for spec in bundle.specs).most_common()),
        "monotone": bundle.extras.get(MONOTONE, {}),
        "figures": {name: dict(found) for name, found in figures.items()},
        "slices": slices,
        **{part: {name: dict(found) for name, found in further[part].items()} for part in FURTHER},
        "calibration": calibration(tested.label, tested.probability, tested.weight),
        "leaks": [
            {"column": report.column, "verdict": report.verdict, "evidence": report.evidence}
            for report in audit.columns
            if report.verdict != "keep"
        ],
        "views": dict(facts.views),
        "limits": list(limits(facts, audit, figures, slices, floor_of(bundle))),
    }


def _predicts(stage: str, horizon_days: float | None) -> Phrase:
    if horizon_days is None:
        return Phrase("probability that a lead reaches the stage '{stage}'", stage=stage)
    text = marked("probability that a lead reaches the stage '{stage}' within {days:g} days")
    return Phrase(text, stage=stage, days=horizon_days)


def calibration(label: Vector, probability: Vector, weight: Vector | None = None) -> list[dict[str, float]]:
    """Mean forecast, rate and rows of ten bins of equal count, from the lowest forecast up.

    Means count each row by its weight, shape (n,); None is once.
    """
    counts = per_row(weight, len(label))
    order = np.argsort(probability, kind="stable")
    return [
        {
            "forecast": mean(probability[places], counts[places]),
            "rate": mean(label[places], counts[places]),
            "rows": len(places),
        }
        for places in np.array_split(order, min(BINS, len(order)))
    ]


def _slices(tested: LaterRows, *, least: int) -> Iterator[dict[str, Any]]:
    for name, values in tested.segments.items():
        for value in sorted(set(values)):
            rows = values == value
            yield {"slice": name, "value": str(value), **_slice(tested, rows, least=least)}


def _slice(tested: LaterRows, rows: Any, *, least: int) -> dict[str, Any]:
    label, chance, leads = tested.label[rows], tested.probability[rows], tested.leads[rows]
    positives, weight = int(label.sum()), tested.weight_of(rows)
    told: dict[str, Any] = {
        **reliability(label, chance, leads, weight=weight),
        "is_judged": min(positives, len(label) - positives) >= least,
        "roc_auc": None,
    }
    if told["is_judged"]:
        low, high = interval(label, chance, leads, weight=weight, resamples=RESAMPLES)["roc_auc"]
        value = measure(label, chance, weight=weight).roc_auc
        told["roc_auc"] = {"value": value, "low": low, "high": high}
    return told
