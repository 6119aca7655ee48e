"""Which features tell a protected field: leaving the field out does not leave out what stands in for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.alone import BINS
from models.audit.association import Flags, target_auc
from models.audit.worth import Worth
from models.coded import Coded, coded

LEAST_AUC = 0.60  # a feature that tells less is not named
SURE = 4.0  # standard errors: three let chance through where hundreds of features are looked at
FEWEST_LEADS = 40  # with a value of the field, and without it
MOST_PROXIES = 10  # of each field


def proxies(
    rows: pa.Table,
    specs: Sequence[FeatureSpec],
    protected: Mapping[str, pa.ChunkedArray],
    shares: Mapping[str, float],
) -> list[dict[str, Any]]:
    """The features that stand in for each protected field, the most telling first.

    Parameters
    ----------
    rows
        One row per lead, in the order of time, with ``lead_id`` and the features.
    specs
        The features of the model.
    protected
        The value of each field for each row, by name: numbers, or text.
    shares
        Each feature's share of all contributions, by name.

    Returns
    -------
    list
        For each field ``field``, ``leads`` (that have a value of it), ``together`` (ROC-AUC of a quick model
        of all features for the field's most even cut, on later leads; None with too few leads) and
        ``features``: ``feature``, ``roc_auc`` (how well it alone tells one value of the field from the
        others, or the upper half of a number from its lower; learned on half of the leads, judged on the
        rest) and ``share`` of the contributions. A feature is named from 0.60 on, surely above 0.50.
    """
    return [_of_field(rows, specs, name, column, shares) for name, column in protected.items()]


def _of_field(
    rows: pa.Table,
    specs: Sequence[FeatureSpec],
    name: str,
    column: pa.ChunkedArray,
    shares: Mapping[str, float],
) -> dict[str, Any]:
    kind = "number" if _is_number(column.type) else "category"
    field = coded(column, kind)
    known = np.flatnonzero(field.known)
    cuts = list(_cuts(field.codes[known], kind))
    seen, half = rows.take(known), halved(len(known))
    told: list[dict[str, Any]] = [
        {"feature": spec.name, "roc_auc": found, "share": shares[spec.name]}
        for spec in specs
        if (found := _telling(coded(seen.column(spec.name), spec.kind), spec.kind, cuts, half)) is not None
    ]
    told.sort(key=lambda row: -row["roc_auc"])
    together = _together(seen, specs, cuts)
    return {"field": name, "leads": len(known), "together": together, "features": told[:MOST_PROXIES]}


def halved(count: int) -> Flags:
    """Which of so many leads are learned from: about half, always the same ones."""
    return np.asarray(np.random.default_rng(0).integers(2, size=count) == 1)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _cuts(codes: npt.NDArray[np.int64], kind: str) -> Iterator[Flags]:
    """Ways to divide the leads by the field: the upper half of a number, each value of a category."""
    if not len(codes):
        return
    found = [codes > np.median(codes)] if kind == "number" else [codes == code for code in np.unique(codes)]
    yield from (part for part in found if min(part.sum(), (~part).sum()) >= FEWEST_LEADS)


def _telling(feature: Coded, kind: str, cuts: Sequence[Flags], half: Flags) -> float | None:
    """The best ROC-AUC of a feature, or None if it is not surely worth naming."""
    codes = feature.binned(BINS) if kind == "number" else feature.codes
    found = [
        target_auc(codes, cut, half) for cut in cuts if _is_sure(target_auc(codes, cut, half), cut[~half])
    ]
    best = max(found, default=0.0)
    return best if best >= LEAST_AUC else None


def _is_sure(auc: float, label: Flags) -> bool:
    """Whether a ROC-AUC is above one half by more than chance gives (Mann and Whitney 1947)."""
    pairs = float(label.sum()) * float((~label).sum())
    return pairs > 0 and bool(auc - 0.5 > SURE * math.sqrt((len(label) + 1) / (12 * pairs)))


def _together(rows: pa.Table, specs: Sequence[FeatureSpec], cuts: Sequence[Flags]) -> float | None:
    if not cuts:
        return None
    most_even = max(cuts, key=lambda cut: min(cut.sum(), (~cut).sum()))
    worth = Worth.of(rows, specs, most_even)
    return None if worth is None else worth.aucs({"all": worth.names})["all"]
