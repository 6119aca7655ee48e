"""The section ``holdout`` of ``params.yaml``: leads that the ranking does not steer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.sections import Moment, Name, Section
from serve.lists.holdout import Holdout as Plan


class Holdout(Section):
    """An experiment: see `serve.lists.holdout.Holdout`.

    Attributes
    ----------
    share
        Of the leads that are in the control group; 0: none runs.
    salt
        Name of the experiment: another name draws other leads.
    since
        Moment from which it runs (UTC if it has no offset); None: from the first night on.
    """

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    salt: Name = "holdout"
    since: Moment | None = None

    @property
    def plan(self) -> Plan | None:
        """As the lists take it; None where none runs."""
        return Plan(self.share, self.salt, self.since) if self.share else None
