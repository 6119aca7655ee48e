"""How a backtest reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.terminal import say, show_table

Result = Mapping[str, Any]


def backtested(result: Result) -> None:
    """Contenders, the age of the model, slices, and one sentence that decides."""
    from models.backtests.page import FIGURES, ends, gap, verdict
    from models.backtests.pictures import words

    used = [row["at"][:10] for row in result["origins"] if row["reason"] is None]
    say(
        f"{len(used)} origins from {used[0]} to {used[-1]}, {result['lists']:,} lists of open leads, "
        f"{result['rows']:,} rows, {result['won_leads']:,} leads won ({result['base_rate']:.1%} of the rows)"
    )
    by_name: dict[str, dict[str, Any]] = {}
    for row in result["contenders"]:
        by_name.setdefault(row["contender"], {})[row["figure"]] = row
    names = [name for name in FIGURES if name in by_name["model"]]
    rows = [(FIGURES[name], *(ends(found[name], name) for found in by_name.values())) for name in names]
    show_table((f"{result['calls_per_list']:,} calls a list", *map(words, by_name)), rows)
    aged = [
        (
            f"{row['age_days']} days",
            row["origins"],
            ends(row["capture_20"]),
            gap(row["minus_fresh"]),
            gap(row["minus_scorecard"]),
        )
        for row in result["ages"]
    ]
    show_table(
        ("age of the model", "origins", "in the first 20 %", "minus fresh, points", "minus scorecard"),
        aged,
    )
    if result["slices"]:
        show_table(
            ("slice", "group", "rows", "won", "model", "scorecard", "difference, points"),
            list(_slices(result)),
        )
    say(*_notes(result), verdict(result))


def _slices(result: Result) -> Iterator[tuple[object, ...]]:
    from models.backtests.page import ends, gap

    for row in result["slices"]:
        judged = (ends(row["capture_20"]), ends(row["scorecard"]), gap(row["minus_scorecard"]))
        told = judged if row["is_judged"] else ("too few to judge", "", "")
        yield row["slice"], row["group"], row["rows"], row["won_leads"], *told


def _notes(result: Result) -> Iterator[str]:
    for row in result["origins"]:
        if row["reason"] is not None:
            yield f"no model at {row['at'][:10]}: {row['reason']}"
    yield from (f"left out: {line}" for line in result["left_out"])
    if result["report"] is not None:
        yield f"the whole backtest is in {result['report']}"
