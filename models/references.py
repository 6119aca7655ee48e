"""What explanations need of earlier leads, kept with the model: evidence and the population of grades.

Both come from the later slices, rows that the first pass of a training had not learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from models import evidence, grades
from models.explaining import Explained, Explainer
from models.matrix import encode
from models.metrics import Vector
from models.reasons import family_totals
from models.training import Trained


@dataclass(frozen=True)
class Later:
    """The latest of the rows that the first pass had not learned from, and what it says of them.

    Attributes
    ----------
    table
        The n rows with their features as they were built.
    leads
        Lead of each row, shape (n,).
    weight
        How often each row counts, shape (n,).
    explained
        By the model of the first pass.
    """

    table: pa.Table
    leads: npt.NDArray[Any]
    weight: Vector
    explained: Explained


def explained_later(trained: Trained, *, threads: int = 0) -> Later:
    """Explain them, once for all that asks.

    Parameters
    ----------
    threads
        Threads to use; the result does not depend on it. 0 means one per core.
    """
    history, places = trained.first.history, trained.first.later[-grades.REFERENCE_ROWS :]
    table = history.table.take(places)
    explained = Explainer(trained.first_bundle, threads=threads).explain(table)
    return Later(table, history.leads[places], history.weight[places], explained)


def with_references(trained: Trained, later: Later) -> Trained:
    """The training with evidence and grades in its bundle."""
    return trained.with_extras(
        {evidence.EVIDENCE: _evidence(trained), grades.GRADES: _grades(trained, later)}
    )


def _evidence(trained: Trained) -> dict[str, Any]:
    history, later = trained.first.history, trained.first.later[-evidence.MOST_ROWS :]
    encoding = trained.bundle.encoding
    matrix = encode(history.table.take(later), encoding)
    weight = history.weight[later]
    return evidence.gather(
        matrix, history.label[later], history.leads[later], encoding, weight=weight
    ).as_json()


def _grades(trained: Trained, later: Later) -> dict[str, Any]:
    totals = family_totals(later.explained.contributions, trained.first_bundle.specs)
    return grades.learned(totals, weight=later.weight).as_json()
