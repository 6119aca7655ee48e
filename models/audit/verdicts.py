"""The verdict on one column: keep, quarantine or refuse, and its evidence in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from features.catalogue import FeatureSpec
from models.audit.column_figures import Figures
from models.audit.findings import LEFT_OUT, Finding, ordered
from models.labels import marked
from models.phrases import Phrase

Verdict: TypeAlias = Literal["keep", "quarantine", "refuse"]
UNKNOWN, CUT = Phrase("moment unknown"), Phrase("cut at the moment")
VERDICTS = {"refuse": marked("refuse"), "quarantine": marked("quarantine"), "keep": marked("keep")}
MISSED, RANKS = 0.002, 0.60  # loss, or ROC-AUC alone, from which an unknown moment is worth a declaration
MOST_SAID = 3  # findings in one sentence


@dataclass(frozen=True)
class Changes:
    """When a tracked field of closed leads changed: how often, which share after the closing, and when."""

    changes: int
    after_share: float
    median_days: float


@dataclass(frozen=True)
class ColumnReport:
    """What the audit says of one column.

    Attributes
    ----------
    column, family
        Feature name and its family.
    is_field
        Whether it is a field that was declared in ``params.yaml``.
    time
        Declared time class of a field; None if there is none, or for a feature that is cut at the moment.
    moment
        When it becomes known relative to the outcome, in words.
    verdict
        ``keep``, ``quarantine`` or ``refuse``.
    is_used
        Whether training uses it: the verdict, the time class and ``audit.allow`` together.
    attention
        ``suspect``, ``moment unknown``, ``allowed``: why a person should look at it although it is kept.
    evidence
        One sentence, without field values.
    allowed
        The reason that ``audit.allow`` gives.
    findings
        What the detectors found, the most severe first.
    figures
        ``column_figures``, and ``loss``: ROC-AUC that the model loses without it (``auc_without``).
    """

    column: str
    family: str
    is_field: bool
    time: str | None
    moment: str
    verdict: Verdict
    is_used: bool
    attention: tuple[str, ...]
    evidence: str
    allowed: str | None
    findings: tuple[Finding, ...]
    figures: Figures

    @property
    def is_missed(self) -> bool:
        """Whether nobody declared its moment and a model would miss it."""
        loss, alone = self.figures.get("loss") or 0.0, self.figures.get("auc_alone") or 0.5
        return UNKNOWN in self.attention and (loss >= MISSED or abs(alone - 0.5) >= RANKS - 0.5)


def judged(
    spec: FeatureSpec,
    found: Iterable[Finding],
    figures: Figures,
    *,
    is_field: bool,
    time: str | None,
    is_unknown: bool,
    changes: Changes | None = None,
    allowed: str | None = None,
) -> ColumnReport:
    """The verdict on one column, still without its sentence (`said`).

    Parameters
    ----------
    is_field
        Whether it is a declared field; all others are cut at the moment.
    time
        Declared time class of a field.
    is_unknown
        Whether nobody said since when the field's value stands.
    changes
        Past of a tracked field.
    allowed
        Reason for which it is kept whatever was found.
    """
    findings = tuple(ordered(found))
    worst = findings[0].severity if findings else "note"
    verdict: Verdict = "keep" if allowed is not None or worst not in LEFT_OUT else _verdict(worst)
    attention = [
        *(["suspect"] if worst == "suspect" else []),
        *([UNKNOWN] if is_unknown else []),
        *(["allowed"] if allowed is not None else []),
    ]
    return ColumnReport(
        column=spec.name,
        family=spec.family,
        is_field=is_field,
        time=time,
        moment=_moment(time, changes, figures.get("ahead_share")) if is_field else CUT,
        verdict=verdict,
        is_used=True,
        attention=tuple(attention),
        evidence="",
        allowed=allowed,
        findings=findings,
        figures=figures,
    )


def _verdict(severity: str) -> Verdict:
    return "refuse" if severity == "refuse" else "quarantine"


def _moment(time: str | None, changes: Changes | None, ahead: float | None) -> str:
    """When the column becomes known, in words."""
    said = UNKNOWN if time is None else Phrase("declared {time}", time=time)
    if ahead is not None:
        lie_ahead = "{share:.0%} of its dates lie ahead of the night on which they would be used"
        return Phrase.joined([said, Phrase(lie_ahead, share=ahead)])
    return said if changes is None else Phrase.joined([said, _changed(changes)])


def _changed(changes: Changes) -> Phrase:
    """When a tracked field changed, in words."""
    side = Phrase("after") if changes.median_days >= 0 else Phrase("before")
    return Phrase(
        "{share:.0%} of {changes:,} changes come before the closing, the median {days:.0f} days {side} it",
        share=1 - changes.after_share,
        changes=changes.changes,
        days=abs(changes.median_days),
        side=side,
    )


def said(report: ColumnReport) -> ColumnReport:
    """The report with its sentence, once its figures are complete."""
    texts = [f.evidence for f in report.findings if f.severity == report.findings[0].severity][:MOST_SAID]
    found = Phrase.joined(texts)
    if report.allowed is not None:
        found = _allowed(report.allowed, found)
    elif report.verdict == "keep" and UNKNOWN in report.attention:
        found = Phrase.joined([*_ask(report), *texts])
    return replace(report, evidence=found or _nothing_found(report))


def _allowed(why: str, found: Phrase) -> Phrase:
    if found:
        return Phrase("allowed in params.yaml: {why} (found: {found})", why=why, found=found)
    return Phrase("allowed in params.yaml: {why}", why=why)


def _ask(report: ColumnReport) -> list[Phrase]:
    if report.time is None:
        return [Phrase("moment unknown: declare it (time: static, tracked or current)"), _loss(report)]
    return [
        Phrase("moment unknown: declare it (time: static or tracked, if its past is known)"),
        Phrase("only today's value is known, so it is not used"),
        _loss(report),
    ]


def _nothing_found(report: ColumnReport) -> Phrase:
    loss = [] if report.figures.get("loss") is None else [_loss(report)]
    return Phrase.joined([Phrase("nothing found"), report.moment, *loss])


def _loss(report: ColumnReport) -> Phrase:
    loss = report.figures.get("loss")
    if loss is None:
        return Phrase("what the model loses without it was not measured")
    return Phrase("the model loses {loss:.3f} of its ROC-AUC without it", loss=max(loss, 0))
