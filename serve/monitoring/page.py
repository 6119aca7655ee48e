"""One page of everything that the monitor found: no script, no other address, legible on a telephone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import pyarrow as pa

from models.labels import marked
from serve.monitoring.alarms import matters, ordered
from serve.monitoring.drift import DRIFT, MODEL, NULLS, PSI, SCORES
from serve.monitoring.figure import AGAINST, EVERY, LEVEL, LEVELS, Figure
from serve.monitoring.newcomers import CHANCE, NEWCOMERS
from serve.monitoring.unbiased import KIND as UNBIASED
from serve.monitoring.unbiased import RATE
from serve.reporting.drawing import months

MOST_FEATURES = 15
MEASURES: Mapping[str, str] = {
    "roc_auc": marked("ROC-AUC"),
    "lift_10": marked("lift at 10 %"),
    "lift_20": marked("lift at 20 %"),
    "capture_20": marked("in the first 20 %"),
    "wins": marked("won leads"),
    "calibration_slope": marked("slope of calibration"),
    "log_loss": marked("log loss"),
    "brier": marked("Brier score"),
}
"""The figures of quality that the page shows, in this order."""
LINES = {
    "model_drift|training": marked("Features against training, weighted by what they move (PSI)"),
    "score_drift|training": marked("Scores against training (PSI)"),
    "newcomers|training": marked("New leads of the worst segment (PSI times share)"),
}


def page(
    verdict: Mapping[str, Any],
    figures: Sequence[Figure],
    tables: Mapping[str, pa.Table],
    earlier: Sequence[Mapping[str, Any]],
    language: str = "en",
) -> str:
    """The whole page in a language.

    Parameters
    ----------
    verdict, figures, tables
        What was found of the run.
    earlier
        Verdicts of all monitored runs.
    """
    from serve.web.rendering import environment  # the web libraries take a second to import

    static = files("serve.web") / "static"
    css = "".join((static / name).read_text(encoding="utf-8") for name in ("app.css", "monitor.css"))
    until = sorted((one for one in earlier if one["as_of"] <= verdict["as_of"]), key=lambda one: one["as_of"])
    values = {
        "css": css,
        "language": language,
        "verdict": verdict,
        "levels": LEVEL,
        "against": AGAINST,
        "whole": {
            (f.kind, f.reference): f for f in figures if f.measure == PSI and f.subject in (MODEL, "score")
        },
        "features": _features(figures),
        "idle": _idle(figures),
        "segments": list(_segments(figures)),
        "pictures": _bins(tables.get("bins")),
        "lines": {name: drawn for name in LINES if (drawn := _line(until, name)) is not None},
        "titles": LINES,
        "quality": _quality(figures),
        "measures": MEASURES,
        "called": _called(figures),
        "lists": tables["realised_lists"].to_pylist()[0] if "realised_lists" in tables else None,
        "night": [
            f for f in ordered(figures) if f.kind not in (DRIFT, SCORES, NEWCOMERS, "realised", "estimated")
        ],
    }
    return environment(language).get_template("monitor.html").render(values)


def _features(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """A row for each feature that moves the ranking, the one whose move matters most first."""
    rows: dict[str, dict[str, Any]] = {}
    for figure in figures:
        if figure.kind == DRIFT and figure.subject != MODEL and figure.measure in (PSI, NULLS):
            row = rows.setdefault(figure.subject, {"subject": figure.subject, "weight": figure.weight})
            row[f"{figure.measure}|{figure.reference}"] = figure
    for row in rows.values():
        moves = [row.get(f"{PSI}|{reference}") for reference in AGAINST]
        row["matters"] = max((matters(figure) for figure in moves if figure is not None), default=0.0)
        row["level"] = max((f.level for f in row.values() if isinstance(f, Figure)), key=LEVELS.index)
    found = sorted(
        rows.values(), key=lambda row: (-LEVELS.index(row["level"]), -row["matters"], row["subject"])
    )
    return found[:MOST_FEATURES]


def _idle(figures: Sequence[Figure], least: float = 0.1) -> list[Figure]:
    """Features that moved and move the ranking too little for it to matter."""
    found = [
        figure
        for figure in figures
        if figure.kind == DRIFT
        and figure.measure == PSI
        and figure.subject != MODEL
        and (figure.value or 0.0) >= least
        and figure.limit is None
    ]
    return sorted(found, key=lambda figure: -(figure.value or 0.0))[:MOST_FEATURES]


def _segments(figures: Sequence[Figure]) -> Iterator[dict[str, Any]]:
    """By segment of the new leads: how many, and the features that chance does not explain."""
    new = [figure for figure in figures if figure.kind == NEWCOMERS]
    stands = {(f.subject, f.slice) for f in new if f.measure == CHANCE and f.low}
    for name in dict.fromkeys(figure.slice for figure in new):
        of_segment = [figure for figure in new if figure.slice == name and figure.measure == PSI]
        moved = sorted((f for f in of_segment if (f.subject, f.slice) in stands), key=lambda f: -matters(f))
        yield {
            "name": name.partition("=")[2] if name != EVERY else "",
            "rows": of_segment[0].rows,
            "moved": moved[:3],
            "level": max((figure.level for figure in of_segment), key=LEVELS.index),
        }


def _bins(table: pa.Table | None) -> list[dict[str, Any]]:
    """A picture for each feature: its bins with the shares before and now, and the longest of them."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in [] if table is None else table.to_pylist():
        found.setdefault((row["subject"], row["slice"]), []).append(row)
    return [
        {
            "subject": subject,
            "slice": name.replace("=", " "),
            "bins": bins,
            "top": max(max(row["before"], row["now"]) for row in bins) or 1.0,
        }
        for (subject, name), bins in found.items()
    ]


def _line(verdicts: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any] | None:
    """A figure over the monitored moments."""
    rows = [{"month": one["as_of"], "value": one.get("figures", {}).get(name)} for one in verdicts]
    return months(rows, "value")


def _quality(figures: Sequence[Figure]) -> dict[str, dict[str, Figure]]:
    """Realised and estimated figures of all leads by measure."""
    found: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        if figure.kind in ("realised", "estimated") and figure.slice == EVERY and figure.subject in MEASURES:
            found.setdefault(figure.subject, {})[figure.kind] = figure
    return {name: found[name] for name in MEASURES if name in found}


def _called(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures over all leads of past call lists; of the rate of a band, the ends of its probabilities."""
    found = []
    for figure in figures:
        if figure.kind == UNBIASED:
            low, is_band, high = figure.subject.removeprefix(RATE).strip().partition(" to ")
            ends = {"low": float(low), "high": float(high)} if is_band else None
            found.append({"figure": figure, "is_rate": figure.subject.startswith(RATE), "band": ends})
    return found
