"""How what the monitor found reads on a terminal: how bad it is, what to do, and what has moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked
from models.phrases import spoken
from pipelines.terminal import say, show_table
from serve.monitoring.figure import AGAINST, LEVEL, OK

Result = Mapping[str, Any]
FIGURES = {
    "model_drift": marked("features, weighted by what they move (PSI)"),
    "score_drift": marked("scores (PSI)"),
    "worst_drift": marked("the feature that matters most (PSI times share)"),
}
QUALITY = {
    "roc_auc": marked("ROC-AUC"),
    "lift_10": marked("lift at 10 %"),
    "calibration_slope": marked("slope of calibration"),
}
QUALITY_HEADS = (marked("measure"), marked("realised"), marked("estimated of tonight"))
MOVED = marked("how far the leads have moved")


def monitored(result: Result, words: Language = ENGLISH) -> None:
    """Everything in a few lines."""
    said = words.text("run {run} as of {moment}: {level}")
    level = _level(result, words)
    say(said.format(run=result["run_id"], moment=result["as_of"], level=level), *_told(result, words))
    figures = result["figures"]
    show_table(
        [words.text(head) for head in (MOVED, *AGAINST.values())],
        [
            [words.text(title), *(_number(figures.get(f"{name}|{against}"), words) for against in AGAINST)]
            for name, title in FIGURES.items()
        ],
    )
    if lists := result["lists"]:
        counted = words.text("Past weekly rankings whose outcomes are known: {mature}; not yet: {immature}.")
        say(counted.format(mature=lists["mature"], immature=lists["immature"]))
        if quality := list(_quality(figures, words)):
            show_table([words.text(head) for head in QUALITY_HEADS], quality)
    say(*_unknown(result, words))
    if result["report"]:
        say(words.text("The whole report is {path}.").format(path=result["report"]))


def short(result: Result | None, words: Language = ENGLISH) -> Iterator[str]:
    """What `leadrank score` says of it: nothing while all is well."""
    if result is None or result["level"] == OK:
        return
    if result["level"] is None:
        yield words.text("the monitor failed and looked at nothing: {problem}").format(
            problem=result["problem"]
        )
        return
    yield words.text("monitor: {level}").format(level=_level(result, words))
    yield from _told(result, words)


def _quality(figures: Mapping[str, float], words: Language) -> Iterator[list[str]]:
    """What past rankings were worth beside what they made expect, and what is expected of tonight's."""
    for name, title in QUALITY.items():
        known = [figures.get(f"realised.{name}|expected"), figures.get(f"estimated.{name}|training")]
        if any(value is not None for value in known):
            yield [words.text(title), *(_number(value, words) for value in known)]


def _told(result: Result, words: Language) -> Iterator[str]:
    yield from (f"  {spoken(reason, words)}" for reason in result["reasons"])
    if result["level"] != OK:
        advice = result["advice"]
        yield words.text("what to do: {advice}").format(advice=words.text(advice))


def _level(result: Result, words: Language) -> str:
    name = LEVEL[result["level"]]
    return words.text(name)


def _unknown(result: Result, words: Language) -> Iterator[str]:
    """What could not be looked at."""
    if not result["knows_training"]:
        yield words.text("Not known: what the leads of the training were like. Train again, and it is kept.")
    if result["last_week"] is None:
        yield words.text("Not known: last week. No run is between one and five weeks older.")
    if not result["logged"]:
        yield words.text("MLflow did not take the figures: by a scorecard, or it does not answer.")


def _number(value: float | None, words: Language) -> str:
    return "-" if value is None else words.number(f"{value:.3f}")
