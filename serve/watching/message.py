"""What is said of a lead that crossed the threshold, and the key by which it is said once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

TYPE = "lead.mql"


@dataclass(frozen=True)
class Message:
    """One crossing.

    Attributes
    ----------
    lead_id
        The lead.
    points
        Of the scorecard, 0 to 100.
    threshold
        Points from which a lead counts as marketing-qualified.
    as_of
        The look that found it, in UTC.
    """

    lead_id: str
    points: float
    threshold: float
    as_of: datetime

    @property
    def crossed_on(self) -> str:
        """The day (UTC) of the crossing, ISO 8601."""
        return self.as_of.astimezone(UTC).date().isoformat()

    @property
    def key(self) -> str:
        """SHA-256 over lead, threshold and day: one message a day, however often it crosses."""
        said = json.dumps([self.lead_id, f"{self.threshold:g}", self.crossed_on], ensure_ascii=True)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def body(self) -> str:
        """As it is sent: JSON with ``type``, ``timestamp`` and ``data``."""
        at = self.as_of.astimezone(UTC).isoformat()
        data = {
            "lead_id": self.lead_id,
            "points": self.points,
            "threshold": self.threshold,
            "as_of": at,
            "key": self.key,
        }
        return json.dumps({"type": TYPE, "timestamp": at, "data": data}, ensure_ascii=False)
