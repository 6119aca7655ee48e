"""The four reports of a published run by name: `leadrank report` and the pages read them here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from serve.reporting.files import Row, Territories
from serve.reporting.reading_funnel import funnel
from serve.reporting.reading_model import model
from serve.reporting.reading_sources import sources
from serve.reporting.reading_team import team

REPORTS: Mapping[str, Callable[[Path, Territories], Row]] = {
    "sources": sources,
    "funnel": funnel,
    "team": team,
    "model": model,
}
"""Each takes the folder of a run, and the territories that its reader may see (None: all leads)."""
