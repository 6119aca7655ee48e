"""A gate that found something, and what becomes of the ranking then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.errors import GateError, ParameterError, Place

GATES = (
    "churn",
    "drift",
    "freshness",
    "model_age",
    "nulls",
    "rows",
    "score_drift",
    "scores",
    "skew",
    "unseen",
)
MOST_TOLD = 5


@dataclass(frozen=True)
class Finding:
    """One figure beyond its limit.

    Attributes
    ----------
    gate
        One of `GATES`.
    subject
        Table, feature or score it is about.
    measured, limit
        In the unit that ``reason`` names; null where there is no single figure.
    reason
        What is wrong, without field values.
    """

    gate: str
    subject: str
    reason: str
    measured: float | None = None
    limit: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "gate": self.gate,
            "subject": self.subject,
            "reason": self.reason,
            "measured": self.measured,
            "limit": self.limit,
        }


@dataclass(frozen=True)
class Accepted:
    """Gates that somebody lets pass tonight, and why."""

    gates: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        unknown = [gate for gate in self.gates if gate not in GATES]
        if unknown:
            raise ParameterError(f"there is no gate '{unknown[0]}'", hint=f"gates: {', '.join(GATES)}")
        if self.gates and not self.reason.strip():
            raise ParameterError(
                "--accept-gate wants a --reason", hint="say why: it is recorded with the run"
            )
        if self.reason and not self.gates:
            raise ParameterError("--reason wants an --accept-gate", hint="name the gate that may stay open")


def passed(findings: Sequence[Finding], accepted: Accepted) -> Mapping[str, Any]:
    """What the manifest says of the gates, if all that found something are accepted.

    Raises
    ------
    GateError
        One is not: its findings, and how it is accepted.
    """
    refused = [finding for finding in findings if finding.gate not in accepted.gates]
    if refused:
        raise GateError(_told(refused), hint=_hint(refused), place=Place(stage="gates"))
    return {
        "findings": [finding.as_json() for finding in findings],
        "accepted": list(accepted.gates),
        "reason": accepted.reason or None,
    }


def _told(refused: Sequence[Finding]) -> str:
    told = [f"{finding.gate}: {finding.reason}" for finding in refused[:MOST_TOLD]]
    more = len(refused) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def _hint(refused: Sequence[Finding]) -> str:
    gates = dict.fromkeys(finding.gate for finding in refused)
    accepting = " ".join(f"--accept-gate {gate}" for gate in gates)
    return f"the ranking in force stays; if this is right: {accepting} --reason TEXT, else mend the source"
