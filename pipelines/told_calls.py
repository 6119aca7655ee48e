"""How a call list reads on a terminal, in the language of the ranking's sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked
from pipelines.terminal import say, show_table

Result = Mapping[str, Any]
COLUMNS = (
    marked("rep"), marked("place"), marked("lead"), marked("territory"), marked("probability"),
    marked("value of the call"), marked("why"),
)  # fmt: skip
WHY: Mapping[str, str] = {
    "best": marked("among the best"),
    "explore": marked("drawn, to learn"),
    "recycled": marked("not worked so far"),
    "control": marked("as without a ranking"),
}


def calls(result: Result, words: Language = ENGLISH) -> None:
    """The calls, and what they promise."""
    shown = [
        (
            call["owner"] or "",
            words.number(f"{call['place']:,}"),
            call["lead_id"],
            call["territory"] or "",
            "" if call["probability"] is None else words.number(f"{call['probability']:.1%}"),
            "" if call["value"] is None else words.number(f"{call['value']:,.4g}"),
            words.text(WHY[call["why"]]),
        )
        for call in result["calls"]
    ]
    show_table([words.text(name) for name in COLUMNS], shown)
    say(*(line for total in result["totals"] for line in _total(total, words)))


def _total(total: Result, words: Language) -> Iterator[str]:
    """Calls, capacity and expected wins of one rep, or of all."""
    who = words.text("all") if total["by"] == "all" else total["owner"] or words.text("rep")
    listed = words.counted("{n} call", "{n} calls", total["calls"])
    said = words.text("{who}: {calls} of {capacity}").format(
        who=who, calls=listed, capacity=words.number(f"{total['capacity']:,}")
    )
    if total["expected_wins"] is not None:
        wins = words.text("{wins} wins expected, {low} to {high} in nine of ten cases").format(
            wins=words.number(f"{total['expected_wins']:,.1f}"),
            low=words.number(f"{total['wins_low']:,.0f}"),
            high=words.number(f"{total['wins_high']:,.0f}"),
        )
        said = f"{said}, {wins}"
    yield said
    if total["value_of_next_call"] is not None:
        value = words.number(f"{total['value_of_next_call']:,.4g}")
        yield words.text("  one more call would be worth {value}").format(value=value)
