"""Fields that know the outcome, found by looking at whole leads: their values today, and how each ended.

A field of the lead has one value for all of its past nights, so the rows of training show a leak only
blurred: a lead that is won next year counts as not won there. Here each lead counts once, with its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.association import Flags, auc, cramers_v, rank_correlation, target_auc, wilson
from models.audit.findings import Finding, Severity, ordered
from models.audit.leads import LEAST_ENDED, Leads
from models.audit.win_rates import is_win_rate
from models.coded import Coded, coded, filled, most_common
from models.phrases import Phrase

TOO_STRONG, STRONG = 0.95, 0.85  # as in ``models/audit/leakage.py``
LATE_SHARE, LATE_RATIO, ALWAYS_LATE = 0.01, 3.0, 0.9
FILLED_AT_END, FILL_RATIO, FILL_Z = 0.5, 3.0, 2.0
LEAST_LEADS, UNIQUE_SHARE, IN_ORDER = 50, 0.9, 0.98
SPEEDS = np.linspace(0.1, 0.9, 9)  # shares of the wins: a copy of the label may hold the fast ones alone


@dataclass(frozen=True)
class _Field:
    """One field: its value on past nights (``past``) and today, with all that the detectors look at."""

    spec: FeatureSpec
    past: pa.ChunkedArray
    tonight: pa.ChunkedArray
    coded: Coded
    leads: Leads
    is_date: bool

    def finding(self, detector: str, evidence: str, severity: Severity) -> Finding:
        return Finding(self.spec.name, detector, evidence, severity)


def look_back(
    rows: pa.Table, leads: Leads, specs: Sequence[FeatureSpec], *, dates: Collection[str] = ()
) -> list[Finding]:
    """Look at each field for signs that it was written with or after the outcome.

    Parameters
    ----------
    rows
        Snapshots with their features: what was thought to be known on past nights.
    leads
        The same fields today. Fields that it does not have are not looked at.
    dates
        Fields that are dates: of them ``rows`` has days before the moment, negative if still to come.

    Returns
    -------
    list of Finding
        The most severe first.
    """
    found: list[Finding] = []
    for spec in specs:
        if spec.name in leads.table.column_names:
            today = leads.table.column(spec.name)
            field = _Field(
                spec, rows.column(spec.name), today, coded(today, spec.kind), leads, spec.name in dates
            )
            found += [finding for detector in _DETECTORS if (finding := detector(field)) is not None]
    return ordered(found)


def _date(field: _Field) -> Finding | None:
    """A date that lies after the night on which it would have been used.

    A planned date may lie ahead, but then it lies ahead of tonight's open leads, too.
    """
    if not field.is_date:
        return None
    past, now = _ahead(field.past), _ahead(field.tonight.filter(pa.array(field.leads.open)))
    if not past.any():
        return None
    low, _ = _bounds(past)
    _, high = _bounds(now) if len(now) else (0.0, 0.0)
    after = _after_closing(field)
    parts = [
        Phrase("{share:.1%} of its dates lie after the night on which they would be used", share=past.mean())
    ]
    if len(after):
        parts += [Phrase("{share:.0%} of those of closed leads on or after the closing", share=after.mean())]
    if low > LATE_SHARE and (low > LATE_RATIO * high or (len(after) and after.mean() >= ALWAYS_LATE)):
        tonight = [Phrase("tonight {share:.1%} lie ahead", share=now.mean())] if len(now) else []
        return field.finding("date", Phrase.joined([*parts, *tonight]), "refuse")
    return field.finding("date", Phrase.joined([*parts, Phrase("a planned date?")]), "suspect")


def _ahead(days_ago: pa.ChunkedArray) -> Flags:
    """Whether each known date is still to come."""
    values = days_ago.cast(pa.float64()).to_numpy()
    return np.asarray(values[~np.isnan(values)] < 0, dtype=bool)


def _after_closing(field: _Field) -> Flags:
    """Whether each known date of a closed lead is that of its closing or later; to the minute."""
    values, minute = field.tonight.cast(pa.float64()).to_numpy(), 1 / 1440
    both = ~np.isnan(values) & ~np.isnan(field.leads.closed)
    return np.asarray(values[both] <= field.leads.closed[both] + minute, dtype=bool)


def _closing(field: _Field) -> Finding | None:
    """Filled for leads that ended, hardly for open ones of the same age: it is written at the end."""
    leads = field.leads
    usual = most_common(field.tonight.filter(pa.array(leads.never_closed)))
    for beside in dict.fromkeys((None, usual)):
        is_filled = filled(field.tonight, beside=beside)
        late = [name for name, part in _ends(leads) if _is_late(is_filled, part, leads)]
        if late:
            shares = [
                Phrase("{share:.1%} of the {end}", share=is_filled[part].mean(), end=end)
                for end, part in _ends(leads)
                if part.any()
            ]
            evidence = Phrase(
                "filled in {shares} and {open:.1%} of the open leads of the same age, so it is written when "
                "a lead is {end}",
                shares=Phrase.joined(shares, by=Phrase(", ")),
                open=is_filled[leads.never_closed].mean(),
                end=late[0] if len(late) == 1 else Phrase("closed"),
            )
            return field.finding("closing", evidence, "refuse")
    return None


def _ends(leads: Leads) -> Iterator[tuple[str, Flags]]:
    yield Phrase("won"), leads.won
    yield Phrase("lost"), leads.lost


def _is_late(is_filled: Flags, part: Flags, leads: Leads) -> bool:
    """Whether far more leads of a part are filled than open leads that were created at the same time.

    A field that came or went with the years differs between old and new leads, not between open and closed.
    """
    strata, size = leads.strata
    rows = (part & (strata > 0), leads.never_closed & (strata > 0))
    ended, still = (np.bincount(strata[r], minlength=size).astype(float) for r in rows)
    full, now = (np.bincount(strata[r & is_filled], minlength=size).astype(float) for r in rows)
    both = (ended > 0) & (still > 0)
    if min(ended[both].sum(), still[both].sum()) < LEAST_ENDED:
        return False
    share_now = float(ended[both] @ (now[both] / still[both]) / ended[both].sum())
    low, _ = wilson(full[both].sum(), ended[both].sum(), FILL_Z)
    _, high = wilson(np.array(share_now * still[both].sum()), still[both].sum(), FILL_Z)
    return bool(low - high > FILLED_AT_END and low > FILL_RATIO * high)


def _copy(field: _Field) -> Finding | None:
    """It separates the won leads from the others nearly without error."""
    won, everybody = field.leads.won, np.ones_like(field.leads.won)
    strengths = [_strength(field, won, part) for part in (won | field.leads.lost, everybody)]
    best = max(*strengths, *(_strength(field, fast, everybody) for fast in _fast_wins(field.leads)))
    if best <= STRONG:
        return None
    evidence = Phrase("alone it tells the won leads from the others with a ROC-AUC of {best:.3f}", best=best)
    return field.finding("copy", evidence, "refuse" if best > TOO_STRONG else "quarantine")


def _fast_wins(leads: Leads) -> Iterator[Flags]:
    """The leads that were won within so many days of their creation, for some numbers of days."""
    days = np.where(leads.won, leads.created - leads.closed, np.nan)
    if not np.isnan(days).all():
        for most in np.nanquantile(days, SPEEDS):
            yield np.asarray(days <= most, dtype=bool)


def _strength(field: _Field, won: Flags, part: Flags) -> float:
    """ROC-AUC or Cramér's V among some leads; null may stand above or below all values."""
    won, codes = won[part], field.coded.codes[part]
    if min(won.sum(), (~won).sum()) < LEAST_LEADS / 5:
        return 0.5
    filling = cramers_v(field.coded.known[part].astype(np.int64), won)
    if field.spec.kind != "number":
        half = np.arange(len(won)) % 2 == 0
        found = target_auc(codes, won, half)
        return max(found, filling if filling > TOO_STRONG else 0.0)
    orders = (auc(codes, won), auc(field.coded.nulls_first[part], won))
    return max(*(max(value, 1 - value) for value in orders), filling if filling > TOO_STRONG else 0.0)


def _win_rate(field: _Field) -> Finding | None:
    """The win rate of a group of leads, with the outcomes of these leads in it."""
    if field.spec.kind != "number" or not is_win_rate(field.tonight, field.coded, field.leads):
        return None
    evidence = Phrase(
        "its {values} values are the shares of won leads among those that have them, the latest outcomes "
        "included",
        values=field.coded.missing,
    )
    return field.finding("win_rate", evidence, "refuse")


def _identity(field: _Field) -> Finding | None:
    """Whole numbers, nearly one for each lead, that grow with the time of creation or of closing."""
    if field.spec.kind != "number" or field.is_date:
        return None
    values = field.tonight.cast(pa.float64()).to_numpy()
    known = field.coded.known
    if known.sum() < LEAST_LEADS or field.coded.missing < UNIQUE_SHARE * known.sum():
        return None
    if not np.all(values[known] == np.floor(values[known])):
        return None
    for what, at in ((Phrase("closing"), field.leads.closed), (Phrase("creation"), field.leads.created)):
        both = known & ~np.isnan(at)
        grows = rank_correlation(values[both], -at[both])
        if both.sum() >= LEAST_LEADS and abs(grows) >= IN_ORDER:
            evidence = Phrase(
                "{values:,} values for {leads:,} leads in the order of their {what} "
                "(rank correlation {grows:.2f})",
                values=field.coded.missing,
                leads=int(known.sum()),
                what=what,
                grows=grows,
            )
            return field.finding("identity", evidence, "refuse")
    return None


def _bounds(flags: Flags) -> tuple[float, float]:
    low, high = wilson(np.array(float(flags.sum())), np.array(float(len(flags))), FILL_Z)
    return float(low), float(high)


_DETECTORS = (_date, _closing, _copy, _win_rate, _identity)
