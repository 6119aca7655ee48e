"""Parameters and metrics in the flat shape that MLflow keeps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Json: TypeAlias = str | float | bool | list[Any] | tuple[Any, ...] | Mapping[str, Any] | None
ColumnKind: TypeAlias = Literal["number", "category"]

_LONGEST_VALUE = 500  # characters; MLflow's own limit is 6000
_LONGEST_KEY = 250  # characters, MLflow's limit


def flat_params(params: Mapping[str, Json], prefix: str = "") -> dict[str, str]:
    """Nested parameters under names such as ``section.key``; lists stay one value.

    >>> flat_params({"train": {"bags": 3, "days": [7, 30]}})
    {'train.bags': '3', 'train.days': '[7, 30]'}
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        key = _key(f"{prefix}{name}")
        if isinstance(value, Mapping):
            flat |= flat_params(value, f"{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            flat[key] = text[:_LONGEST_VALUE]
    return flat


def finite_metrics(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """The metrics that are numbers, under names that MLflow accepts.

    >>> finite_metrics({"lift@10": 2.0, "auc": None, "loss": float("nan")})
    {'lift_10': 2.0}
    """
    known = {_key(name): float(value) for name, value in metrics.items() if value is not None}
    return {name: value for name, value in known.items() if math.isfinite(value)}


def _key(name: str) -> str:
    """A name that MLflow accepts."""
    return re.sub(r"[^\w\-. /:]", "_", name)[:_LONGEST_KEY]
