"""What stands beside the probability of a lead: other horizons and stages, expected value, tags."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import numpy as np
import pyarrow as pa

from features.errors import ModelError
from models.audit.association import Flags
from models.bundle import Bundle
from models.fitting.blend import Ensemble
from models.further.stated import STATED, likeliest
from models.further.tags import shown_tags, tagged
from models.matrix import Matrix, encode
from models.metrics import Vector
from models.scoring import Scores
from models.segments.floor import floor_of

STAGES = "stages"
"""Under this name a bundle keeps the target of each stage that is published."""
FEATURE_TAGS = {"rfm_octant": "rfm_octant_90d", "top_place": "top_place_90d"}
"""Columns of the ranking and the features they are: analytic and factual tags."""


class Predictor:
    """The further targets of a bundle, ready to be asked; parses their trees once.

    Parameters
    ----------
    bundle
        The model.
    threads
        Threads for prediction; the result does not depend on it.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self._bundle = bundle
        self._stages: Mapping[str, str] = bundle.extras.get(STAGES, {})
        self._tags = shown_tags(bundle.extras)
        self._floor = floor_of(bundle)
        self._rivals = [about["targets"] for about in bundle.extras.get(STATED, {}).values()]
        of_tags = {*(tag.target for tag in self._tags), *chain.from_iterable(self._rivals)}
        needed = {*self._stages.values(), *of_tags} - {bundle.target.name}
        targets = {target.name: target for target in bundle.targets}
        if not needed <= set(targets):
            raise ModelError(
                "the model lacks a target that its tags or stages need", hint="train the model again"
            )
        self._targets = {name: targets[name] for name in sorted(needed)}
        self._ensembles = {name: Ensemble(t.blend, threads=threads) for name, t in self._targets.items()}

    def columns(
        self,
        table: pa.Table,
        scores: Scores,
        asked: Mapping[str, Flags],
        *,
        matrix: Matrix | None = None,
    ) -> dict[str, pa.Array]:
        """The further columns of scored leads.

        Parameters
        ----------
        table
            Their features.
        scores
            What the ranking target says of them.
        asked
            Whether each lead is asked about a target, by its name; a target without an entry asks all.
        matrix
            Their encoded features, if they are there already.

        Returns
        -------
        dict
            ``probability_<days>d`` (where there are several horizons), ``probability_<stage>`` (null for a
            lead that is not asked: it was there already), ``expected_value``, ``tags`` and the tags that are
            features, as far as the model has them.
        """
        found = {f"probability_{days:g}d": pa.array(chance) for days, chance in scores.within.items()}
        if matrix is None:
            matrix = encode(table, self._bundle.encoding)
        margins = {name: ensemble.margin(matrix) for name, ensemble in self._ensembles.items()}
        for stage, name in self._stages.items():
            chance = self._targets[name].calibration.apply(margins[name])
            is_asked = asked.get(name, np.ones(table.num_rows, dtype=bool))
            found[f"probability_{stage}"] = pa.array(chance, mask=~is_asked)
        if self._bundle.amount is not None:
            worth = self._bundle.amount.predict(table, self._bundle.encoding, matrix=matrix)
            found["expected_value"] = pa.array(scores.probability * worth)
        if self._tags:
            margins[self._bundle.target.name] = scores.margin
            of_values = self._likeliest(margins, asked)
            found["tags"] = pa.array(tagged(self._tags, margins, {**asked, **of_values}), pa.string())
        for name, feature in FEATURE_TAGS.items():
            if feature in table.column_names:
                found[name] = table.column(feature).combine_chunks().cast(pa.string())
        return found

    def why_withheld(self, table: pa.Table) -> pa.Array:
        """Why no probability of a lead may be published, as text, shape (n,); null where it may."""
        if self._floor is None:
            return pa.nulls(table.num_rows, pa.string())
        return self._floor.why_withheld(table.column(self._floor.segment_by))

    def _likeliest(self, margins: Mapping[str, Vector], asked: Mapping[str, Flags]) -> dict[str, Flags]:
        """Whether each lead states no value of a field and none is likelier than this, by target."""
        found = {}
        for names in self._rivals:
            chances = {name: self._targets[name].calibration.apply(margins[name]) for name in names}
            for name, is_first in likeliest(chances).items():
                found[name] = is_first & asked.get(name, np.zeros(len(is_first), dtype=bool))
        return found
