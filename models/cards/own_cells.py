"""The table of a model card on models that single values of a category have of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import Language
from models.cards.table import NOTHING, Table
from models.labels import marked
from models.phrases import spoken

COLUMNS = (
    marked("value"), marked("leads"), marked("won"), marked("one model"), marked("its own"),
    marked("difference (95 %)"), marked("decision"), marked("on the test slice (95 %)"),
)  # fmt: skip
NOTE = marked(
    "Log loss on the calibrate slice, by the model of all leads and by one of the value's own leads, alone "
    "or half and half. One of its own is used where the whole interval lies below 0; the test slice, which "
    "decides nothing, shows what came of it. Together the intervals of a slice hold with 95 %."
)
USED, HALF = marked("used: {why}"), marked("half used: {why}")


def own_table(found: Mapping[str, Any], words: Language) -> Table:
    """The table of what ``segments.by`` brought, with English title, columns and note.

    Parameters
    ----------
    found
        As `models.segments.own.Chosen` has its evidence.
    """
    rows = [[*_row(value, words)] for value in found["values"]]
    return Table(marked("Models of their own"), COLUMNS, rows, NOTE)


def _row(value: Mapping[str, Any], words: Language) -> Iterator[str]:
    yield value["value"]
    yield from (words.number(f"{value[name]:,}") for name in ("leads", "wins"))
    if "tried" not in value:
        yield from (NOTHING, NOTHING, NOTHING, spoken(value["why"], words), NOTHING)
        return
    before, after = value["calibrate"], value["test"]
    yield from (words.number(f"{before[name]:.4f}") for name in ("pooled", "tried"))
    yield _difference(before, words)
    yield _decision(value, words)
    yield _difference(after, words) if after["rows"] else NOTHING


def _decision(value: Mapping[str, Any], words: Language) -> str:
    why = spoken(value["why"], words)
    if not value["share"]:
        return why
    return words.text(USED if value["share"] == 1 else HALF).format(why=why)


def _difference(found: Mapping[str, Any], words: Language) -> str:
    value, low, high = (words.number(f"{found[end]:+.4f}") for end in ("difference", "low", "high"))
    return words.text("{value} ({low} to {high})").format(value=value, low=low, high=high)
