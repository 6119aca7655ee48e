"""How the result of a command reads on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Result = Mapping[str, Any]


def proposals(result: Result) -> None:
    """What ``init`` proposed."""
    _say(
        *result["proposals"],
        f"\nwrote {result['path']}: read it, then run `leadrank check` and `leadrank train`",
    )


def checked(result: Result) -> None:
    """Counts by table, and why rows were quarantined."""
    rows = [
        (c["table"], c["read"], c["accepted"], c["quarantined"], c["deduplicated"]) for c in result["counts"]
    ]
    _table(("table", "rows read", "= accepted", "+ quarantined", "+ deduplicated"), rows)
    reasons = [
        (r["table"], r["reason"], r["column"] or "", r["rows"], r["first_line"]) for r in result["quarantine"]
    ]
    if reasons:
        _table(("table", "reason", "column", "rows", "first line"), reasons)
    for table, columns in result["ignored_columns"].items():
        _say(f"{table}: not declared, so not used: {', '.join(columns)}")


def trained(result: Result) -> None:
    """Rows, metrics with intervals against the baselines, what was left out, and what comes next."""
    why = "undecided" if result["is_flat"] else "not mature"
    immature = f"; {result['immature']:,} {why}, left out" if result["immature"] else ""
    _say(f"{result['rows']:,} rows, {result['positives']:,} converted ({result['base_rate']:.1%}){immature}")
    contenders = result["metrics"]
    tested = contenders["model"]
    names = [name for name in tested if name not in ("n", "positives", "base_rate")]
    rows = [
        (_words(name), *(_figure(figures.get(name)) for figures in contenders.values())) for name in names
    ]
    title = f"on {tested['n']:,} later rows ({tested['positives']:,} converted)"
    _table((title, *(_words(name) for name in contenders)), rows)
    excluded = {finding["column"] for finding in result["excluded"]}
    _say(
        *(f"left out as a leak: '{name}' — {why}" for name, why in _by_column(result["excluded"])),
        *(
            f"suspect, still used: '{f['column']}' — {f['evidence']}"
            for f in result["suspects"]
            if f["column"] not in excluded
        ),
        f"registered {result['model']} version {result['version']} ({' and '.join(result['aliases'])})",
    )
    if "champion" in result["aliases"]:
        _say("next: `leadrank score`, or `leadrank predict --rows FILE --out FILE`")
    else:
        _say("the champion stays in force: to change it, give this version the alias 'champion' in MLflow")


def ranking(result: Result) -> None:
    """The run in force and its first leads."""
    verified = "" if result.get("is_new", True) else ", published before and verified"
    said = f"{result['counts']['ranked']:,} leads as of {result['as_of']}, run {result['run_id']}{verified}"
    _say(said, f"in {result['folder']}")
    turned_away = sum(table["quarantined"] for table in result["counts"]["tables"])
    if turned_away:
        _say(f"{turned_away:,} rows are quarantined: `leadrank check` says why")
    leads(result["leads"])


def demo(result: Result) -> None:
    """What the demo made, where it is, and what to type next."""
    if "score" not in result:
        _say(f"tables and params.yaml are in {result['folder']}/")
        return
    trained(result["train"])
    ranking(result["score"])
    lead_id, folder = result["score"]["leads"][0]["lead_id"], result["folder"]
    _say(
        f"\nThe whole ranking is {result['score']['folder']}/ranking.csv; the company does not exist.",
        "Next:",
        *_activation(),
        f"  cd {folder}",
        f"  leadrank explain {lead_id}              # why this lead is first",
        "  leadrank current --top 20             # the ranking in force",
        f"  leadrank score --as-of {result['as_of'][:10]}    # the same night again: nothing changes",
    )


def leads(rows: Sequence[Result]) -> None:
    """Leads by rank: probability, score, and the first sentences for and against."""
    shown = [
        (
            lead["rank"],
            lead["lead_id"],
            f"{lead['probability']:.1%}",
            f"{lead['score']:.0f}",
            *(_lines(lead, direction) for direction in ("for", "against")),
        )
        for lead in rows
    ]
    _table(("rank", "lead", "probability", "score", "for", "against"), shown)


def lead(result: Result) -> None:
    """One lead with all its reasons."""
    _say(
        f"{result['lead_id']}: rank {result['rank']:,}, probability {result['probability']:.1%}, "
        f"score {result['score']:.0f} (run {result['run_id']})"
    )
    rows = [(f"{r['points']:+.1f} points", r["family"], r["sentence"]) for r in result["reasons"]]
    _table(("strength", "family", "reason"), rows)


def run_list(result: Result) -> None:
    """Published runs; the one in force is marked."""
    rows = [
        ("→" if run["run_id"] == result["current"] else "", run["run_id"], run["as_of"], run["leads"])
        for run in result["runs"]
    ]
    _table(("", "run", "as of", "leads"), rows)


def model_list(result: Result) -> None:
    """Registered models."""
    rows = [
        (v["version"], ", ".join(v["aliases"]), v["digest"][:12], v["run_id"]) for v in result["versions"]
    ]
    _table(("version", "alias", "digest", "MLflow run"), rows)


def predicted(result: Result) -> None:
    """How many rows were written where."""
    missing = result["without_probability"]
    problems = f"; {missing:,} without a probability, see the column 'problem'" if missing else ""
    _say(f"{result['rows']:,} rows in {result['out']}{problems}")


def _by_column(findings: Sequence[Result]) -> list[tuple[str, str]]:
    """Each column once, with all that speaks against it."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(finding["column"], []).append(finding["evidence"])
    return [(column, "; ".join(evidence)) for column, evidence in found.items()]


def _activation() -> list[str]:
    """How to put the command on the path, if it is not there."""
    if shutil.which("leadrank"):
        return []
    return [f"  . {os.path.relpath(Path(sys.prefix) / 'bin' / 'activate')}"]


def _say(*lines: str) -> None:
    """Lines of plain text, never broken: a path must stay whole to be copied."""
    for line in lines:
        Console(soft_wrap=True).print(line, markup=False, highlight=False)


def _lines(lead: Result, direction: str) -> str:
    said = [lead[name] for name in lead if name.startswith(f"{direction}_")]
    return "\n".join(sentence for sentence in said if sentence)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(metric: Result | float | None) -> str:
    if metric is None:
        return "-"
    if isinstance(metric, Mapping):
        return f"{metric['value']:.3f} ({metric['low']:.2f}-{metric['high']:.2f})"
    return f"{metric:.3f}"


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    Console().print(table)
