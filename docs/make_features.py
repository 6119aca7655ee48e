"""Write the tables of `docs/features.md` from the catalogue: one per family, one row per feature.

The text above the tables is written by hand and stays:

    .venv/bin/python docs/make_features.py
"""
# ruff: noqa: INP001  # a script beside the manual, not a package

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from features.catalogue import Feature
from features.families import BUILT_IN, full_catalogue
from features.fit import own_fields
from features.generic import FAMILY as GENERIC
from features.generic import generic_features
from features.tables import Field

PAGE = Path(__file__).with_name("features.md")
MARK = "<!-- The rest is written by docs/make_features.py. -->\n"
HEADER = "| Feature | From | What it measures | Unit | Without a value |\n|---|---|---|---|---|\n"
CATEGORY, NUMBER, VALUE = "category", "number", "value"
"""Placeholders for the columns of a team, and for a value of one."""

GENERIC_TEXTS: Mapping[str, tuple[str, str]] = {
    f"touches[{CATEGORY}={VALUE}]": ("Touches with one value of the column in the window", "touches"),
    f"days_since[{CATEGORY}={VALUE}]": ("Days from the latest touch with one value to the moment", "days"),
    f"distinct[{CATEGORY}]": ("Different values of the column in the window", "values"),
    f"last[{CATEGORY}]": ("Value of the latest touch that has one", "text"),
    f"sum[{NUMBER}]": ("Sum of the column over the window", "the column's"),
    f"mean[{NUMBER}]": ("Mean of the column over the window", "the column's"),
    f"max[{NUMBER}]": ("Greatest value of the column in the window", "the column's"),
    f"min[{NUMBER}]": ("Least value of the column in the window", "the column's"),
    f"last[{NUMBER}]": ("Value of the latest touch that has one", "the column's"),
}
UNITS = (
    (r", in ([a-z]+)$", r"\1"),
    (r", (0(?: Monday)? to \d+)( \(.*\))?$", r"\1"),
    (r", from 0\b.*$", "ratio from 0"),
    (r"^(?:Mean |Longest )?(?:[Dd]ays|gap)\b.*$", "days"),
    (r"^Tag weights\b.*$", "weight"),
    (r"^How many .*, 0 to (\d)$", r"0 to \1"),
    (r"^1 if .*$", "0 or 1"),
    (r"^Touches\b.*$", "touches"),
)
"""How docstrings say a unit; the first pattern that is found decides."""


def tables() -> str:
    """All that stands below the mark."""
    return MARK + "".join(_family(name) for name in BUILT_IN) + _generic()


def written(page: str) -> str:
    """The page with its tables made anew.

    Parameters
    ----------
    page
        Text of the page, with the mark.
    """
    return page.partition(MARK)[0] + tables()


def _family(name: str) -> str:
    module = importlib.import_module(f"features.{name}")
    ours = [feature for feature in full_catalogue() if feature.compute.__module__ == module.__name__]
    rows = [*(_own_rows() if name == "fit" else ()), *(_row(group) for group in _by_stem(ours))]
    return f"\n## {name}\n\n{_prose(inspect.getdoc(module) or '')}\n\n{HEADER}" + "".join(rows)


def _own_rows() -> Iterator[str]:
    fields = own_fields({"leads": {"field": Field("number")}, "accounts": {"field": Field("number")}})
    for feature, owner in zip(fields, ("lead", "account"), strict=True):
        what = f"A declared field of the {owner}, as of the moment"
        yield _line(feature.name, feature.on, what, "its own; of a date, days ago", "null if it was empty")


def _generic() -> str:
    fields = {CATEGORY: Field("category"), NUMBER: Field("number")}
    every = generic_features(fields, {CATEGORY: [VALUE]})
    ours = [feature for feature in every if re.search(rf"\[({CATEGORY}|{NUMBER})\b", feature.stem)]
    module = importlib.import_module(f"features.{GENERIC}")
    rows = []
    for group in _by_stem(ours):
        what, unit = GENERIC_TEXTS[group[0].stem]
        nothing = "null" if group[0].empty is None else f"{group[0].empty:g}"
        rows.append(_line(_pattern(group), group[0].on, what, unit, f"{nothing} if there is none"))
    return f"\n## {GENERIC}\n\n{_prose(inspect.getdoc(module) or '')}\n\n{HEADER}" + "".join(rows)


def _by_stem(features: Iterable[Feature]) -> Iterator[list[Feature]]:
    groups: dict[str, list[Feature]] = {}
    for feature in features:
        groups.setdefault(feature.stem, []).append(feature)
    yield from groups.values()


def _row(group: list[Feature]) -> str:
    first = group[0]
    sentence, _, more = _prose(inspect.cleandoc(first.doc)).partition("\n\n")
    what, _, nothing = sentence.removesuffix(".").rpartition("; ")
    measured, unit = _measured(" ".join(what.split()), first)
    if more:
        measured = f"{measured}. {' '.join(more.split()).removesuffix('.')}"
    return _line(_pattern(group), first.on, measured, unit, nothing)


def _measured(what: str, feature: Feature) -> tuple[str, str]:
    """The text without its unit, and the unit."""
    if feature.kind == "category":
        return what, "text"
    for pattern, unit in UNITS:
        if found := re.search(pattern, what):
            said = what[: found.start()] if pattern.startswith(", in") else what
            return said, found.expand(unit)
    return what, ""


def _pattern(group: list[Feature]) -> str:
    """One name for all windows, `touches_{7,30}d`, and for all values, `days_since[kind]`."""
    first = group[0]
    of = {None: "", "peers": "[field]", "words": "[text]"}.get(first.per, f"[{first.per}]")
    stem = first.stem if first.is_top or "[" in first.stem else first.stem + of
    days = [str(feature.days) for feature in group if feature.name != feature.stem]
    plain = [stem] if len(days) < len(group) else []
    windows = {0: [], 1: [f"{stem}_{''.join(days)}d"]}.get(len(days), [f"{stem}_{{{','.join(days)}}}d"])
    return "`, `".join([*plain, *windows])


def _prose(text: str) -> str:
    return text.replace("``", "`")


def _line(name: str, on: str, what: str, unit: str, nothing: str) -> str:
    return f"| `{name}` | {on} | {what} | {unit} | {nothing} |\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
