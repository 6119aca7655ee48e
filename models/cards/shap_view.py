"""Our contributions in the shape that shap's own plots take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.explaining import Explained

UNKNOWN = "unknown"


def explanation(explained: Explained, table: pa.Table, specs: Sequence[FeatureSpec]) -> Any:
    """A ``shap.Explanation`` of n rows, for ``shap.plots.beeswarm``, ``waterfall`` and the like.

    Parameters
    ----------
    explained
        What the model says of the rows.
    table
        The n rows with their k features as they were built, in the same order.
    specs
        The k features, in the order of the contributions' columns.

    Returns
    -------
    shap.Explanation
        ``values`` of shape (n, k) in log-odds; ``data`` of shape (n, k) with numbers (NaN where null) and
        texts, for colours; ``display_data`` with every value in words.
    """
    import shap

    columns = [table.column(spec.name).to_pylist() for spec in specs]
    return shap.Explanation(
        explained.contributions,
        base_values=np.full(table.num_rows, explained.base),
        data=_stacked([[_plain(value, spec) for value in c] for c, spec in zip(columns, specs, strict=True)]),
        display_data=_stacked([[_shown(value) for value in column] for column in columns]),
        feature_names=[spec.name for spec in specs],
    )


def _stacked(columns: Sequence[Sequence[object]]) -> Any:
    return np.array(columns, dtype=object).T


def _plain(value: float | str | None, spec: FeatureSpec) -> float | str:
    """A number, or a text that shap leaves without a colour."""
    if spec.kind == "category":
        return UNKNOWN if value is None else str(value)
    return np.nan if value is None else float(value)


def _shown(value: object) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
