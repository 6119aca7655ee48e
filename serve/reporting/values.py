"""What the templates of the reports are given: the report, its pictures, and the words for its codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.labels import marked
from models.phrases import recognised
from serve.reporting.drawing import months, reliability
from serve.reporting.names import DATA_DRIVEN, GROUPS

RULES: Mapping[str, str] = {
    "first": marked("first touch"),
    "last": marked("last touch"),
    "linear": marked("all touches alike"),
    "fading": marked("fading with time"),
    DATA_DRIVEN: marked("data-driven"),
}
TITLES: Mapping[str, str] = {
    "sources": marked("Sources"),
    "funnel": marked("Funnel"),
    "team": marked("Team"),
    "model": marked("Model"),
}
CHANNELS: Mapping[str, str] = {
    "campaign": marked("campaign"),
    "place": marked("place of the touch"),
    "kind": marked("kind of touch"),
}
FIGURES: Mapping[str, str] = {
    "roc_auc": marked("ROC-AUC"),
    "capture_20": marked("in the first 20 %"),
    "lift_10": marked("lift at 10 %"),
}
CONTENDERS: Mapping[str, str] = {
    "model": marked("model"),
    "scorecard": marked("scorecard"),
    "newest_first": marked("newest first"),
}


PREDICTS = (
    marked("probability that a lead reaches the stage '{stage}' within {days:g} days"),
    marked("probability that a lead reaches the stage '{stage}'"),
)


def values(
    name: str, report: Mapping[str, Any], *, rule: str = DATA_DRIVEN, is_file: bool = False
) -> dict[str, Any]:
    """The values of ``reports/<name>.html``.

    Parameters
    ----------
    name
        Of the report.
    report
        As `serve.reporting.reading.REPORTS` returns it.
    rule
        By which channels are ordered, in the report on sources.
    is_file
        Whether it is a file of its own, in which no link leads to another page.
    """
    pictures = {
        "funnel": lambda: {
            "velocity": months(report["months"], "velocity"),
            "qualified": months([month for month in report["months"] if month["is_whole"]], "mql"),
        },
        "model": lambda: {"reliability": reliability(report["reliability"])},
    }
    return {
        "name": name,
        "title": TITLES[name],
        "report": report,
        "pictures": pictures[name]() if name in pictures else {},
        "rules": RULES,
        "rule": rule,
        "channels": CHANNELS,
        "figures": FIGURES,
        "contenders": CONTENDERS,
        "groups": GROUPS,
        "predicts": recognised(report.get("predicts") or "", *PREDICTS),
        "is_file": is_file,
    }
