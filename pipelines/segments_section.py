"""The section ``segments`` of ``params.yaml``: one model for all leads, or further ones where they pay."""

from __future__ import annotations

from pipelines.sections import Name, Positive, Section


class Segments(Section):
    """Whether values of a category may have models of their own: see `models.segments.own`.

    Attributes
    ----------
    by
        A category field of the leads; None: one model for all.
    min_outcomes
        Won, and lost, leads of the training slice that such a value needs.
    """

    by: Name | None = None
    min_outcomes: Positive = 100
