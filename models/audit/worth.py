"""What a model loses without a column: a quick model of earlier rows, judged on later ones, refitted without.

It is a measuring instrument, not the model of ``leadrank train``: few small trees on a sample of the rows, so
that dozens of refits take seconds. Losses are differences between two such models on the same rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.alone import earlier_rows
from models.audit.association import Flags, auc
from models.coded import lead_numbers
from models.matrix import Matrix, encode, fit_encoding
from models.metrics import Vector

MOST_ROWS = 5_000  # of each side
LEAST_OUTCOMES = 20  # of each kind and side; with fewer a loss is chance
TREES, THREADS = 40, 2
_PARAMETERS: Mapping[str, Any] = {
    "objective": "binary", "num_leaves": 15, "max_depth": 5, "learning_rate": 0.15, "min_data_in_leaf": 20,
    "lambda_l2": 5.0, "cat_smooth": 30.0, "cat_l2": 30.0, "max_bin": 63, "seed": 7, "num_threads": 1,
    "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Worth:
    """Earlier and later rows, encoded once.

    Attributes
    ----------
    names, kinds
        Columns of the matrices.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    earlier: Matrix
    later: Matrix
    earlier_won: Vector
    later_won: Flags

    @classmethod
    def of(cls, rows: pa.Table, specs: Sequence[FeatureSpec], won: Flags) -> Worth | None:
        """A sample of the rows, or None where they hold too few outcomes to measure on.

        No lead is on both sides.
        """
        sides = _sides(rows)
        for side in sides:
            if min(won[side].sum(), (~won[side]).sum()) < LEAST_OUTCOMES:
                return None
        encoding = fit_encoding(rows.take(sides[0]), specs)
        earlier, later = (encode(rows.take(side), encoding) for side in sides)
        return cls(
            encoding.names, encoding.kinds, earlier, later, won[sides[0]].astype(np.float64), won[sides[1]]
        )

    def gains(self, names: Iterable[str]) -> dict[str, float]:
        """Share of the splits' gain that each of the named columns brings, 0 to 1."""
        places = self._places(names)
        if not places:
            return {}
        gain = self._fitted(places).feature_importance("gain")
        return {self.names[p]: float(g / max(gain.sum(), 1e-12)) for p, g in zip(places, gain, strict=True)}

    def aucs(self, sets: Mapping[str, Iterable[str]]) -> dict[str, float]:
        """ROC-AUC on the later rows of a model with each set of columns; 0.5 for one without columns."""
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            return dict(zip(sets, pool.map(self._auc, sets.values()), strict=True))

    def _auc(self, names: Iterable[str]) -> float:
        places = self._places(names)
        if not places:
            return 0.5
        margin = self._fitted(places).predict(self.later[:, places], raw_score=True, num_threads=1)
        return auc(np.unique(margin, return_inverse=True)[1], self.later_won)

    def _fitted(self, places: list[int]) -> Any:
        import lightgbm as lgb

        categories = [at for at, place in enumerate(places) if self.kinds[place] == "category"]
        parameters = dict(_PARAMETERS)
        data = lgb.Dataset(
            self.earlier[:, places], self.earlier_won, categorical_feature=categories, params=parameters
        )
        return lgb.train(parameters, data, TREES)

    def _places(self, names: Iterable[str]) -> list[int]:
        wanted = set(names)
        return [place for place, name in enumerate(self.names) if name in wanted]


def _sides(rows: pa.Table) -> tuple[Any, Any]:
    """Places of the earlier and the later rows; a lead with rows on both sides keeps the earlier ones."""
    lead, earlier = lead_numbers(rows), earlier_rows(rows)
    is_new = ~np.isin(lead, np.unique(lead[earlier]))
    return _sample(np.flatnonzero(earlier)), _sample(np.flatnonzero(~earlier & is_new))


def _sample(places: Any) -> Any:
    """At most ``MOST_ROWS`` of the places, drawn evenly by a fixed seed, in their order."""
    if len(places) <= MOST_ROWS:
        return places
    random = np.random.default_rng(zlib.crc32(b"audit"))
    return np.sort(random.choice(places, MOST_ROWS, replace=False))
