"""Many weekly runs of one model at once, with the files that the monitor reads.

The features of all nights come from one pass. `leadrank score` for each night publishes the same rows, and
takes as long for one as this for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.build import feature_table
from features.lifetimes import existing
from features.moments import as_moments
from features.snapshots import numbered, open_only
from models.explaining import Explainer
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import ByModel
from serve import runs

FACTS = ("lead_id", "created_at", "source", "territory")


def publish(
    params: Params, home: Path, inputs: Inputs, by: ByModel, nights: Sequence[datetime]
) -> list[runs.Run]:
    """Publish the nights of a folder, ranked by a model; the runs, the earliest first."""
    leads = inputs.tables["leads"]
    asked = numbered(open_only(existing(leads, as_moments(nights)), inputs.tables["outcomes"]))
    snapshots = inputs.backend.create_table("weekly", asked)
    made = feature_table(snapshots, inputs.tables, by.features(params, inputs), inputs.fields, by.vocabulary)
    table, facts = made.order_by("snapshot_id").to_pyarrow(), leads.select(*FACTS).to_pyarrow()
    explainer, folder = Explainer(by.champion.bundle), home / params.score.runs
    folder.mkdir(exist_ok=True)
    return [_published(folder, night, table, facts, explainer, by) for night in nights]


def _published(
    folder: Path, night: datetime, table: pa.Table, facts: pa.Table, explainer: Explainer, by: ByModel
) -> runs.Run:
    moment = pa.scalar(night.replace(tzinfo=None), pa.timestamp("us"))
    rows = table.filter(pc.equal(table["as_of"].cast(pa.timestamp("us")), moment))
    explained = explainer.explain(rows)
    names = [spec.name for spec in explainer.bundle.specs]
    values = {name: explained.contributions[:, place] for place, name in enumerate(names)}
    scores = explained.scores
    files = {
        "features": rows,
        "leads": facts.take(pc.index_in(rows["lead_id"], value_set=facts["lead_id"].combine_chunks())),
        "ranking": pa.table(
            {
                "lead_id": rows["lead_id"],
                "rank": np.argsort(np.argsort(-scores.margin, kind="stable")) + 1,
                "margin": scores.margin,
                "probability": scores.probability,
                "score": scores.score,
            }
        ),
        "contributions": pa.table({"lead_id": rows["lead_id"], **values}),
    }
    with runs.staging(folder) as staged:
        for name, content in files.items():
            pq.write_table(content, staged / f"{name}.parquet")
        manifest = {
            "as_of": night.isoformat(),
            "counts": {"ranked": rows.num_rows, "tables": []},
            **by.told(),
        }
        return runs.publish(staged, folder, runs.run_id(night, by.digest), manifest)
