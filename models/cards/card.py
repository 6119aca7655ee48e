"""The model card: what a model was made from, how good it was on later leads, and what it does not know.

After Mitchell et al., Model Cards for Model Reporting (FAT* 2019). Everything is a function of what the
training reported; no value of a single lead is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.audit.audit import Audit
from models.bundle import Bundle
from models.cards.limits import Facts, limits
from models.metrics import Vector, interval, measure
from models.promoting.paired import Numbers
from models.promoting.segments import Texts

BINS = 10
RESAMPLES = 100  # of each slice: there may be dozens


@dataclass(frozen=True)
class LaterRows:
    """The rows of the forward test, shape (n,) each: label, probability, lead, and slice by name."""

    label: Vector
    probability: Vector
    leads: Numbers
    segments: Mapping[str, Texts]


def card(
    bundle: Bundle,
    facts: Facts,
    tested: LaterRows,
    audit: Audit,
    figures: Mapping[str, Mapping[str, Any]],
    *,
    min_slice_outcomes: int,
) -> dict[str, Any]:
    """The card as plain data.

    Parameters
    ----------
    facts
        What the training reported.
    tested
        Rows of the forward test.
    figures
        By contender, the model first: numbers, or ``value``, ``low`` and ``high``.
    min_slice_outcomes
        Rows of the rarer outcome without which a slice is not judged.

    Returns
    -------
    dict
        ``name``, ``predicts``, ``digest``, ``data``, ``families`` (features by family), ``figures``,
        ``slices``, ``calibration``, ``leaks``, ``limits``.
    """
    target = bundle.target
    within = "" if target.horizon_days is None else f" within {target.horizon_days:g} days"
    slices = list(_slices(tested, least=min_slice_outcomes))
    return {
        "name": facts.model,
        "predicts": f"probability that a lead reaches the stage '{target.stage}'{within}",
        "digest": bundle.digest,
        "data": {
            "tables": list(facts.tables),
            "rows": bundle.window.rows,
            "positives": bundle.window.positives,
            "base_rate": bundle.window.positives / bundle.window.rows,
            "first_as_of": bundle.window.first_as_of,
            "last_as_of": bundle.window.last_as_of,
            "undecided_left_out": facts.undecided,
        },
        "families": dict(Counter(spec.family for spec in bundle.specs).most_common()),
        "figures": {name: dict(found) for name, found in figures.items()},
        "slices": slices,
        "calibration": calibration(tested.label, tested.probability),
        "leaks": [
            {"column": report.column, "verdict": report.verdict, "evidence": report.evidence}
            for report in audit.columns
            if report.verdict != "keep"
        ],
        "limits": list(limits(facts, audit, figures, slices)),
    }


def calibration(label: Vector, probability: Vector) -> list[dict[str, float]]:
    """Mean forecast, rate and rows of ten bins of equal count, from the lowest forecast up."""
    order = np.argsort(probability, kind="stable")
    return [
        {
            "forecast": float(probability[places].mean()),
            "rate": float(label[places].mean()),
            "rows": len(places),
        }
        for places in np.array_split(order, min(BINS, len(order)))
    ]


def _slices(tested: LaterRows, *, least: int) -> Iterator[dict[str, Any]]:
    for name, values in tested.segments.items():
        for value in sorted(set(values)):
            rows = values == value
            yield {"slice": name, "value": str(value), **_slice(tested, rows, least=least)}


def _slice(tested: LaterRows, rows: Any, *, least: int) -> dict[str, Any]:
    label, chance, leads = tested.label[rows], tested.probability[rows], tested.leads[rows]
    positives = int(label.sum())
    told: dict[str, Any] = {
        "rows": len(label),
        "leads": len(np.unique(leads)),
        "positives": positives,
        "rate": float(label.mean()),
        "forecast": float(chance.mean()),
        "is_judged": min(positives, len(label) - positives) >= least,
        "roc_auc": None,
    }
    if told["is_judged"]:
        low, high = interval(label, chance, leads, resamples=RESAMPLES)["roc_auc"]
        told["roc_auc"] = {"value": measure(label, chance).roc_auc, "low": low, "high": high}
    return told


def markdown(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    data = card["data"]
    lines = [
        f"# Model card: {card['name']}",
        "",
        f"Predicts the {card['predicts']}. Digest `{card['digest']}`.",
        "",
        "## Data",
        "",
        f"- {data['rows']:,} rows, {data['positives']:,} positive ({data['base_rate']:.1%})",
        f"- {data['undecided_left_out']:,} undecided rows left out",
        f"- {period(data)}",
        f"- tables: {', '.join(data['tables'])}",
        "- features: " + ", ".join(f"{count} {family}" for family, count in card["families"].items()),
        "",
        "## What it does not know",
        "",
        *(f"- {sentence}" for sentence in card["limits"]),
        "",
        "## On later leads",
        "",
        *_table(["figure", *card["figures"]], figure_rows(card["figures"])),
        "## Slices",
        "",
        *_table(SLICE_COLUMNS, map(slice_row, card["slices"])),
        "## Calibration",
        "",
        *_table(
            ["forecast", "came true", "rows"],
            ([f"{b['forecast']:.1%}", f"{b['rate']:.1%}", f"{b['rows']:,}"] for b in card["calibration"]),
        ),
        "## Leaks refused",
        "",
        *_table(
            ["column", "verdict", "evidence"],
            ([leak["column"], leak["verdict"], leak["evidence"]] for leak in card["leaks"]),
        ),
    ]
    return "\n".join(lines)


SLICE_COLUMNS = ("slice", "value", "rows", "leads", "positive", "rate", "forecast", "ROC-AUC (95 %)")


def period(data: Mapping[str, Any]) -> str:
    """The moments of the training rows in words."""
    if data["first_as_of"] is None:
        return "no dates: one row per lead, in their order"
    return f"moments from {data['first_as_of'][:10]} to {data['last_as_of'][:10]}"


def slice_row(part: Mapping[str, Any]) -> list[str]:
    """One slice as cells, in the order of ``SLICE_COLUMNS``."""
    auc = shown(part["roc_auc"]) if part["is_judged"] else "too few outcomes to judge"
    counts = [f"{part[name]:,}" for name in ("rows", "leads", "positives")]
    return [part["slice"], part["value"], *counts, f"{part['rate']:.1%}", f"{part['forecast']:.1%}", auc]


def figure_rows(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """One row of cells per figure: its name, then each contender."""
    for name in next(iter(figures.values())):
        yield [name.replace("_", " "), *(shown(found.get(name)) for found in figures.values())]


def shown(figure: Any) -> str:
    """A figure with its interval, a count, or a dash.

    >>> shown({"value": 0.7, "low": 0.65, "high": 0.751}), shown(1200), shown(None)
    ('0.700 (0.650 to 0.751)', '1,200', '-')
    """
    if figure is None:
        return "-"
    if isinstance(figure, Mapping):
        return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:.3f}"


def _table(names: Sequence[str], rows: Any) -> Iterator[str]:
    """A pipe table and an empty line; "none" where there are no rows."""
    cells = [[_cell(text) for text in row] for row in rows]
    if not cells:
        yield from ("none", "")
        return
    yield from (f"| {' | '.join(map(_cell, names))} |", "|" + "---|" * len(names))
    yield from (f"| {' | '.join(row)} |" for row in cells)
    yield ""


def _cell(text: str) -> str:
    """A text that neither ends its cell nor begins a tag."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
