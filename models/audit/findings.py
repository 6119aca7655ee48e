"""A finding: one reason to distrust a column, how severe it is, and the evidence without field values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["refuse", "quarantine", "suspect", "note"]
SEVERITIES: tuple[Severity, ...] = ("refuse", "quarantine", "suspect", "note")
LEFT_OUT: tuple[Severity, ...] = ("refuse", "quarantine")

DETECTORS = (
    "date", "closing", "changes", "fill", "copy", "win_rate", "identity", "association", "rule", "auc",
    "worked", "drift", "uninformative",
)  # fmt: skip
"""Their names, the most telling evidence first."""


@dataclass(frozen=True)
class Finding:
    """One reason to distrust a column.

    Attributes
    ----------
    column
        Feature name.
    detector
        One of ``DETECTORS``.
    evidence
        Figures, without field values.
    severity
        ``refuse``: written after the outcome, or with it. ``quarantine``: so telling that a person has to
        decide; both stay out of training. ``suspect``: used, and told. ``note``: no sign of a leak.
    """

    column: str
    detector: str
    evidence: str
    severity: Severity


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, the most severe and the most telling first.

    >>> weak, proof = Finding("a", "auc", "", "suspect"), Finding("b", "date", "", "refuse")
    >>> [finding.column for finding in ordered([weak, proof])]
    ['b', 'a']
    """
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), DETECTORS.index(f.detector)))
