"""Rank leads by the points scorecard where no model is in force: points and reasons, no probability.

The files are those of a ranking by a model, so that whoever reads them needs no second way; what only a model
can say is null, and every row says that the card ranked it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.points.reasons import rule_reasons
from models.points.rule import Points, Rule
from models.points.scorecard import HIGHEST, LOWEST, uncut
from serve import part_rows
from serve.batch import CONTRIBUTIONS, FILES, REASONS, SCORES, Shown

RANKED_BY = "scorecard"
UNKNOWN = ("probability", "probability_low", "probability_high", "margin")
"""Columns that only a model fills; null here."""


@dataclass(frozen=True)
class Card:
    """A scorecard that can rank.

    Attributes
    ----------
    rules
        At least one.
    specs
        Feature of each rule, by name.
    mql_points
        Points, of 100, from which a lead counts as marketing-qualified.
    """

    rules: tuple[Rule, ...]
    specs: Mapping[str, FeatureSpec]
    mql_points: float


@dataclass(frozen=True)
class Standing:
    """Where n leads stand.

    Attributes
    ----------
    points
        Before they are cut, shape (n,).
    score
        Cut to 0 and 100.
    is_mql
        Whether the score is at least the card's ``mql_points``.
    """

    points: Points
    score: Points
    is_mql: npt.NDArray[np.bool_]


def standing(card: Card, table: pa.Table) -> Standing:
    """The points of each lead of a feature table that has every column the rules read."""
    points = uncut(table, card.rules)
    score = np.clip(points, LOWEST, HIGHEST)
    return Standing(points, score, score >= card.mql_points)


def score_leads(
    card: Card,
    features: Path,
    staged: Path,
    *,
    shown: Shown,
    part_leads: int | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> int:
    """Give every lead of a feature table its points.

    Parameters
    ----------
    features
        Parquet file, or its parts, with ``lead_id`` and every column that the rules read, one row per lead.
    staged
        Folder that receives ``scores.parquet`` (as a model writes it, with ``score`` the points cut to 0 and
        100, ``points`` before that, ``is_mql``, and null for what only a model knows), ``reasons.parquet``,
        and ``contributions.parquet``: the points by feature, which add up to ``points``.
    part_leads
        As `serve.batch.score_leads` takes it.
    on_rows
        Called with the number of leads of the file, or of each part.

    Returns
    -------
    int
        Leads scored.
    """
    leads = 0
    with ExitStack() as files:
        grow = {name: files.enter_context(part_rows.Growing(staged / name, part_leads)) for name in FILES}
        for start, table in part_rows.tables(features):
            for name, rows in _told(card, table, shown).items():
                grow[name].add(rows, start)
            leads += table.num_rows
            on_rows(table.num_rows)
    return leads


def _told(card: Card, table: pa.Table, shown: Shown) -> dict[str, pa.Table]:
    """What the files say of some leads, by their names."""
    stands = standing(card, table)
    nothing = pa.nulls(table.num_rows, pa.float64())
    said = rule_reasons(
        table,
        card.rules,
        card.specs,
        most_for=shown.reasons_for,
        most_against=shown.reasons_against,
        language=shown.language,
    )
    lead = table.column("lead_id")
    scores = {
        "lead_id": lead,
        **dict.fromkeys(UNKNOWN, nothing),
        "score": stands.score,
        **dict.fromkeys(("grade", "route"), pa.nulls(table.num_rows, pa.string())),
        "points": stands.points,
        "is_mql": stands.is_mql,
    }
    reasons = said.drop_columns(["row"]).add_column(0, "lead_id", lead.take(said.column("row")))
    return {SCORES: pa.table(scores), REASONS: reasons, CONTRIBUTIONS: _by_feature(table, card.rules)}


def _by_feature(table: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    base = np.zeros(table.num_rows)
    sums: dict[str, np.ndarray] = {}
    for rule in rules:
        sums[rule.feature] = sums.get(rule.feature, base) + rule.given(table)
    return pa.table({"lead_id": table.column("lead_id"), "base": base, **sums})
