"""Which figures are too far, how bad that is, and what to do: the verdict on a monitored run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.labels import marked
from models.phrases import Phrase
from serve.monitoring.drift import DRIFT, MODEL, NULLS, PSI, SCORES, UNSEEN
from serve.monitoring.figure import ALARM, LAST_WEEK, LEVELS, OK, TRAINING, WARNING, Figure, worst
from serve.monitoring.limits import DriftLimits
from serve.monitoring.newcomers import CHANCE, NEWCOMERS
from serve.monitoring.skew import SKEW

WARNS = 0.75
"""Of a limit: from there on it is a warning."""
MOST_REASONS = 10
SAYS: Mapping[tuple[str, str], str] = {
    (DRIFT, TRAINING): marked("'{subject}' is not what it was in training (PSI {value:.2f})"),
    (DRIFT, LAST_WEEK): marked("'{subject}' is not what it was a week ago (PSI {value:.2f})"),
    (SCORES, LAST_WEEK): marked("the scores are spread otherwise than a week ago (PSI {value:.2f})"),
    (NEWCOMERS, TRAINING): marked(
        "new leads of {slice} are not what such leads were in training: '{subject}' (PSI {value:.2f})"
    ),
}
OF_ALL_NEW = marked("new leads are not what they were in training: '{subject}' (PSI {value:.2f})")
OF_MODEL = {
    TRAINING: marked(
        "the features that move the ranking are not what they were in training (PSI {value:.2f})"
    ),
    LAST_WEEK: marked(
        "the features that move the ranking are not what they were a week ago (PSI {value:.2f})"
    ),
}
NULLS_ROSE = marked("{value:.0%} of the leads are without '{subject}', {against:.0%} before")
UNSEEN_ROSE = marked("{value:.0%} of the leads have a new category of '{subject}', {against:.0%} before")
SKEWED = marked(
    "'{subject}' of {value:.0%} of the leads is not what an earlier run had for the same moment: "
    "the past was overwritten, or the feature's code changed"
)
ADVICE: Mapping[tuple[str, bool], str] = {
    (OK, False): marked("nothing to do"),
    (WARNING, False): marked("look at the figures again next week"),
    (ALARM, False): marked(
        "see what has changed at the source before anything else: training again would learn from it"
    ),
    (WARNING, True): marked("train again soon: `leadrank retrain`"),
    (ALARM, True): marked("train again: `leadrank retrain`"),
}


def levelled(figures: Iterable[Figure], limits: DriftLimits) -> tuple[Figure, ...]:
    """The figures with limit, level and reason; those that somebody has judged already stay."""
    every = list(figures)
    stands = {(f.subject, f.slice) for f in every if f.measure == CHANCE and f.low}
    return tuple(_levelled(figure, stands, limits) if figure.level == OK else figure for figure in every)


def matters(figure: Figure) -> float:
    """How far a figure moved, weighed by the feature's share of all contributions."""
    return (figure.value or 0.0) * (figure.weight or 0.0)


def ordered(figures: Iterable[Figure]) -> list[Figure]:
    """Those that are not ``ok``: the worst first, then those that move the ranking most."""
    found = [figure for figure in figures if figure.level != OK]
    return sorted(found, key=lambda f: (-LEVELS.index(f.level), f.kind != NEWCOMERS, -matters(f), f.subject))


def verdict(figures: Sequence[Figure]) -> dict[str, Any]:
    """``level``, ``retrain``, ``advice``, ``reasons`` (each once, the worst first) of a run.

    An alarm that training again would not mend comes first: its advice is the one that is given.
    """
    bad = ordered(figures)
    level = worst(figure.level for figure in bad)
    of_level = [figure for figure in bad if figure.level == level]
    retrain = bool(of_level) and all(figure.retrain for figure in of_level)
    return {
        "level": level,
        "retrain": retrain,
        "advice": ADVICE[level, retrain],
        "reasons": list(dict.fromkeys(figure.because for figure in bad))[:MOST_REASONS],
    }


def _levelled(figure: Figure, stands: set[tuple[str, str]], limits: DriftLimits) -> Figure:
    if figure.value is None:
        return figure
    if figure.kind == NEWCOMERS and (figure.subject, figure.slice) not in stands:
        return figure  # chance may have done it
    for measured, limit, words in _judged(figure, limits):
        level = ALARM if measured >= limit else WARNING if measured >= WARNS * limit else OK
        retrain = level != OK and figure.kind == DRIFT and figure.reference == TRAINING
        because = _said(words, figure) if level != OK else ""
        return replace(figure, limit=limit, level=level, because=because, retrain=retrain)
    return figure


def _judged(figure: Figure, limits: DriftLimits) -> Iterator[tuple[float, float, str]]:
    """What is measured, its limit and the sentence; nothing for a figure that is only told."""
    value, weight = figure.value or 0.0, figure.weight or 0.0
    if figure.kind == SKEW:
        yield value, limits.skew, SKEWED
    elif figure.measure == PSI and figure.subject == MODEL and figure.kind == DRIFT:
        yield value, limits.model_drift, OF_MODEL[figure.reference]
    elif figure.measure == PSI and figure.kind == SCORES:
        if figure.reference == TRAINING:
            return  # of the trees that rank, fitted anew on all rows, training has no score of an unseen lead
        yield value, limits.drift, SAYS[figure.kind, figure.reference]
    elif figure.measure == PSI and weight * value >= limits.matters:
        words = SAYS[figure.kind, figure.reference]
        yield value, limits.drift, OF_ALL_NEW if figure.kind == NEWCOMERS and not figure.slice else words
    elif figure.measure in (NULLS, UNSEEN) and figure.kind == DRIFT and weight >= limits.least_share:
        is_null = figure.measure == NULLS
        limit = limits.null_rise if is_null else limits.unseen_rise
        yield value - (figure.against or 0.0), limit, NULLS_ROSE if is_null else UNSEEN_ROSE


def _said(words: str, figure: Figure) -> str:
    values = {"subject": figure.subject, "value": figure.value, "against": figure.against}
    return Phrase(words, **values, slice=figure.slice.replace("=", " "))
