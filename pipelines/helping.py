"""What would help one lead, by the model that ranked it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.errors import ModelError
from pipelines.params import Params
from serve import batch, queries
from serve.runs import Run


def improvement(params: Params, home: Path, run: Run, lead_id: str) -> dict[str, Any] | None:
    """The change in the team's hands that the model would welcome most, as plain data.

    None where nothing would help much, a scorecard ranks, or the model is no longer kept beside the project.
    """
    from models.evidence import kept
    from models.improvement import best_improvement
    from models.scoring import Scorer
    from models.store import load, place

    if queries.ranked_by(run)["ranked_by"] != batch.RANKED_BY:
        return None
    digest = run.manifest["model"]["digest"]
    try:
        bundle = load(place(home, digest), digest=digest)
    except ModelError:
        return None
    evidence = kept(bundle.extras, columns=len(bundle.specs))
    lead = queries.features(run, lead_id)
    given = params.score
    found = best_improvement(
        Scorer(bundle), evidence, lead, floor=given.evidence_leads, language=given.language
    )
    return None if found is None else asdict(found)
