"""What a model does not know, in sentences that follow from what its training reported."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from features.errors import listed
from models.audit.audit import Audit
from models.audit.verdicts import UNKNOWN
from models.metrics import has_no_signal
from models.phrases import Phrase
from models.segments.floor import Floor

FEW_OUTCOMES = 100  # in the forward test: below, an ROC-AUC has an interval of about a tenth
DRIFT_RATIO, SURE = 1.25, 3.0  # change of the base rate that is told, and its distance in standard errors
YEAR_DAYS = 365
ORDERS = {
    "scorecard": Phrase("scorecard"),
    "newest_first": Phrase("newest first"),
    "logistic_regression": Phrase("logistic regression"),
}
ABSENT = {
    "touches": Phrase("no touches were loaded: it knows who a lead is, and nothing of what it did"),
    "accounts": Phrase("no accounts were loaded: it knows of a company only what its leads tell"),
    "field_history": Phrase(
        "no field history was loaded: fields that change are known as of today or not at all"
    ),
}


@dataclass(frozen=True)
class Facts:
    """What a training reported, beside its bundle.

    Attributes
    ----------
    model
        Name of the registered model.
    tables
        Names of the loaded tables.
    is_flat
        Whether there were no dates.
    undecided
        Rows left out because their outcome was not known.
    split
        ``split`` of the training's report.
    base_rate
        Share of the moments that the rows stand for whose label is 1, 0 to 1.
    views
        What `models.views.overview.Overview.as_json` says of the whole model; empty if nobody looked.
    drawn_from
        Snapshots that the rows were drawn from; None: all of them are rows.
    """

    model: str
    tables: tuple[str, ...]
    is_flat: bool
    undecided: int
    split: Mapping[str, Any]
    base_rate: float
    views: Mapping[str, Any] = field(default_factory=dict)
    drawn_from: int | None = None


def limits(
    facts: Facts,
    audit: Audit,
    figures: Mapping[str, Mapping[str, Any]],
    slices: Sequence[Mapping[str, Any]],
    floor: Floor | None,
) -> Iterator[str]:
    """The sentences, the gravest first.

    Parameters
    ----------
    figures
        By contender, as in `models.cards.card.card`.
    slices
        Slices of the card, with ``is_judged`` and ``is_inside``.
    floor
        The outcomes that a segment needs; None if no probability is withheld.
    """
    yield from _strength(figures)
    yield from _time(facts)
    if facts.is_flat:
        yield Phrase("there are no dates: earlier and later follow the order of the rows")
    else:
        yield from (sentence for table, sentence in ABSENT.items() if table not in facts.tables)
    yield from _columns(audit)
    yield from _protected(facts.views)
    yield from _segments(slices, floor)
    yield Phrase(
        "the figures measure a first pass that had not seen the later rows; the model in use has learned "
        "from all rows, and nothing has measured it yet"
    )
    yield Phrase(
        "it tells who will convert if leads are worked as they were: not whom a call would change, and "
        "nothing of kinds of leads that are not in the history"
    )


def _strength(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    model = figures["model"]
    if has_no_signal(model):
        yield Phrase("it shows no signal: it ranks later leads no better than chance")
    rarer = min(model["positives"], model["n"] - model["positives"])
    if rarer < FEW_OUTCOMES:
        yield Phrase(
            "few outcomes: the figures rest on {rows:,} rows of the rarer outcome, so they may be far off",
            rows=rarer,
        )
    for name, order in ORDERS.items():
        other = _value(figures.get(name, {}).get("capture_20"))
        if other is not None and other >= _value(model["capture_20"]):
            yield Phrase(
                "the {order} finds as much among the best 20 %: {other:.1%} of all outcomes, "
                "the model {own:.1%}",
                order=order,
                other=other,
                own=_value(model["capture_20"]),
            )


def _time(facts: Facts) -> Iterator[str]:
    slices = facts.split["slices"]
    before, after = slices["train"], slices["test"]
    rates = [part["base_rate"] for part in (before, after)]
    if _has_drifted(before, after):
        yield Phrase(
            "the base rate moved from {before:.1%} in the training slice to {after:.1%} in the test slice: "
            "the level of the probabilities may be off by as much again",
            before=rates[0],
            after=rates[1],
        )
    if before["first_as_of"] is not None:
        span = datetime.fromisoformat(after["last_as_of"]) - datetime.fromisoformat(before["first_as_of"])
        if span.days < YEAR_DAYS:
            yield Phrase("the history spans {days} days: what comes once a year was not seen", days=span.days)
    gaps, wanted = facts.split["gap_days"], facts.split["asked_gap_days"]
    if not facts.is_flat and min(gaps.values()) < wanted:
        yield Phrase(
            "the history is short: the gap before a slice is {gap:g} days instead of {wanted:g}, so its "
            "figures may be a little too good",
            gap=min(gaps.values()),
            wanted=wanted,
        )
    if facts.undecided:
        yield Phrase("{rows:,} rows are left out, for their outcome is not known yet", rows=facts.undecided)


def _has_drifted(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the base rate changed by a quarter, surely (two-proportion z test)."""
    one, other = (part["base_rate"] for part in (before, after))
    pooled = (one * before["rows"] + other * after["rows"]) / (before["rows"] + after["rows"])
    error = math.sqrt(pooled * (1 - pooled) * (1 / before["rows"] + 1 / after["rows"]))
    ratio = max(one, other) / max(min(one, other), 1e-9)
    return bool(ratio >= DRIFT_RATIO and abs(one - other) > SURE * error)


def _columns(audit: Audit) -> Iterator[str]:
    used = [report for report in audit.columns if report.is_used]
    unknown = [report.column for report in used if UNKNOWN in report.attention]
    if unknown:
        yield Phrase(
            "nobody has said since when the values of {columns} stand: they may know the outcome",
            columns=listed(unknown),
        )
    suspects = [report.column for report in used if "suspect" in report.attention]
    if suspects:
        yield Phrase("used although the leakage audit suspects them: {columns}", columns=listed(suspects))
    allowed = [report.column for report in used if report.allowed is not None]
    if allowed:
        yield Phrase("used because audit.allow says so: {columns}", columns=listed(allowed))


def _protected(views: Mapping[str, Any]) -> Iterator[str]:
    for told in views.get("protected", ()):
        names = [row["feature"] for row in told["features"]]
        if names:
            yield Phrase(
                "'{column}' is protected and no feature, but {columns} tell it in part, and carry "
                "{share:.0%} of all contributions: the ranking may treat its values differently",
                column=told["field"],
                columns=listed(names),
                share=sum(row["share"] for row in told["features"]),
            )
        elif told["together"] is None:
            yield Phrase(
                "'{column}' is protected, and too few leads have it to see what stands in for it",
                column=told["field"],
            )


def _segments(slices: Sequence[Mapping[str, Any]], floor: Floor | None) -> Iterator[str]:
    unjudged = sum(not part["is_judged"] for part in slices)
    if unjudged:
        yield Phrase(
            "{some} of {all} slices have too few outcomes to be judged", some=unjudged, all=len(slices)
        )
    outside = sum(not part["is_inside"] for part in slices)
    if outside:
        yield Phrase(
            "in {some} of {all} slices the mean probability lies outside what came true",
            some=outside,
            all=len(slices),
        )
    if floor is not None and floor.below:
        yield Phrase(
            "no probability is published for leads of {some} of {all} values of '{column}': fewer than "
            "{least} later leads of either outcome are known",
            some=len(floor.below),
            all=len(floor.outcomes),
            column=floor.segment_by,
            least=floor.least_outcomes,
        )


def _value(figure: Any) -> Any:
    return figure["value"] if isinstance(figure, Mapping) else figure
