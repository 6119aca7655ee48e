"""The few figures of a run that are followed over weeks, in MLflow and in Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from serve.monitoring.alarms import matters
from serve.monitoring.drift import DRIFT, MODEL, PSI, SCORES
from serve.monitoring.figure import ALARM, EVERY, LAST_WEEK, TRAINING, WARNING, Figure
from serve.monitoring.newcomers import NEWCOMERS
from serve.monitoring.skew import SKEW


def summary(figures: Sequence[Figure]) -> dict[str, float]:
    """Figures by ``name|reference``; what was not measured is left out.

    Returns
    -------
    dict
        ``model_drift`` (mean index of the features, weighted), ``worst_drift`` (index times share of the
        feature that it is greatest of), ``score_drift``, ``newcomers`` (as ``worst_drift``, of new leads in
        alarm), ``skew`` (greatest share), ``alarms`` and ``warnings`` (how many), and every
        figure of all leads of other kinds that has a value, as ``kind.subject``.
    """
    found = {
        "alarms|": float(sum(figure.level == ALARM for figure in figures)),
        "warnings|": float(sum(figure.level == WARNING for figure in figures)),
    }
    for reference in (TRAINING, LAST_WEEK):
        of_reference = [f for f in figures if f.reference == reference and f.measure == PSI]
        features = [f for f in of_reference if f.kind == DRIFT and f.subject != MODEL]
        parts = {
            "model_drift": _values(f for f in of_reference if f.kind == DRIFT and f.subject == MODEL),
            "worst_drift": [matters(figure) for figure in features],
            "score_drift": _values(f for f in of_reference if f.kind == SCORES),
            "newcomers": [matters(f) for f in of_reference if f.kind == NEWCOMERS and f.level == ALARM],
        }
        found |= {f"{name}|{reference}": max(values) for name, values in parts.items() if values}
    if shares := _values(f for f in figures if f.kind == SKEW):
        found["skew|rebuilt"] = max(shares)
    others = (f for f in figures if f.kind not in (DRIFT, SCORES, NEWCOMERS, SKEW) and f.slice == EVERY)
    found |= {f"{f.kind}.{f.subject}|{f.reference}": f.value for f in others if f.value is not None}
    return found


def _values(figures: Iterable[Figure]) -> list[float]:
    return [figure.value for figure in figures if figure.value is not None]
