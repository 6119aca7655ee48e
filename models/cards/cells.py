"""The tables of a model card, as cells of text: Markdown and HTML show the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "-"
SLICES = ("slice", "value", "rows", "leads", "positive", "forecast", "came true (95 %)", "inside",
          "ROC-AUC (95 %)")  # fmt: skip
SLICES_NOTE = (
    "Forecast is the mean probability. The interval of the rate counts leads (Wilson); of twenty forecasts "
    "that are right, one lies outside."
)
HELD = {"rising": "the chance never falls", "falling": "the chance never rises"}
TARGET = ("rows", "reached", "ROC-AUC", "log loss", "calibration error", "remark")
TAGS = ("tag", "days ahead", "precision floor", "precision", "n", "base rate", "shown")
TAGS_NOTE = (
    "Precision is that of the n tagged rows of the test slice; where it misses its floor, a tag is not shown."
)


@dataclass(frozen=True)
class Table:
    """A titled table: columns, rows of as many cells, and a note, which may be empty."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def tables(card: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of a card, in its order; horizons, stages, tags and directions only where there are some."""
    yield Table("On later leads", ["figure", *map(_words, card["figures"])], [*figure_rows(card["figures"])])
    yield Table("Slices", SLICES, [_slice(part) for part in card["slices"]], SLICES_NOTE)
    yield from (table for table in _further(card) if table.rows)
    held = [[HELD[word], ", ".join(names)] for word, names in card["monotone"].items() if names]
    if held:
        yield Table("Held to a direction", ("as its value rises", "features"), held)
    bins = [[_share(b["forecast"]), _share(b["rate"]), shown(b["rows"])] for b in card["calibration"]]
    yield Table("Calibration", ("forecast", "came true", "rows"), bins)
    leaks = [[leak["column"], leak["verdict"], leak["evidence"]] for leak in card["leaks"]]
    yield Table("Leaks refused", ("column", "verdict", "evidence"), leaks)


def period(data: Mapping[str, Any]) -> str:
    """The moments of the training rows in words."""
    if data["first_as_of"] is None:
        return "no dates: one row per lead, in their order"
    return f"moments from {data['first_as_of'][:10]} to {data['last_as_of'][:10]}"


def figure_rows(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """One row of cells per figure: its name, then each contender."""
    for name in next(iter(figures.values())):
        yield [_words(name), *(shown(found.get(name)) for found in figures.values())]


def shown(figure: Any) -> str:
    """A figure with its interval, a count, or a dash.

    >>> shown({"value": 0.7, "low": 0.65, "high": 0.751}), shown(1200), shown(None)
    ('0.700 (0.650 to 0.751)', '1,200', '-')
    """
    if figure is None:
        return NOTHING
    if isinstance(figure, Mapping):
        return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:.3f}"


def _further(card: Mapping[str, Any]) -> Iterator[Table]:
    horizons = [_target(days, found) for days, found in card["horizons"].items()]
    yield Table("Horizons", ("days ahead", *TARGET), horizons)
    stages = [_target(stage, found) for stage, found in card["stages"].items()]
    yield Table("Stages", ("stage", *TARGET), stages)
    yield Table("Tags", TAGS, [_tag(name, found) for name, found in card["tags"].items()], TAGS_NOTE)


def _slice(part: Mapping[str, Any]) -> list[str]:
    auc = shown(part["roc_auc"]) if part["is_judged"] else "too few outcomes to judge"
    counts = [shown(part[name]) for name in ("rows", "leads", "positives")]
    rate = f"{_share(part['rate'])} ({_share(part['rate_low'])} to {_share(part['rate_high'])})"
    inside = "yes" if part["is_inside"] else "no"
    return [part["slice"], part["value"], *counts, _share(part["forecast"]), rate, inside, auc]


def _target(name: str, found: Mapping[str, Any]) -> list[str]:
    if "left_out" in found:
        return [name, *[NOTHING] * (len(TARGET) - 1), f"left out: {found['left_out']}"]
    figures = [shown(found[key]) for key in ("n", "positives", "roc_auc", "log_loss", "calibration_error")]
    return [name, *figures, "; ".join(_remarks(found))]


def _remarks(found: Mapping[str, Any]) -> Iterator[str]:
    if found["immature"]:
        yield f"{found['immature']:,} rows are not mature and left out"
    if found.get("overlap_days"):
        yield "a little kind: its window is longer than the gap"


def _tag(name: str, found: Mapping[str, Any]) -> list[str]:
    floor = f"{found['precision_floor']:g}"
    if "left_out" in found:
        return [name, NOTHING, floor, NOTHING, NOTHING, NOTHING, f"no: {found['left_out']}"]
    figures = [shown(found[key]) for key in ("precision", "n", "base_rate")]
    why_not = found["why_not"]
    decision = f"from {_share(found['least_probability'])}" if why_not is None else f"no: {why_not}"
    return [name, f"{found['horizon_days']:g}", floor, *figures, decision]


def _share(value: float) -> str:
    return f"{value:.1%}"


def _words(name: str) -> str:
    return name.replace("_", " ")
