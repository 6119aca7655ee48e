"""Write `docs/reading.md`: what a sales manager reads of twenty leads of the demo, drawn at random.

make demo
.venv/bin/python docs/make_reading.py demo
"""
# ruff: noqa: INP001  # a script beside the manual, not a package

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from models.labels import NAMES
from pipelines.params import load
from serve.lead import explained
from serve.runs import Run, current

LEADS = 20
PAGE = Path(__file__).with_name("reading.md")
HEAD = """\
# Twenty leads

What `leadrank explain` says of twenty leads of the demo CRM, drawn at random from its {ranked:,} open leads.
The company does not exist. Points are percentage points of probability; behind a reason stands what became
of earlier leads with such a value, against {base:.1%} of all ([explanations](explanations.md)).
"""


def page(run: Run) -> str:
    """The page of a run."""
    ids = sorted(_ids(run), key=lambda lead: hashlib.sha256(lead.encode()).digest())[:LEADS]
    leads = [lead for lead in (explained(run, lead_id) for lead_id in ids) if lead is not None]
    head = HEAD.format(ranked=run.manifest["counts"]["ranked"], base=run.manifest["model"]["base_rate"])
    told = ("\n".join(_told(lead)) for lead in sorted(leads, key=lambda lead: lead["rank"]))
    return "\n".join([head, *told])


def _ids(run: Run) -> list[str]:
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT lead_id FROM read_parquet(?)", [str(run.folder / "ranking.parquet")]
        )
        return [lead for (lead,) in found.fetchall()]


def _told(lead: Mapping[str, Any]) -> Iterator[str]:
    chance = "no probability" if lead["probability"] is None else f"{lead['probability']:.1%}"
    route = NAMES.get(lead["route"], lead["route"])
    yield f"## Rank {lead['rank']:,}: {chance}, score {lead['score']:.0f}, {lead['grade']} ({route})\n"
    for reason in lead["reasons"]:
        rate, leads = reason["evidence_rate"], reason["evidence_leads"]
        evidence = "" if rate is None else f" *({rate:.1%} of {leads:,} leads like this)*"
        mark = " **in your hands**" if reason["is_changeable"] else ""
        yield f"- {reason['points']:+.1f} points: {reason['sentence']}{mark}{evidence}"
    if not lead["reasons"]:
        yield "- no single fact moves this lead much"
    yield ""


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    in_force = current(folder / load(folder / "params.yaml").score.runs)
    if in_force is None:
        raise SystemExit("no ranking is in force: run `make demo` first")
    PAGE.write_text(page(in_force), encoding="utf-8")
