"""What a training measured, as single numbers under the names that MLflow shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Figure = tuple[str, float]


def of_contenders(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[Figure]:
    """Every figure of every contender, an interval as two more; the model's without its name.

    >>> dict(of_contenders({"model": {"n": 9}, "card": {"auc": {"value": 0.6, "low": 0.5, "high": 0.7}}}))
    {'n': 9.0, 'card.auc': 0.6, 'card.auc_low': 0.5, 'card.auc_high': 0.7}
    """
    for contender, metrics in figures.items():
        prefix = "" if contender == "model" else f"{contender}."
        for name, figure in metrics.items():
            if isinstance(figure, Mapping):
                yield f"{prefix}{name}", float(figure["value"])
                yield f"{prefix}{name}_low", float(figure["low"])
                yield f"{prefix}{name}_high", float(figure["high"])
            else:
                yield f"{prefix}{name}", float(figure)


def of_further(report: Mapping[str, Any]) -> Iterator[Figure]:
    """Every number of horizons, stages, tags and expected value; ``tag_<name>_is_shown`` is 1 or 0.

    Parameters
    ----------
    report
        ``horizons``, ``stages`` and ``tags``: figures by name, or ``left_out`` with a reason.
        ``expected_value``: figures, or None.

    Examples
    --------
    >>> nothing = {"horizons": {}, "tags": {}, "expected_value": None}
    >>> dict(of_further({**nothing, "stages": {"sql": {"roc_auc": 0.7}, "mql": {"left_out": "too few"}}}))
    {'stage_sql_roc_auc': 0.7}
    """
    for days, found in report["horizons"].items():
        yield from _numbers(f"horizon_{days}d", found)
    for stage, found in report["stages"].items():
        yield from _numbers(f"stage_{stage}", found)
    for tag, found in report["tags"].items():
        is_shown = "left_out" not in found and found["why_not"] is None
        yield from _numbers(f"tag_{tag}", {**found, "is_shown": float(is_shown)})
    yield from _numbers("expected_value", report["expected_value"] or {})


def of_segments(slices: Sequence[Mapping[str, Any]]) -> Iterator[Figure]:
    """Of how many values of each slice the forecast is judged, and of how many the rate agrees with it.

    No value is named: MLflow gets no data of a lead. The model card has each of them.

    >>> dict(of_segments([{"slice": "source", "is_inside": True}, {"slice": "source", "is_inside": False}]))
    {'segments_source': 2.0, 'segments_source_inside': 1.0}
    """
    for name in dict.fromkeys(part["slice"] for part in slices):
        inside = [part["is_inside"] for part in slices if part["slice"] == name]
        yield f"segments_{name}", float(len(inside))
        yield f"segments_{name}_inside", float(sum(inside))


def of_own(found: Mapping[str, Any] | None) -> Iterator[Figure]:
    """How many values of a category were compared, how many have models of their own, and what that brought.

    No value is named: MLflow gets no data of a lead. The model card has each of them.

    >>> dict(of_own({"values": [{"share": 0.0}, {"share": 0.5, "tried": 0.5}], "whole": None}))
    {'segment_models_values': 2.0, 'segment_models_compared': 1.0, 'segment_models_used': 1.0}
    """
    if found is None:
        return
    values = found["values"]
    yield "segment_models_values", float(len(values))
    yield "segment_models_compared", float(sum("tried" in value for value in values))
    yield "segment_models_used", float(sum(value["share"] > 0 for value in values))
    for name, difference in (found["whole"] or {}).items():
        for end in ("difference", "low", "high"):
            yield f"segment_models_{name}_{end}", float(difference[end])


def of_views(views: Mapping[str, Any]) -> Iterator[Figure]:
    """How steady features and reasons are, the share of each family, and how many features are stand-ins.

    >>> told = {"stability": {"halves": {"reasons": 0.7}}, "families": {"fit": 1.0}, "protected": []}
    >>> dict(of_views(told))
    {'stability_halves_reasons': 0.7, 'family_share_fit': 1.0}
    """
    for name, found in views["stability"].items():
        yield from _numbers(f"stability_{name}", found)
    yield from _numbers("family_share", views["families"])
    for told in views["protected"]:
        yield f"proxies_{told['field']}", float(len(told["features"]))


def _numbers(prefix: str, found: Mapping[str, Any]) -> Iterator[Figure]:
    for name, value in found.items():
        if isinstance(value, int | float):
            yield f"{prefix}_{name}", float(value)
