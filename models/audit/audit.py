"""The leakage audit: one verdict per column, with the evidence in one sentence and the figures behind it.

``refuse`` and ``quarantine`` stay out of training unless ``audit.allow`` names them with a reason. A column
that is kept may still ask for attention: a suspect, or a field whose moment nobody declared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.alone import earlier_rows
from models.audit.column_figures import ahead_share, column_figures, in_place
from models.audit.findings import Finding
from models.audit.hindsight import look_back
from models.audit.leads import Leads
from models.audit.leakage import audit as look_at_rows
from models.audit.verdicts import UNKNOWN, Changes, ColumnReport, judged, said
from models.audit.worth import Worth
from models.phrases import Phrase

__all__ = ["Audit", "Changes", "Material", "audit"]

MOST_COLUMNS = 40  # of the model whose losses are measured: refits of hundreds of columns take minutes
MOST_REFITS = 20  # columns by gain whose loss is measured beside the ones that somebody has to decide about
MOST_UNDECLARED = 40
MOSTLY_LATE, HALF_LATE, LEAST_CHANGES = 0.9, 0.5, 50


@dataclass(frozen=True)
class Material:
    """All that the audit looks at.

    Attributes
    ----------
    rows
        Snapshots with label and features, as for training.
    specs
        Columns to look at.
    times
        Time class of each own field among them, by feature name; None: nobody declared it.
    beside
        Columns that training does not use whatever is found: only today's value is known.
    dates
        Own fields that are dates (in ``rows``: days before the moment).
    tonight
        Own fields of the leads that are open now; None if nobody is.
    leads
        Every lead as it stands today; None leaves out what only whole leads show.
    changes
        Past of the tracked fields, by feature name.
    """

    rows: pa.Table
    specs: Sequence[FeatureSpec]
    times: Mapping[str, str | None]
    beside: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    tonight: pa.Table | None = None
    leads: Leads | None = None
    changes: Mapping[str, Changes] = field(default_factory=dict)

    @property
    def undeclared(self) -> list[str]:
        """Fields of which nobody said since when their value stands."""
        return [name for name, time in self.times.items() if time is None or name in self.beside]


@dataclass(frozen=True)
class Audit:
    """Every column with its verdict, and what the quick model reached.

    Attributes
    ----------
    columns
        Refused ones first, then by what the model loses.
    auc_used, auc_declared
        ROC-AUC on later rows of a quick model with the used columns, and with those of declared moment
        alone; None where too few outcomes are there to measure on.
    rows, positives
        How many rows were looked at, and won ones among them.
    """

    columns: tuple[ColumnReport, ...]
    auc_used: float | None
    auc_declared: float | None
    rows: int
    positives: int

    @property
    def left_out(self) -> frozenset[str]:
        """Columns that training must not use."""
        return frozenset(report.column for report in self.columns if not report.is_used)

    def findings(self, *severities: str) -> list[Finding]:
        """Findings of these severities about columns that nobody allowed."""
        return [f for c in self.columns if c.allowed is None for f in c.findings if f.severity in severities]

    def as_json(self) -> dict[str, Any]:
        """Plain data: ``columns`` with ``findings`` and ``figures``, and the figures of the quick model."""
        return {
            "rows": self.rows,
            "positives": self.positives,
            "auc_used": self.auc_used,
            "auc_declared": self.auc_declared,
            "verdicts": {
                v: sum(c.verdict == v for c in self.columns) for v in ("refuse", "quarantine", "keep")
            },
            "columns": [{**asdict(report), "is_missed": report.is_missed} for report in self.columns],
        }


def audit(material: Material, *, allow: Mapping[str, str] | None = None, is_strict: bool = False) -> Audit:
    """Look at every column and decide.

    Parameters
    ----------
    allow
        Reasons by column: these are kept whatever was found.
    is_strict
        Whether only fields with a declared time class are used.

    Returns
    -------
    Audit
        With all columns kept where only one label occurs: there is nothing to compare.
    """
    won = material.rows.column("label").cast(pa.float64()).to_numpy() > 0
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in _found(material):
        found[finding.column].append(finding)
    undeclared = set(material.undeclared)
    reports = {
        spec.name: judged(
            spec,
            found[spec.name],
            figures,
            is_field=spec.name in material.times,
            time=material.times.get(spec.name),
            is_unknown=spec.name in undeclared,
            changes=material.changes.get(spec.name),
            allowed=(allow or {}).get(spec.name),
        )
        for spec, figures in _figures(material, won)
    }
    banned = {*material.beside, *(n for n, time in material.times.items() if is_strict and time is None)}
    reports = {
        name: replace(r, is_used=r.verdict == "keep" and name not in banned) for name, r in reports.items()
    }
    worth = Worth.of(material.rows, material.specs, won)
    measured, used, declared = _measured(worth, reports)
    finished = [
        said(replace(r, figures={**r.figures, **measured.get(name, {})})) for name, r in reports.items()
    ]
    return Audit(tuple(sorted(finished, key=_place)), used, declared, len(won), int(won.sum()))


def _found(material: Material) -> Iterator[Finding]:
    whole = (
        []
        if material.leads is None
        else look_back(material.rows, material.leads, _looked_back_at(material), dates=material.dates)
    )
    yield from whole
    explained = _compared(material) - {finding.column for finding in whole if finding.detector == "closing"}
    for finding in look_at_rows(
        material.rows, material.specs, tonight=material.tonight, undeclared=material.undeclared
    ):
        is_age = finding.detector == "fill" and finding.column in explained
        yield replace(finding, severity="suspect") if is_age else finding
    for name, past in material.changes.items():
        if past.changes >= LEAST_CHANGES and past.after_share >= HALF_LATE:
            evidence = Phrase(
                "{share:.0%} of its {changes:,} changes come on or after the closing",
                share=past.after_share,
                changes=past.changes,
            )
            is_late = past.after_share >= MOSTLY_LATE
            yield Finding(name, "changes", evidence, "refuse" if is_late else "suspect")


def _looked_back_at(material: Material) -> list[FeatureSpec]:
    """The fields whose value of today is used: a tracked one is read as of the moment instead."""
    return [s for s in material.specs if s.family == "fit" and material.times.get(s.name) != "tracked"]


def _compared(material: Material) -> set[str]:
    """Fields of which open and closed leads of one age were compared: that tells more than tonight does."""
    if material.leads is None or not material.leads.can_compare:
        return set()
    return {spec.name for spec in _looked_back_at(material)}


def _figures(material: Material, won: Any) -> Iterator[tuple[FeatureSpec, dict[str, float | None]]]:
    earlier, now = earlier_rows(material.rows), material.tonight
    for spec in material.specs:
        column = material.rows.column(spec.name)
        tonight = now.column(spec.name) if now is not None and spec.name in now.column_names else None
        figures = column_figures(
            column, spec, won=won, earlier=earlier, tonight=tonight, today=_today(material, spec.name)
        )
        yield (
            spec,
            {
                **figures,
                "loss": None,
                "auc_without": None,
                "ahead_share": ahead_share(column) if spec.name in material.dates else None,
            },
        )


def _today(material: Material, name: str) -> pa.ChunkedArray | None:
    """Today's value beside each past night, of a tracked field."""
    if material.leads is None or material.times.get(name) != "tracked":
        return None
    table = material.leads.table
    return in_place(table.column(name), table.column("lead_id"), material.rows.column("lead_id"))


def _measured(
    worth: Worth | None, reports: Mapping[str, ColumnReport]
) -> tuple[dict[str, dict[str, float | None]], float | None, float | None]:
    """``auc_without`` and ``loss`` of columns, and the ROC-AUC with all used ones and all declared ones.

    Losses are those of a model with the best of the used columns; of any other column it is what this model
    would have more with it.
    """
    if worth is None:
        return {}, None, None
    used = [name for name, report in reports.items() if report.is_used]
    declared = [name for name in used if UNKNOWN not in reports[name].attention]
    gains = worth.gains(used)
    best = sorted(gains, key=lambda name: -gains[name])[:MOST_COLUMNS]
    asked = _asked(worth, reports, gains)
    sets = {"|used": used, "|declared": declared, "|best": best}
    found = worth.aucs({**sets, **{name: {*best} ^ {name} for name in asked}})
    reached, least, base = (found.pop(name) for name in sets)
    losses = {n: (base - other, other) if n in best else (other - base, base) for n, other in found.items()}
    unused = {
        name: (0.0, base) for name in used if not gains.get(name)
    }  # the same model comes out without them
    return (
        {n: {"loss": loss, "auc_without": auc} for n, (loss, auc) in (losses | unused).items()},
        reached,
        least,
    )


def _asked(worth: Worth, reports: Mapping[str, ColumnReport], gains: Mapping[str, float]) -> list[str]:
    """The columns whose loss is measured: those that matter most, and those that somebody decides about."""
    by_gain = sorted(gains, key=lambda name: -gains[name])[:MOST_REFITS]
    decided = [n for n, r in reports.items() if (r.verdict != "keep" or r.attention) and gains.get(n) != 0]
    decided.sort(key=lambda name: -abs((reports[name].figures.get("auc_alone") or 0.5) - 0.5))
    wanted = dict.fromkeys([*by_gain, *decided[:MOST_UNDECLARED]])
    return [name for name in wanted if name in worth.names and gains.get(name) != 0]


def _place(report: ColumnReport) -> tuple[int, int, float, str]:
    verdicts = ("refuse", "quarantine", "keep")
    loss = report.figures.get("loss")
    return (
        verdicts.index(report.verdict),
        not report.attention,
        np.inf if loss is None else -loss,
        report.column,
    )
