"""Challenger and champion on the same rows: past ones that neither has learned from, and tonight's leads."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.build import feature_table
from features.memory import is_present
from features.questions import open_now
from features.snapshots import known_until
from models.backtests.slices import AGE
from models.bundle import Bundle
from models.explaining import Explainer
from models.metrics import Vector
from models.promoting.list_change import churn_share, same_family_share
from models.promoting.paired import Pair
from models.promoting.unseen import Keys, Voice, common_tests, joined
from models.reasons import family_totals
from models.scoring import Scorer
from models.segments.cut import COLUMNS, segments
from models.weights import weights_of
from pipelines.asked_features import features_of
from pipelines.inputs import Inputs
from pipelines.offering import offered
from pipelines.params import Params


def paired(params: Params, inputs: Inputs, champion: Voice, challenger: Voice, rows: Any) -> Pair:
    """All rows of which both may say something: those of both forward tests, and others that are unseen.

    Parameters
    ----------
    rows
        Labelled mature snapshots, a table of the workspace.
    """
    tested = common_tests(champion, challenger)
    found = rows.order_by("snapshot_id").to_pyarrow()
    keys = Keys.of(found)
    is_new = np.isnan(champion.kept(keys)) | np.isnan(challenger.kept(keys))
    places = np.flatnonzero(is_new & champion.may_say(keys) & challenger.may_say(keys))
    if not len(places):
        return tested
    wanted, chosen = keys.take(places), found.take(places)
    snapshots = inputs.backend.create_table(
        "paired", chosen.select(["snapshot_id", "lead_id", "as_of"]), overwrite=True
    )

    def ask(bundle: Bundle) -> Vector:
        table = features_of(params, inputs, bundle, snapshots, is_now=False)
        return Scorer(bundle).score(table).probability

    later = Pair(
        label=np.asarray(chosen.column("label").cast("float64").to_numpy()),
        champion=champion.probability(wanted, ask),
        challenger=challenger.probability(wanted, ask),
        leads=wanted.lead,
        segments=segments(_segment_columns(params, inputs, snapshots)),
        weight=weights_of(chosen),
    )
    return joined(tested, later)


def tonight(
    params: Params, inputs: Inputs, champion: Bundle, challenger: Bundle
) -> tuple[float | None, float | None]:
    """Churn and share of equal reasons over the leads that are open now; None if there are none."""
    snapshots = open_now(inputs.backend, inputs.tables, known_at=params.train.as_of)
    if snapshots is None:
        return None, None
    is_now = not inputs.is_flat and is_present(
        params.train.as_of or known_until(inputs.tables), known_until(inputs.tables)
    )
    chances, families = [], []
    for bundle in (champion, challenger):
        explained = Explainer(bundle).explain(features_of(params, inputs, bundle, snapshots, is_now=is_now))
        chances.append(explained.scores.probability)
        families.append(family_totals(explained.contributions, bundle.specs))
    churn = churn_share(*chances, capacity_share=params.promotion.capacity_share)
    return churn, same_family_share(*families)


def _segment_columns(params: Params, inputs: Inputs, snapshots: Any) -> Any:
    offer = offered(params, inputs)
    chosen = [feature for feature in offer.features if feature.name in (*COLUMNS, AGE)]
    built = feature_table(snapshots, inputs.tables, chosen, inputs.fields, offer.vocabulary)
    return built.order_by("snapshot_id").to_pyarrow()
