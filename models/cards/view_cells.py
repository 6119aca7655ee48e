"""The tables of a model card that show the whole model: families, features, steadiness, protected fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.cards.cells import shown
from models.cards.table import Table
from models.labels import marked, named

MOST_FEATURES = 15
FAMILIES = (marked("family"), marked("share of all contributions"))
FEATURES = (marked("feature"), marked("family"), marked("mean |contribution| (95 %)"), marked("share of all"),
            marked("stays in the top 10"))  # fmt: skip
STEADINESS = (marked("compared"), marked("top 10 features"), marked("rank correlation"),
              marked("three reasons of a lead"), marked("the same by chance"),
              marked("first reason"))  # fmt: skip
PROTECTED = (marked("field"), marked("leads"), marked("all features together"), marked("feature"),
             marked("ROC-AUC alone"), marked("share of all"))  # fmt: skip
COMPARED = {
    "retrained": marked("the first pass and the model in use, which has learned from later rows as well"),
    "halves": marked("models of two halves of the leads"),
    "resampled": marked("the first pass on other later leads (bootstrap)"),
}
FEATURES_NOTE = marked(
    "Exact contributions of the first pass to the margins of later rows, which it has not learned from, in "
    "log-odds. Intervals resample leads."
)
STEADINESS_NOTE = marked(
    "Shares that two models have in common. By chance: the reasons of one lead beside those of another."
)
PROTECTED_NOTE = marked(
    "Warning: these features tell a protected field in part, although the field itself is never a feature. "
    "ROC-AUC: how well they tell one value of it from the others (0.5 is chance)."
)


def view_tables(card: Mapping[str, Any], words: Language = ENGLISH) -> Iterator[Table]:
    """The tables in a language; none where nobody looked, no protected fields where none is named."""
    views = card["views"]
    if not views:
        return
    for table in (_features(views, words), _families(views, words), _steadiness(views, words)):
        yield _in(table, words)
    if views["protected"]:
        yield _in(_protected(views, words), words)


def _in(table: Table, words: Language) -> Table:
    columns = [words.text(name) for name in table.columns]
    return Table(words.text(table.title), columns, table.rows, words.text(table.note))


def _features(views: Mapping[str, Any], words: Language) -> Table:
    rows = [
        [
            row["feature"],
            named(row["family"], words),
            shown({**row, "value": row["mean_absolute_contribution"]}, words),
            _share(row["share"], words),
            _share(row["stays_in_top_share"], words),
        ]
        for row in views["features"][:MOST_FEATURES]
    ]
    return Table(marked("What moves the ranking"), FEATURES, rows, FEATURES_NOTE)


def _families(views: Mapping[str, Any], words: Language) -> Table:
    rows = [[named(family, words), _share(share, words)] for family, share in views["families"].items()]
    return Table(marked("Families of features"), FAMILIES, rows)


def _steadiness(views: Mapping[str, Any], words: Language) -> Table:
    rows = [
        [
            words.text(COMPARED[name]),
            _share(found["top_features"], words),
            shown(found.get("rank_correlation"), words),
            *(_share(found.get(key), words) for key in ("reasons", "reasons_by_chance", "first_reason")),
        ]
        for name, found in views["stability"].items()
    ]
    return Table(marked("How steady features and reasons are"), STEADINESS, rows, STEADINESS_NOTE)


def _protected(views: Mapping[str, Any], words: Language) -> Table:
    rows = [
        [told["field"], shown(told["leads"], words), shown(told["together"], words), *cells]
        for told in views["protected"]
        for cells in _stand_ins(told, words)
    ]
    return Table(marked("Stand-ins for protected fields"), PROTECTED, rows, PROTECTED_NOTE)


def _stand_ins(told: Mapping[str, Any], words: Language) -> Iterator[list[str]]:
    if not told["features"]:
        yield [words.text("none found"), shown(None, words), shown(None, words)]
    for row in told["features"]:
        yield [row["feature"], shown(row["roc_auc"], words), _share(row["share"], words)]


def _share(value: float | None, words: Language) -> str:
    return shown(None, words) if value is None else words.number(f"{value:.0%}")
