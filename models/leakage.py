"""Columns that know the outcome: found before training, left out or reported, each with its evidence.

Thresholds and detectors follow TransmogrifAI's RawFeatureFilter and SanityChecker, with two changes for
snapshots: fill rates are compared with tonight's open leads, and rates are taken at their bounds. No
statistic can tell a leak from an honest strong field by strength alone: below the threshold a column is a
suspect, and a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.association import Codes, Flags, auc, cramers_v, target_auc, wilson
from models.coded import Coded, coded, filled, lead_numbers, most_common

Severity: TypeAlias = Literal["exclude", "suspect"]

TOO_STRONG = 0.95  # AUC, Cramér's V or share of wins that no honest column reaches
STRONG = 0.85  # AUC; honest columns of the real sets reach 0.78, bank_marketing's leak 0.885
FILL_DIFFERENCE, FILL_RATIO, FILL_SUSPICION = 0.90, 20.0, 3.0
NEVER = 1 / 8  # of the base rate: a value with which almost nobody wins
SHARE_OF_WINS = 0.10  # a rule that explains fewer wins is reported, not excluded
MOST_VALUES = 100  # beyond, values are too rare for rules
LEAST_LEADS, UNIQUE_SHARE, SERIAL_SPREAD = 50, 0.5, 20
FILL_Z = 2.0  # standard errors; a rate of zero tonight is an upper bound of 4 / leads


@dataclass(frozen=True)
class Finding:
    """One reason to distrust a column.

    Attributes
    ----------
    column
        Feature name.
    detector
        ``fill``, ``auc``, ``association``, ``rule`` or ``identity``.
    evidence
        Figures, without field values.
    severity
        ``exclude``: leave it out of training. ``suspect``: keep it and tell the user.
    """

    column: str
    detector: str
    evidence: str
    severity: Severity


@dataclass(frozen=True)
class _Suspect:
    """One column with all that the detectors look at; flags and numbers have shape (n,)."""

    spec: FeatureSpec
    column: pa.ChunkedArray
    tonight: pa.ChunkedArray | None
    coded: Coded
    won: Flags
    lead: Codes

    def finding(self, detector: str, evidence: str, *, exclude: bool) -> Finding:
        return Finding(self.spec.name, detector, evidence, "exclude" if exclude else "suspect")


def audit(
    rows: pa.Table,
    specs: Sequence[FeatureSpec],
    *,
    tonight: pa.Table | None = None,
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
    label
        Name of the label column.

    Returns
    -------
    list of Finding
        Columns to exclude first; none for a column without suspicion, all when only one label occurs.

    Examples
    --------
    >>> spec = FeatureSpec("contract", "contract", "fit", "number", "contract: {value}")
    >>> table = pa.table({"contract": [1.0, 2.0, None, None] * 10, "label": [1, 1, 0, 0] * 10})
    >>> sorted({(f.column, f.severity) for f in audit(table, [spec])})
    [('contract', 'exclude')]
    """
    won = rows.column(label).cast(pa.float64()).to_numpy() > 0
    if not won.any() or won.all():
        return []
    lead = lead_numbers(rows)
    now = {} if tonight is None else dict(zip(tonight.column_names, tonight.columns, strict=True))
    found: list[Finding] = []
    for spec in specs:
        column = rows.column(spec.name)
        suspect = _Suspect(spec, column, now.get(spec.name), coded(column, spec.kind), won, lead)
        found += [finding for detector in _DETECTORS if (finding := detector(suspect)) is not None]
    return sorted(found, key=lambda finding: finding.severity)


def _identity(suspect: _Suspect) -> Finding | None:
    """A value for nearly each lead: a name, an address, or a serial number."""
    known = suspect.coded.known
    leads = len(np.unique(suspect.lead[known]))
    share = suspect.coded.missing / max(leads, 1)
    if leads < LEAST_LEADS or share <= UNIQUE_SHARE:
        return None
    if suspect.spec.kind == "number" and not _is_serial(suspect, leads):
        return None
    return suspect.finding("identity", f"{suspect.coded.missing} values for {leads} leads", exclude=True)


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
    return suspect.finding("auc", f"alone it ranks with a ROC-AUC of {best:.3f}", exclude=best > TOO_STRONG)


def _association(suspect: _Suspect) -> Finding | None:
    """The value, or whether there is one, goes with the label nearly one to one."""
    strengths = {"having a value": cramers_v(suspect.coded.known.astype(np.int64), suspect.won)}
    if suspect.coded.missing <= MOST_VALUES:
        strengths["its value"] = cramers_v(suspect.coded.codes, suspect.won)
    what, strength = max(strengths.items(), key=lambda pair: pair[1])
    if strength <= TOO_STRONG:
        return None
    return suspect.finding(
        "association", f"Cramér's V of {what} and the label is {strength:.3f}", exclude=True
    )


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
        evidence = (
            f"{rate:.1%} win with {sure.sum()} of its values, {share:.0%} of all wins (base {base:.1%})"
        )
        return suspect.finding("rule", evidence, exclude=share >= SHARE_OF_WINS)
    if high[worst] < NEVER * base:
        what = "without a value" if worst == suspect.coded.missing else "with one of its values"
        evidence = f"{wins[worst] / rows[worst]:.2%} of {rows[worst]:.0f} rows win {what} (base {base:.1%})"
        return suspect.finding("rule", evidence, exclude=False)
    return None


def _fill(suspect: _Suspect) -> Finding | None:
    """Filled in the past, empty tonight: the mark of a field that is written with the outcome.

    Features that are cut at the moment cannot be written later, and their fill follows the touches of
    tonight; so default values are looked at, and columns excluded, only among the fields of the lead.
    """
    if suspect.tonight is None or not len(suspect.tonight):
        return None
    is_field = suspect.spec.family == "fit"
    besides = (None, most_common(suspect.tonight)) if is_field else (None,)
    found = [_fill_beside(suspect, beside) for beside in dict.fromkeys(besides)]
    return min((f for f in found if f), key=lambda f: f.severity, default=None)


def _fill_beside(suspect: _Suspect, beside: object) -> Finding | None:
    then = filled(suspect.column, beside=beside)
    now = filled(suspect.tonight, beside=beside)
    ratio, ratio_won = _at_least_times(then, now), _at_least_times(then[suspect.won], now)
    is_leak = ratio >= FILL_RATIO or (ratio >= FILL_SUSPICION and ratio_won >= FILL_RATIO)
    is_leak = is_leak or then.mean() - now.mean() > FILL_DIFFERENCE
    if not is_leak and ratio < FILL_SUSPICION:
        return None
    evidence = (
        f"filled in {then.mean():.1%} of past rows, {then[suspect.won].mean():.1%} of the won ones, "
        f"{now.mean():.1%} tonight"
    )
    return suspect.finding("fill", evidence, exclude=is_leak and suspect.spec.family == "fit")


def _at_least_times(then: Flags, now: Flags) -> float:
    """How many times as often it was filled then, at the least."""
    low, _ = wilson(np.array(float(then.sum())), np.array(float(len(then))), FILL_Z)
    _, high = wilson(np.array(float(now.sum())), np.array(float(len(now))), FILL_Z)
    return float(low / max(float(high), 1e-12))


_DETECTORS = (_identity, _auc, _association, _rule, _fill)
