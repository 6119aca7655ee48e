"""Columns that know the outcome, found in the rows that training learns from.

Thresholds and detectors follow TransmogrifAI's RawFeatureFilter and SanityChecker, with two changes for
snapshots: fill rates are compared with tonight's open leads, and rates are taken at their bounds. No
statistic can tell a leak from an honest strong field by strength alone: below the threshold a column is a
suspect, and a person decides. ``models/audit/hindsight.py`` looks at whole leads instead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.alone import earlier_rows, forward_auc
from models.audit.association import Codes, Flags, auc, cramers_v, divergence, target_auc, wilson
from models.audit.findings import Finding, Severity, ordered
from models.coded import Coded, coded, filled, lead_numbers, most_common
from models.phrases import Phrase

TOO_STRONG = 0.95  # AUC, Cramér's V or share of wins that no honest column reaches
STRONG = 0.85  # AUC; honest columns of the real sets reach 0.78, bank_marketing's leak 0.885
TELLING, TELLING_NULLS, NULLS = 0.75, 0.10, 0.05  # AUC, Cramér's V, share of nulls of a worked field
FILL_DIFFERENCE, FILL_RATIO, FILL_SUSPICION = 0.90, 20.0, 3.0
LEAST_FILL, LEAST_VARIANCE, MOST_DIVERGENCE = 0.001, 1e-5, 0.90
NEVER = 1 / 8  # of the base rate: a value with which almost nobody wins
SHARE_OF_WINS = 0.10  # a rule that explains fewer wins is reported, not excluded
MOST_VALUES = 100  # beyond, values are too rare for rules
LEAST_LEADS, UNIQUE_SHARE, SERIAL_SPREAD = 50, 0.5, 20
FILL_Z = 2.0  # standard errors; a rate of zero tonight is an upper bound of 4 / leads
BINS = 10


@dataclass(frozen=True)
class _Suspect:
    """One column with all that the detectors look at; flags and numbers have shape (n,)."""

    spec: FeatureSpec
    column: pa.ChunkedArray
    tonight: pa.ChunkedArray | None
    coded: Coded
    won: Flags
    lead: Codes
    earlier: Flags
    is_undeclared: bool

    @property
    def is_field(self) -> bool:
        """Whether a person or a system wrote it; all other features are cut at the moment."""
        return self.spec.family == "fit"

    def finding(self, detector: str, evidence: str, severity: Severity) -> Finding:
        return Finding(self.spec.name, detector, evidence, severity)

    def leak(self, detector: str, evidence: str) -> Finding:
        """A field that cannot have been known; of a feature that is cut at the moment a person decides."""
        return self.finding(detector, evidence, "refuse" if self.is_field else "quarantine")


def audit(
    rows: pa.Table,
    specs: Sequence[FeatureSpec],
    *,
    tonight: pa.Table | None = None,
    undeclared: Collection[str] = (),
    label: str = "label",
) -> list[Finding]:
    """Look at each column for signs that it was written after the outcome.

    Parameters
    ----------
    rows
        Mature snapshots with their features and label (won within the horizon: 1, otherwise 0); with
        ``lead_id`` when a lead has several snapshots.
    specs
        Columns to look at.
    tonight
        Features of the leads that are open now, of as many columns as are to be compared; None (flat
        start) leaves the comparison out.
    undeclared
        Fields of which nobody said when they are known: a little less evidence is enough.
    label
        Name of the label column.

    Returns
    -------
    list of Finding
        The most severe first; none for a column without suspicion, none at all when one label occurs.

    Examples
    --------
    >>> spec = FeatureSpec("contract", "contract", "fit", "number", "contract: {value}")
    >>> table = pa.table({"contract": [1.0, 2.0, None, None] * 10, "label": [1, 1, 0, 0] * 10})
    >>> sorted({(f.column, f.severity) for f in audit(table, [spec])})
    [('contract', 'refuse')]
    """
    won = rows.column(label).cast(pa.float64()).to_numpy() > 0
    if not won.any() or won.all():
        return []
    lead, earlier = lead_numbers(rows), earlier_rows(rows)
    now = {} if tonight is None else dict(zip(tonight.column_names, tonight.columns, strict=True))
    found: list[Finding] = []
    for spec in specs:
        suspect = _Suspect(
            spec=spec,
            column=(column := rows.column(spec.name)),
            tonight=now.get(spec.name),
            coded=coded(column, spec.kind),
            won=won,
            lead=lead,
            earlier=earlier,
            is_undeclared=spec.name in undeclared,
        )
        found += [finding for detector in _DETECTORS if (finding := detector(suspect)) is not None]
    return ordered(found)


def _identity(suspect: _Suspect) -> Finding | None:
    """A value for nearly each lead: a name, an address, or a serial number."""
    known = suspect.coded.known
    leads = len(np.unique(suspect.lead[known]))
    share = suspect.coded.missing / max(leads, 1)
    if leads < LEAST_LEADS or share <= UNIQUE_SHARE:
        return None
    if suspect.spec.kind == "number" and not _is_serial(suspect, leads):
        return None
    return suspect.leak(
        "identity",
        Phrase("it has {values:,} values for {leads:,} leads", values=suspect.coded.missing, leads=leads),
    )


def _is_serial(suspect: _Suspect, leads: int) -> bool:
    """Whole numbers, one for each lead, close together."""
    values = suspect.column.cast(pa.float64()).to_numpy()[suspect.coded.known]
    is_whole = bool(np.all(values == np.floor(values)))
    return is_whole and suspect.coded.missing == leads and np.ptp(values) < SERIAL_SPREAD * leads


def _auc(suspect: _Suspect) -> Finding | None:
    """The column alone ranks the leads; nulls may stand above or below all values."""
    code, won = suspect.coded, suspect.won
    if suspect.spec.kind == "number":
        found = [auc(codes, won) for codes in (code.codes, code.nulls_first)]
        best = max(max(value, 1 - value) for value in found)
    else:
        best = target_auc(code.codes, won, suspect.lead % 2 == 0)
    if best <= STRONG:
        return None
    evidence = Phrase("alone it ranks with a ROC-AUC of {best:.3f}", best=best)
    if best > TOO_STRONG:
        return suspect.leak("auc", evidence)
    return suspect.finding("auc", evidence, "quarantine" if suspect.is_field else "suspect")


def _association(suspect: _Suspect) -> Finding | None:
    """The value, or whether there is one, goes with the label nearly one to one."""
    strengths = {Phrase("having a value"): cramers_v(suspect.coded.known.astype(np.int64), suspect.won)}
    if suspect.coded.missing <= MOST_VALUES:
        strengths[Phrase("its value")] = cramers_v(suspect.coded.codes, suspect.won)
    what, strength = max(strengths.items(), key=lambda pair: pair[1])
    if strength <= TOO_STRONG:
        return None
    evidence = Phrase("Cramér's V of {what} and the label is {strength:.3f}", what=what, strength=strength)
    return suspect.leak("association", evidence)


def _rule(suspect: _Suspect) -> Finding | None:
    """One value (or null) with which nearly everybody wins, or nobody."""
    if suspect.coded.missing > MOST_VALUES:
        return None
    rows = np.bincount(suspect.coded.codes, minlength=suspect.coded.missing + 1).astype(float)
    wins = np.bincount(suspect.coded.codes[suspect.won], minlength=len(rows)).astype(float)
    low, high = wilson(wins, rows)
    base, sure, worst = suspect.won.mean(), low > TOO_STRONG, int(high.argmin())
    if sure.any():
        rate, share = wins[sure].sum() / rows[sure].sum(), wins[sure].sum() / wins.sum()
        evidence = Phrase(
            "{rate:.1%} win with {values} of its values, {share:.0%} of all wins (base {base:.1%})",
            rate=rate,
            values=int(sure.sum()),
            share=share,
            base=base,
        )
        is_leak = share >= SHARE_OF_WINS
        return suspect.leak("rule", evidence) if is_leak else suspect.finding("rule", evidence, "suspect")
    if high[worst] < NEVER * base:
        is_empty = worst == suspect.coded.missing
        what = Phrase("without a value") if is_empty else Phrase("with one of its values")
        evidence = Phrase(
            "{rate:.2%} of {rows:.0f} rows win {what} (base {base:.1%})",
            rate=wins[worst] / rows[worst],
            rows=rows[worst],
            what=what,
            base=base,
        )
        return suspect.finding("rule", evidence, "suspect")
    return None


def _worked(suspect: _Suspect) -> Finding | None:
    """A strong field that is filled in for some leads only, with their fortune: it is written at work.

    An honest field can look like this too, so a declared time class ends the question.
    """
    nulls = 1 - suspect.coded.known.mean()
    if not (suspect.is_field and suspect.is_undeclared) or nulls < NULLS:
        return None
    association = cramers_v(suspect.coded.known.astype(np.int64), suspect.won)
    strength = forward_auc(suspect.coded, suspect.spec.kind, suspect.won, suspect.earlier)
    if association < TELLING_NULLS or strength < TELLING:
        return None
    evidence = Phrase(
        "nobody said when it is known, alone it ranks later rows with a ROC-AUC of {strength:.3f}, and "
        "having a value goes with the outcome (Cramér's V {association:.2f})",
        strength=strength,
        association=association,
    )
    return suspect.finding("worked", evidence, "quarantine")


def _fill(suspect: _Suspect) -> Finding | None:
    """Filled in the past, empty tonight: the mark of a field that is written with the outcome.

    Features that are cut at the moment cannot be written later, and their fill follows the touches of
    tonight; so default values are looked at, and columns excluded, only among the fields of the lead.
    """
    if suspect.tonight is None or not len(suspect.tonight):
        return None
    besides = (None, most_common(suspect.tonight)) if suspect.is_field else (None,)
    found = [_fill_beside(suspect, beside) for beside in dict.fromkeys(besides)]
    return next(iter(ordered(f for f in found if f)), None)


def _fill_beside(suspect: _Suspect, beside: object) -> Finding | None:
    then = filled(suspect.column, beside=beside)
    now = filled(suspect.tonight, beside=beside)
    ratio, ratio_won = _at_least_times(then, now), _at_least_times(then[suspect.won], now)
    is_leak = ratio >= FILL_RATIO or (ratio >= FILL_SUSPICION and ratio_won >= FILL_RATIO)
    is_leak = is_leak or then.mean() - now.mean() > FILL_DIFFERENCE
    if not is_leak and ratio < FILL_SUSPICION:
        return None
    evidence = Phrase(
        "filled in {past:.1%} of past rows, {won:.1%} of the won ones, {now:.1%} tonight",
        past=then.mean(),
        won=then[suspect.won].mean(),
        now=now.mean(),
    )
    return suspect.finding("fill", evidence, "refuse" if is_leak and suspect.is_field else "suspect")


def _at_least_times(then: Flags, now: Flags) -> float:
    """How many times as often it was filled then, at the least."""
    low, _ = wilson(np.array(float(then.sum())), np.array(float(len(then))), FILL_Z)
    _, high = wilson(np.array(float(now.sum())), np.array(float(len(now))), FILL_Z)
    return float(low / max(float(high), 1e-12))


def _drift(suspect: _Suspect) -> Finding | None:
    """Tonight's values are others than those of the past: nothing learned from them helps tonight."""
    now = suspect.tonight
    if now is None or not suspect.is_field or len(now) - now.null_count < LEAST_LEADS:
        return None
    both = coded(
        pa.chunked_array([*suspect.column.chunks, *now.chunks], suspect.column.type), suspect.spec.kind
    )
    codes = both.codes if suspect.spec.kind == "category" else both.binned(BINS)
    distance = divergence(codes[: len(suspect.column)], codes[len(suspect.column) :])
    if distance <= MOST_DIVERGENCE:
        return None
    evidence = Phrase(
        "its values tonight are others than in the past (Jensen-Shannon divergence {distance:.2f})",
        distance=distance,
    )
    return suspect.finding("drift", evidence, "suspect")


def _uninformative(suspect: _Suspect) -> Finding | None:
    """Next to nothing was filled in, or it hardly varies."""
    share = suspect.coded.known.mean()
    if not suspect.is_field:
        return None
    if share < LEAST_FILL:
        return suspect.finding(
            "uninformative", Phrase("it is filled in {share:.2%} of the rows", share=share), "note"
        )
    values = suspect.column if suspect.spec.kind == "number" else pa.chunked_array([suspect.coded.codes])
    variance = float(np.nanvar(values.cast(pa.float64()).to_numpy()))
    if variance >= LEAST_VARIANCE:
        return None
    return suspect.finding("uninformative", Phrase("it hardly varies"), "note")


_DETECTORS = (_identity, _auc, _association, _rule, _worked, _fill, _drift, _uninformative)
