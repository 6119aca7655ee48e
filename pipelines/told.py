"""How the result of a command reads on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import told_audit, told_further, told_own, told_ranking, told_segments, told_time
from pipelines.terminal import say, show_table

Result = Mapping[str, Any]


def proposals(result: Result) -> None:
    """What ``init`` proposed."""
    say(
        *result["proposals"],
        f"\nwrote {result['path']}: read it, then run `leadrank check` and `leadrank train`",
    )


def checked(result: Result) -> None:
    """Counts by table, why rows were quarantined, and names that nothing has."""
    parts = ("read", "accepted", "quarantined", "deduplicated", "erased")
    rows = [(c["table"], *(c[part] for part in parts)) for c in result["counts"]]
    show_table(("table", "rows read", "= accepted", "+ quarantined", "+ deduplicated", "+ erased"), rows)
    reasons = [
        (r["table"], r["reason"], r["column"] or "", r["rows"], f"{r['first_file']}:{r['first_line']}")
        for r in result["quarantine"]
    ]
    if reasons:
        show_table(("table", "reason", "column", "rows", "first line"), reasons)
    notes = [(n["table"], n["column"], n["kind"].replace("_", " "), n["count"]) for n in result["notes"]]
    if notes:
        show_table(("table", "column", "settled by a rule", "values"), notes)
    for table, columns in result["ignored_columns"].items():
        say(f"{table}: not declared, so not used: {', '.join(columns)}")
    say(f"{result['features']:,} features can be made of these tables", *result["warnings"])


def trained(result: Result) -> None:
    """Rows, metrics with intervals against the baselines, what was left out, and what comes next."""
    why = "undecided" if result["is_flat"] else "not mature"
    immature = f"; {result['immature']:,} {why}, left out" if result["immature"] else ""
    converted = f"{result['positives']:,} converted{immature}"
    say(f"{result['rows']:,} rows, {converted}; base rate {result['base_rate']:.1%}")
    say(*told_time.lines(result), *_few(result), *answers(result))
    contenders = result["metrics"]
    tested = contenders["model"]
    names = [name for name in tested if name not in ("n", "positives", "base_rate")]
    rows = [
        (_words(name), *(_figure(figures.get(name)) for figures in contenders.values())) for name in names
    ]
    title = f"on {tested['n']:,} later rows ({tested['positives']:,} converted)"
    show_table((title, *(_words(name) for name in contenders)), rows)
    say(
        *told_further.lines(result),
        *told_segments.lines(result),
        *told_own.lines(result),
        *told_audit.signal(result),
        *told_audit.decisions(result["audit"]),
        f"registered {result['model']} version {result['version']} ({' and '.join(result['aliases'])})",
    )
    if "champion" in result["aliases"]:
        say("next: `leadrank score`, or `leadrank predict --rows FILE --out FILE`")
    elif result["no_signal"]:
        say("it is not put in force, and `leadrank promote` will not do so: add history or fields first")
    else:
        say("the champion stays in force: `leadrank promote` compares the two")


def demo(result: Result) -> None:
    """What the demo made, where it is, and what to type next."""
    if "score" not in result:
        say(f"tables and params.yaml are in {result['folder']}/")
        return
    trained(result["train"])
    told_ranking.ranking(result["score"])
    lead_id, folder = result["score"]["leads"][0]["lead_id"], result["folder"]
    say(
        f"\nThe whole ranking is {result['score']['folder']}/ranking.csv; the company does not exist.",
        "Next:",
        *_activation(),
        f"  cd {folder}",
        f"  leadrank explain {lead_id}              # why this lead is first",
        "  leadrank current --top 20             # the ranking in force",
        f"  leadrank score --as-of {result['as_of'][:10]}    # the same night again: nothing changes",
    )


def model_list(result: Result) -> None:
    """Registered models."""
    rows = [
        (v["version"], ", ".join(v["aliases"]), v["digest"][:12], v["run_id"]) for v in result["versions"]
    ]
    show_table(("version", "alias", "digest", "MLflow run"), rows)


def predicted(result: Result) -> None:
    """How many rows were written where."""
    missing = result["without_probability"]
    problems = f"; {missing:,} without a probability, see the column 'problem'" if missing else ""
    say(f"{result['rows']:,} rows in {result['out']}{problems}")


def features_made(result: Result) -> None:
    """How many features of how many rows were written where, and what they take."""
    say(f"{result['features']:,} features of {result['rows']:,} rows in {result['out']}")
    if result["costs"]:
        rows = [
            (c["family"], c["features"], f"{c['seconds']:.2f}", f"{c['bytes']:,}") for c in result["costs"]
        ]
        show_table(("family", "features", "seconds", "bytes"), rows)


def _few(result: Result) -> list[str]:
    """What has to be said of a model that learned from few conversions."""
    if not result["small_history"]:
        return []
    why = "fewer than 50 leads of one outcome"
    return [f"SMALL HISTORY: {why}; a strongly penalised blend, nothing tuned, and wide intervals"]


def answers(result: Result) -> list[str]:
    """How much of what people said on the page was learned from."""
    told = [counts for counts in result["counts"] if counts["table"] == "feedback"]
    return [f"{c['accepted']:,} of {c['read']:,} answers on the page count as stages" for c in told]


def _activation() -> list[str]:
    """How to put the command on the path, if it is not there."""
    if shutil.which("leadrank"):
        return []
    return [f"  . {os.path.relpath(Path(sys.prefix) / 'bin' / 'activate')}"]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(metric: Result | float | None) -> str:
    if metric is None:
        return "-"
    if isinstance(metric, Mapping):
        return f"{metric['value']:.3f} ({metric['low']:.2f}-{metric['high']:.2f})"
    return f"{metric:.3f}"
