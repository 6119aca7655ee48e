"""May the challenger take the champion's place? One gate per way in which a new model can be worse.

The burden of proof is the challenger's for log loss and capture: the bad end of the interval counts. A slice
keeps it out when it is surely worse there; calibration, churn and reasons count as measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.promoting.paired import Pair, differences, segment_differences
from models.promoting.thresholds import Thresholds

NEVER_FORCED = frozenset({"signal"})
"""Gates that no reason opens: a model that ranks like chance is worse than the scorecard."""


@dataclass(frozen=True)
class Gate:
    """One gate: its name, whether the challenger may pass, and the figure beside its limit in words."""

    name: str
    is_open: bool
    says: str


@dataclass(frozen=True)
class Evidence:
    """All that is known of challenger and champion.

    Attributes
    ----------
    pair
        Rows of which both said something unseen; may be empty.
    questions
        What champion and challenger predict, in words.
    has_signal
        Whether the challenger ranked later rows better than chance.
    churn_share, same_reason_share
        Of tonight's open leads; None if no lead is open.
    """

    pair: Pair
    questions: tuple[str, str]
    has_signal: bool
    churn_share: float | None
    same_reason_share: float | None


@dataclass(frozen=True)
class Verdict:
    """The gates, the figures behind them, and the slices."""

    gates: tuple[Gate, ...]
    figures: Mapping[str, Mapping[str, float]]
    slices: Sequence[Mapping[str, Any]]

    @property
    def shut(self) -> tuple[Gate, ...]:
        """The gates that keep the challenger out."""
        return tuple(gate for gate in self.gates if not gate.is_open)

    @property
    def may_be_forced(self) -> bool:
        """Whether a person with a reason may pass all the same."""
        return not any(gate.name in NEVER_FORCED for gate in self.shut)


def judge(evidence: Evidence, limits: Thresholds) -> Verdict:
    """Measure the pair and decide gate by gate; without enough common rows nothing is measured on them."""
    pair, (before, after) = evidence.pair, evidence.questions
    gates = [
        signal(has_signal=evidence.has_signal),
        Gate("question", before == after, f"the champion predicts {before}, the challenger {after}"),
    ]
    if before != after:
        return Verdict(tuple(gates), {}, ())
    enough, list_gates = _enough(pair, limits), list(_tonight(evidence, limits))
    if not enough.is_open:
        return Verdict((*gates, enough, *list_gates), {}, ())
    figures = differences(pair, capacity_share=limits.capacity_share)
    slices = segment_differences(pair, least_outcomes=limits.min_slice_outcomes)
    measured = [*_figures(figures, limits), _slices(slices, limits)]
    return Verdict((*gates, enough, *measured, *list_gates), figures, slices)


def signal(*, has_signal: bool) -> Gate:
    """The gate that no reason opens."""
    standing = "above" if has_signal else "not surely above"
    return Gate("signal", has_signal, f"the ROC-AUC of its forward test is {standing} 0.5")


def _enough(pair: Pair, limits: Thresholds) -> Gate:
    return Gate(
        "evidence",
        pair.fewest >= limits.min_outcomes,
        f"{len(pair.label):,} rows that neither has learned from, {pair.positives:,} of them positive; "
        f"{limits.min_outcomes} of each outcome are needed",
    )


def _figures(figures: Mapping[str, Mapping[str, float]], limits: Thresholds) -> Iterator[Gate]:
    loss, capture, error = (figures[name] for name in ("log_loss", "capture", "calibration_error"))
    most = limits.log_loss_rise_max_share * loss["champion"]
    yield Gate(
        "log_loss", loss["high"] <= most, f"{_change(loss, 4)}; the upper end may be at most {most:+.4f}"
    )
    least = -limits.capture_loss_max_share
    yield Gate(
        "capture",
        capture["low"] >= least,
        f"{_change(capture, 3)} at {limits.capacity_share:.0%} of the list; the lower end may be at least "
        f"{least:+.3f}",
    )
    rise = limits.calibration_rise_max_share
    yield Gate(
        "calibration",
        error["difference"] <= rise,
        f"error {_change(error, 3)}; the difference may be at most {rise:+.3f}",
    )


def _slices(slices: Sequence[Mapping[str, Any]], limits: Thresholds) -> Gate:
    judged = [part for part in slices if part["is_judged"]]
    if not judged:
        return Gate("slice", is_open=True, says="no slice has enough outcomes to be judged")
    worst = max(judged, key=lambda part: part["low"] - limits.slice_rise_max_share * part["champion"])
    most = limits.slice_rise_max_share * worst["champion"]
    return Gate(
        "slice",
        worst["low"] <= most,
        f"worst of {len(judged)}: {worst['segment']} '{worst['value']}' (n = {worst['rows']:,}), log loss "
        f"{worst['difference']:+.4f} ({worst['low']:+.4f} to {worst['high']:+.4f}); the lower end may be at "
        f"most {most:+.4f}",
    )


def _tonight(evidence: Evidence, limits: Thresholds) -> Iterator[Gate]:
    if evidence.churn_share is not None:
        yield Gate(
            "churn",
            evidence.churn_share <= limits.churn_max_share,
            f"{evidence.churn_share:.0%} of tonight's best {limits.capacity_share:.0%} are replaced; at most "
            f"{limits.churn_max_share:.0%} may be",
        )
    if evidence.same_reason_share is not None:
        yield Gate(
            "reasons",
            evidence.same_reason_share >= limits.same_reason_min_share,
            f"{evidence.same_reason_share:.0%} of tonight's leads keep their first family of reasons; at "
            f"least {limits.same_reason_min_share:.0%} must",
        )


def _change(figure: Mapping[str, float], digits: int) -> str:
    ends = f"{figure['low']:+.{digits}f} to {figure['high']:+.{digits}f}"
    return (
        f"{figure['champion']:.{digits}f} → {figure['challenger']:.{digits}f}, "
        f"{figure['difference']:+.{digits}f} ({ends})"
    )
