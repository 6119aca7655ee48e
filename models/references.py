"""What explanations need of earlier leads, kept with the model: evidence and the population of grades.

Both come from the later slices, rows that the first pass of a training had not learned from.
"""

from __future__ import annotations

from typing import Any

from models import evidence, grades
from models.explaining import Explainer
from models.matrix import encode
from models.reasons import family_totals
from models.training import Trained


def with_references(trained: Trained, *, threads: int = 0) -> Trained:
    """The training with evidence and grades in its bundle.

    Parameters
    ----------
    threads
        Threads to use; the result does not depend on it. 0 means one per core.
    """
    found = {evidence.EVIDENCE: _evidence(trained), grades.GRADES: _grades(trained, threads)}
    return trained.with_extras(found)


def _evidence(trained: Trained) -> dict[str, Any]:
    history, later = trained.first.history, trained.first.later[-evidence.MOST_ROWS :]
    encoding = trained.bundle.encoding
    matrix = encode(history.table.take(later), encoding)
    weight = history.weight[later]
    return evidence.gather(
        matrix, history.label[later], history.leads[later], encoding, weight=weight
    ).as_json()


def _grades(trained: Trained, threads: int) -> dict[str, Any]:
    later = trained.first.later[-grades.REFERENCE_ROWS :]
    rows = trained.first.history.table.take(later)
    explained = Explainer(trained.first_bundle, threads=threads).explain(rows)
    totals = family_totals(explained.contributions, trained.first_bundle.specs)
    return grades.learned(totals, weight=trained.first.history.weight[later]).as_json()
