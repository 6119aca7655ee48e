"""A points card learned from history: at most 20 lines of whole points, each feature pulling one way.

For teams that want to read the whole model on one page. Lines are added one by one, the strongest first; how
many are worth their place is read from later rows. It is judged on the rows that judge the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.calibration import Calibration
from models.cards.forward_test import lead_numbers
from models.curves.choice import platt
from models.fitting.newton import attainable_loss, is_clearly_greater, rising_fit, sigmoid
from models.further.first_pass import FirstPass
from models.metrics import Vector, interval, measure
from models.points.lines import Line, line_sentence, lines
from models.points.rule import Rule
from models.points.scorecard import HIGHEST, uncut
from models.promoting.paired import Pair, differences
from models.weights import effective, mean

LEARNED_CARD = "learned_card"
"""Under this name a bundle keeps its card, and a training report the figures of it."""
MOST_LINES = 20
MOST_ROWS = 20_000  # the latest; more change nothing but the time
LEAST_STRENGTH = 2.0  # standard errors that a line must be away from nothing
PRIOR_ROWS = 20.0  # rows at even odds that speak against any points
CAPACITY = 0.2


@dataclass(frozen=True)
class LearnedCard:
    """The card.

    Attributes
    ----------
    rules
        Lines with whole points, most points first; they can stand in ``scorecard.rules``.
    points_per_log_odds
        Points that one unit of log-odds became.
    calibration
        Curve from log-odds to probability.
    """

    rules: tuple[Rule, ...]
    points_per_log_odds: float
    calibration: Calibration

    def probability(self, table: pa.Table) -> Vector:
        """Calibrated probability of each row by its points, shape (n,)."""
        return self.calibration.apply(uncut(table, self.rules) / self.points_per_log_odds)

    def as_json(self) -> dict[str, Any]:
        """Plain data; :meth:`from_json` brings the card back."""
        return {
            "rules": [rule.as_json() for rule in self.rules],
            "points_per_log_odds": self.points_per_log_odds,
            "calibration": self.calibration.as_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LearnedCard:
        """The card that :meth:`as_json` described."""
        return cls(
            tuple(Rule(**rule) for rule in data["rules"]),
            float(data["points_per_log_odds"]),
            Calibration.from_json(data["calibration"]),
        )


@dataclass(frozen=True)
class Judged:
    """A learned card and how it did on the test rows.

    Attributes
    ----------
    card
        The card.
    figures
        As the model's: ``n``, ``positives``, ``base_rate``, and ``value``, ``low``, ``high`` of each figure.
    report
        ``lines`` (``points`` and ``sentence``), ``rounding`` (what whole points changed), ``against_model``
        (the card minus the model, each with a 95 % interval over leads).
    """

    card: LearnedCard
    figures: Mapping[str, Any]
    report: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """What a bundle keeps."""
        return {**self.card.as_json(), **self.report}


def learned(
    first: FirstPass, specs: Sequence[FeatureSpec], *, resamples: int = 200, seed: int = 0
) -> Judged | None:
    """Learn a card on the train and stop slices, calibrate it on the next and judge it on the test slice.

    Parameters
    ----------
    first
        First pass of a training.
    specs
        Features that lines may read.

    Returns
    -------
    Judged or None
        None where no line is steady over time.
    """
    history, split = first.history, first.split
    seen = np.concatenate([split["train"], split["stop"]])[-MOST_ROWS:]
    border = max(1, len(seen) - len(split["stop"]))
    table, label, weight = history.table.take(seen), history.label[seen], history.weight[seen]
    offered = lines(table, label, slice(0, border), slice(border, len(seen)), specs, weight=weight)
    chosen = _worthwhile(offered, label, weight, border)
    if not chosen:
        return None
    exact = _coefficients(chosen, label, weight)
    scale = HIGHEST / max(float((exact @ _pulls(chosen)).max()), 1e-9)
    rules = _rounded(chosen, exact, scale)
    if not rules:
        return None
    before = [replace(line.rule, points=line.rule.points * c) for line, c in zip(chosen, exact, strict=True)]
    plain_card, card = _calibrated(before, 1.0, first), _calibrated(rules, scale, first)
    return _judged(card, plain_card, first, specs, resamples=resamples, seed=seed)


def _worthwhile(offered: Sequence[Line], label: Vector, weight: Vector, border: int) -> list[Line]:
    """The first lines of the greedy order, as many as later rows do not clearly ask for more."""
    order = _greedy(offered, label[:border], effective(weight[:border], border), border)
    later = label[border:]
    if later.min(initial=1) == later.max(initial=0) or not order:
        return order
    losses = []
    for count in range(1, len(order) + 1):
        values = _coefficients(order[:count], label, weight, slice(0, border))
        losses.append(attainable_loss(values @ _pulls(order[:count])[:, border:], later, weight[border:]))
    best = losses[int(np.argmin([loss.mean() for loss in losses]))]
    enough = next(count for count, loss in enumerate(losses, 1) if not is_clearly_greater(loss, best))
    return order[:enough]


def _greedy(offered: Sequence[Line], label: Vector, weight: Vector, border: int) -> list[Line]:
    """Lines in the order of what each adds to those before it, by the score test (Rao 1948)."""
    if not offered:
        return []
    pulls = _pulls(offered)[:, :border]
    chosen: list[int] = []
    chance = np.full(border, mean(label, weight))
    while len(chosen) < MOST_LINES:
        curve = weight * chance * (1 - chance)
        spread = np.abs(pulls) @ curve - (pulls @ curve) ** 2 / curve.sum()
        strength = np.round(pulls @ (weight * (label - chance)) / np.sqrt(np.maximum(spread, 1e-9)), 9)
        strength[chosen] = -np.inf
        best = int(np.argmax(strength))
        if strength[best] < LEAST_STRENGTH:
            break
        chosen.append(best)
        values, level = _fit(pulls[chosen], label, weight)
        chance = sigmoid(values @ pulls[chosen] + level)
    return [offered[place] for place in chosen]


def _pulls(chosen: Sequence[Line]) -> Vector:
    return np.stack([line.pull for line in chosen])


def _coefficients(chosen: Sequence[Line], label: Vector, weight: Vector, rows: slice = slice(None)) -> Vector:
    return _fit(_pulls(chosen)[:, rows], label[rows], weight[rows])[0]


def _fit(pulls: Vector, label: Vector, weight: Vector) -> tuple[Vector, float]:
    rows = effective(weight, len(label))
    return rising_fit(pulls, label, prior=np.zeros(len(pulls)), strength=PRIOR_ROWS, weight=rows)


def _rounded(chosen: Sequence[Line], exact: Vector, scale: float) -> list[Rule]:
    """Whole points, most first; a line that rounds to none is left out."""
    given = [
        replace(line.rule, points=float(round(line.rule.points * value * scale)))
        for line, value in zip(chosen, exact, strict=True)
    ]
    return sorted((rule for rule in given if rule.points), key=lambda rule: -rule.points)


def _calibrated(rules: Sequence[Rule], scale: float, first: FirstPass) -> LearnedCard:
    places = first.split["calibrate"]
    history = first.history
    margin = uncut(history.table.take(places), rules) / scale
    return LearnedCard(tuple(rules), scale, platt(margin, history.label[places], history.weight[places]))


def _judged(
    card: LearnedCard,
    unrounded: LearnedCard,
    first: FirstPass,
    specs: Sequence[FeatureSpec],
    *,
    resamples: int,
    seed: int,
) -> Judged:
    places = first.split["test"]
    table, label = first.history.table.take(places), first.history.label[places]
    chance, exact = card.probability(table), unrounded.probability(table)
    leads, weight = first.history.leads[places], first.history.weight[places]
    ends = interval(label, chance, leads, weight=weight, resamples=resamples, seed=seed)
    values, before = (measure(label, said, weight=weight).as_json() for said in (chance, exact))
    model = first.calibration.apply(first.margin[places])
    pair = Pair(label, model, chance, lead_numbers(table.column("lead_id")), {}, weight)
    against = differences(pair, capacity_share=CAPACITY, resamples=resamples, seed=seed)
    known = {spec.name: spec for spec in specs}
    return Judged(
        card,
        {
            "n": len(label),
            "positives": int(label.sum()),
            "base_rate": mean(label, weight),
            **{n: {"value": v, "low": ends[n][0], "high": ends[n][1]} for n, v in values.items()},
        },
        {
            "lines": [
                {"points": rule.points, "sentence": line_sentence(rule, known[rule.feature])}
                for rule in card.rules
            ],
            "rounding": {name: values[name] - before[name] for name in ("roc_auc", "log_loss", "capture_20")},
            "against_model": {
                name: {key: found[key] for key in ("difference", "low", "high")}
                for name, found in against.items()
            },
        },
    )
