"""The views of one training: importance, dependence, stability and proxies, on rows later than the model's.

What is looked at is the model of the first pass on the later slices: it has not learned from them. The model
that is shipped has, and is only asked whether it gives the same reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.bundle import Bundle
from models.explaining import Explained, Explainer
from models.fitting.blend import Blend
from models.fitting.rows import History
from models.metrics import Vector
from models.references import Later
from models.training import Trained
from models.views.dependence import Dependence, dependence
from models.views.importance import Importance, importance
from models.views.proxies import proxies
from models.views.stability import Agreement, Voice, agreement, mean_agreement, voice

DRAWN_ROWS = 500  # that pictures show and other models are asked about; more change nothing but the time
DEPENDENCES = 6
MOST_PAIRS = 1  # of half models: a small history has four, and each takes as long as the first


@dataclass(frozen=True)
class Overview:
    """What was seen.

    Attributes
    ----------
    specs
        Features of the model that was looked at.
    rows
        How many later rows were looked at: n.
    importance
        Of all n rows.
    dependences
        Of the strongest features, on all n rows.
    drawn
        Places of the rows that pictures show, drawn in proportion to the moments they stand for.
    table, explained
        These rows, and what the model says of them.
    stability
        By what differs (``retrained``, ``halves``): what `models.views.stability.agreement` says.
    protected
        As `models.views.proxies.proxies` told them.
    """

    specs: Sequence[FeatureSpec]
    rows: int
    importance: Importance
    dependences: tuple[Dependence, ...]
    drawn: npt.NDArray[np.intp]
    table: pa.Table
    explained: Explained
    stability: Mapping[str, Agreement]
    protected: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Plain data: the tables behind the pictures."""
        return {
            "rows": self.rows,
            "drawn_rows": len(self.drawn),
            "families": self.importance.families,
            "features": self.importance.as_json(),
            "dependence": [group for each in self.dependences for group in each.as_json()],
            "stability": {
                **{name: dict(found) for name, found in self.stability.items()},
                "resampled": {"top_features": self.importance.same_top},
            },
            "protected": [dict(field) for field in self.protected],
        }


def overview(
    trained: Trained,
    later: Later,
    *,
    protected: Mapping[str, pa.ChunkedArray] | None = None,
    seed: int = 0,
    threads: int = 0,
) -> Overview:
    """Look at a training.

    Parameters
    ----------
    later
        The rows to look at.
    protected
        Value of each protected field for each row of the first pass's history, by name.
    threads
        Threads to use; the result does not depend on it. 0 means one per core.
    """
    first, explained = trained.first_bundle, later.explained
    seen = importance(explained.contributions, first.specs, later.leads, later.weight, seed=seed)
    places = drawn(later.weight, DRAWN_ROWS)
    table, shown = later.table.take(places), explained.take(places)
    return Overview(
        specs=first.specs,
        rows=later.table.num_rows,
        importance=seen,
        dependences=tuple(
            dependence(explained.contributions, explained.matrix, first.encoding, place, later.weight)
            for place in seen.order[:DEPENDENCES]
        ),
        drawn=places,
        table=table,
        explained=shown,
        stability=_stability(trained, table, shown, threads),
        protected=_proxies(trained.first.history, first.specs, protected or {}, seen.share_of()),
    )


def drawn(weight: Vector, most: int) -> npt.NDArray[np.intp]:
    """At most so many places, in their order, drawn in proportion to the weights (systematic sampling).

    >>> drawn(np.array([1.0, 1.0, 2.0, 4.0]), 4)
    array([0, 2, 3, 3])
    """
    count = min(most, len(weight))
    return np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(count) + 0.5) / count)


def _stability(trained: Trained, table: pa.Table, shown: Explained, threads: int) -> dict[str, Agreement]:
    first = trained.first_bundle
    own = _voice(first, table, shown)
    found = {"retrained": agreement(own, _asked(trained.bundle, table, threads))}
    pairs = [
        [_asked(_with_blend(first, half), table, threads) for half in pair]
        for pair in trained.halves[:MOST_PAIRS]
    ]
    if pairs:
        found["halves"] = mean_agreement([agreement(one, other) for one, other in pairs])
    return found


def _asked(bundle: Bundle, table: pa.Table, threads: int) -> Voice:
    return _voice(bundle, table, Explainer(bundle, threads=threads).explain(table))


def _voice(bundle: Bundle, table: pa.Table, explained: Explained) -> Voice:
    return voice(explained.contributions, table, bundle.specs, np.ones(table.num_rows))


def _with_blend(bundle: Bundle, blend: Blend) -> Bundle:
    return replace(bundle, targets=(replace(bundle.target, blend=blend),))


def _proxies(
    history: History,
    specs: Sequence[FeatureSpec],
    protected: Mapping[str, pa.ChunkedArray],
    shares: Mapping[str, float],
) -> list[dict[str, Any]]:
    """On the latest row of each lead: of what no one has learned, nothing can be too good."""
    if not protected:
        return []
    backwards = history.leads[::-1].astype(str)
    latest = np.sort(len(backwards) - 1 - np.unique(backwards, return_index=True)[1])
    values = {name: column.take(pa.array(latest)) for name, column in protected.items()}
    return proxies(history.table.take(latest), specs, values, shares)
