"""Whose models: the categories that the parameters name for segments, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from features.catalogue import FeatureSpec
from pipelines import withholding
from pipelines.params import Params


def check(params: Params, specs: Sequence[FeatureSpec]) -> None:
    """Refuse a ``segments.by`` or ``train.segment_by`` that names no category of the leads.

    Raises
    ------
    ParameterError
        With the nearest name.
    """
    withholding.check(params.train, specs)
    if params.segments.by is not None:
        withholding.check_category("segments.by", params.segments.by, specs)
