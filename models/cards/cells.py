"""The tables of a model card: which there are, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.audit.verdicts import VERDICTS
from models.backtests.slices import GROUPS
from models.cards.own_cells import own_table
from models.cards.table import NOTHING, Table
from models.cards.words import (
    CALIBRATION,
    HELD,
    HELD_COLUMNS,
    LEAKS,
    LINEAGE,
    LINEAGE_COLUMNS,
    LINEAGE_NOTE,
    SLICES,
    SLICES_NOTE,
    TAGS,
    TAGS_NOTE,
    TARGET,
    called,
)
from models.labels import marked
from models.phrases import recognised, spoken


def tables(card: Mapping[str, Any], words: Language = ENGLISH) -> Iterator[Table]:
    """The tables of a card, in its order; horizons, stages, tags and directions only where there are some."""
    for table in _tables(card, words):
        columns = [words.text(name) for name in table.columns]
        yield Table(words.text(table.title), columns, table.rows, words.text(table.note))


def _tables(card: Mapping[str, Any], words: Language) -> Iterator[Table]:
    """The same with English titles, columns and notes."""
    contenders = [called(name, words) for name in card["figures"]]
    yield Table(
        marked("On later leads"), [marked("figure"), *contenders], [*figure_rows(card["figures"], words)]
    )
    yield Table(marked("Slices"), SLICES, [_slice(part, words) for part in card["slices"]], SLICES_NOTE)
    yield from (table for table in _further(card, words) if table.rows)
    yield from (own_table(found, words) for found in [card.get("segment_models")] if found)
    held = [[words.text(HELD[way]), ", ".join(names)] for way, names in card["monotone"].items() if names]
    if held:
        yield Table(marked("Held to a direction"), HELD_COLUMNS, held)
    bins = [
        [_share(b["forecast"], words), _share(b["rate"], words), shown(b["rows"], words)]
        for b in card["calibration"]
    ]
    yield Table(marked("Calibration"), CALIBRATION, bins)
    yield Table(marked("Leaks refused"), LEAKS, [_leak(leak, words) for leak in card["leaks"]])
    if origin := card.get("lineage"):  # a card of before has none
        rows = [
            [words.text(LINEAGE[name]), _origin(origin[name], words)] for name in LINEAGE if name in origin
        ]
        yield Table(marked("Lineage"), LINEAGE_COLUMNS, rows, LINEAGE_NOTE)


def figure_rows(figures: Mapping[str, Mapping[str, Any]], words: Language = ENGLISH) -> Iterator[list[str]]:
    """One row of cells per figure: its name, then each contender."""
    for name in next(iter(figures.values())):
        yield [called(name, words), *(shown(found.get(name), words) for found in figures.values())]


def shown(figure: Any, words: Language = ENGLISH) -> str:
    """A figure with its interval, a count, or a dash.

    >>> shown({"value": 0.7, "low": 0.65, "high": 0.751}), shown(1200), shown(None)
    ('0.700 (0.650 to 0.751)', '1,200', '-')
    """
    if figure is None:
        return NOTHING
    if isinstance(figure, Mapping):
        value, low, high = (words.number(f"{figure[end]:.3f}") for end in ("value", "low", "high"))
        return words.text("{value} ({low} to {high})").format(value=value, low=low, high=high)
    return words.number(f"{figure:,}" if isinstance(figure, int) else f"{figure:.3f}")


def _origin(value: str, words: Language) -> str:
    if value not in {"true", "false"}:
        return value
    return words.text("yes") if value == "true" else words.text("no")


def _further(card: Mapping[str, Any], words: Language) -> Iterator[Table]:
    horizons = [_target(days, found, words) for days, found in card["horizons"].items()]
    yield Table(marked("Horizons"), (marked("days ahead"), *TARGET), horizons)
    stages = [_target(stage, found, words) for stage, found in card["stages"].items()]
    yield Table(marked("Stages"), (marked("stage"), *TARGET), stages)
    tags = [_tag(name, found, words) for name, found in card["tags"].items()]
    yield Table(marked("Tags"), TAGS, tags, TAGS_NOTE)


def _slice(part: Mapping[str, Any], words: Language) -> list[str]:
    auc = shown(part["roc_auc"], words) if part["is_judged"] else words.text("too few outcomes to judge")
    counts = [shown(part[name], words) for name in ("rows", "leads", "positives")]
    rate, low, high = (_share(part[name], words) for name in ("rate", "rate_low", "rate_high"))
    interval = words.text("{value} ({low} to {high})").format(value=rate, low=low, high=high)
    inside = words.text("yes") if part["is_inside"] else words.text("no")
    value = spoken(recognised(part["value"], *GROUPS), words)
    return [part["slice"], value, *counts, _share(part["forecast"], words), interval, inside, auc]


def _target(name: str, found: Mapping[str, Any], words: Language) -> list[str]:
    if "left_out" in found:
        why = words.text("left out: {why}").format(why=spoken(found["left_out"], words))
        return [name, *[NOTHING] * (len(TARGET) - 1), why]
    names = ("n", "positives", "roc_auc", "log_loss", "calibration_error")
    return [name, *(shown(found[key], words) for key in names), words.text("; ").join(_remarks(found, words))]


def _remarks(found: Mapping[str, Any], words: Language) -> Iterator[str]:
    if found["immature"]:
        yield words.counted(
            "{n} row is not mature and left out", "{n} rows are not mature and left out", found["immature"]
        )
    if found.get("overlap_days"):
        yield words.text("a little kind: its window is longer than the gap")


def _tag(name: str, found: Mapping[str, Any], words: Language) -> list[str]:
    floor = words.number(f"{found['precision_floor']:g}")
    if "left_out" in found:
        return [name, NOTHING, floor, NOTHING, NOTHING, NOTHING, _refused(found["left_out"], words)]
    figures = [shown(found[key], words) for key in ("precision", "n", "base_rate")]
    decision = (
        words.text("from {share}").format(share=_share(found["least_probability"], words))
        if found["why_not"] is None
        else _refused(found["why_not"], words)
    )
    return [name, f"{found['horizon_days']:g}", floor, *figures, decision]


def _refused(why: str, words: Language) -> str:
    return words.text("no: {why}").format(why=spoken(why, words))


def _leak(leak: Mapping[str, Any], words: Language) -> list[str]:
    return [leak["column"], words.text(VERDICTS[leak["verdict"]]), spoken(leak["evidence"], words)]


def _share(value: float, words: Language) -> str:
    return words.number(f"{value:.1%}")
