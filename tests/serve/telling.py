"""Requests that tell of leads what the tables of a project tell of them."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.inputs import opened
from pipelines.params import Params
from pipelines.progress import Progress

FACTS = ("touches", "outcomes", "field_history")
DERIVED = ("title_seniority", "title_department")


class Telling:
    """Makes requests from the tables of the demo.

    Parameters
    ----------
    home
        Its folder.
    """

    def __init__(self, params: Params, home: Path) -> None:
        with opened(params, home, Progress(is_quiet=True)) as inputs:
            tables = {name: inputs.tables[name].to_pyarrow().to_pylist() for name in ("leads", *FACTS)}
        with (home / "data" / "leads.csv").open(encoding="utf-8") as file:
            titles = {row["lead_id"]: row["title"] for row in csv.DictReader(file)}
        self._leads = {
            row["lead_id"]: _told({**row, "title": titles[row["lead_id"]]}) for row in tables["leads"]
        }
        self._facts: dict[str, dict[str, list[Any]]] = {name: defaultdict(list) for name in FACTS}
        for name in FACTS:
            for row in tables[name]:
                self._facts[name][row["lead_id"]].append(_told(row))

    def touches(self, lead: str) -> int:
        """Touches that a lead has."""
        return len(self._facts["touches"][lead])

    def of(self, leads: Sequence[str], as_of: str, **more: Any) -> bytes:
        """The body of a request for some leads."""
        facts = {name: [row for lead in leads for row in of[lead]] for name, of in self._facts.items()}
        told = {"as_of": as_of, "leads": [self._leads[lead] for lead in leads], **facts, **more}
        return json.dumps(told).encode()


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in ("row_number", *DERIVED) and value is not None
    }
