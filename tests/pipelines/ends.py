"""How a command ends: with one JSON object, or with one JSON line on stderr."""

from __future__ import annotations

import json

KEYS = {"code", "stage", "file", "row", "column", "reason", "run_id", "current_run_id", "hint"}


def contents(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def asked(leadrank, *words, home):
    """The one JSON object that a command prints."""
    code, out, err = leadrank(*words, "--json", home=home)
    assert (code, err) == (0, "")
    return json.loads(out)


def failed(leadrank, *words, home):
    """The JSON line that a failure ends with; nothing was published and the ranking in force is the same."""
    before = contents(home / "runs") if (home / "runs").exists() else {}
    code, out, err = leadrank(*words, "--json", home=home)
    lines = err.splitlines()
    assert (out, len(lines)) == ("", 1)
    line = json.loads(lines[0])
    assert set(line) == KEYS
    assert line["code"] == code
    assert line["reason"]
    assert line["hint"]
    assert line["run_id"] is None
    left = contents(home / "runs") if (home / "runs").exists() else {}
    assert {path: rest for path, rest in left.items() if path.name != ".lock"} == {
        path: rest for path, rest in before.items() if path.name != ".lock"
    }
    return line


def run_id_of(demo):
    return demo.result["score"]["run_id"]


def failed_anyhow(leadrank, *words, home):
    """As ``failed``; an unknown command or option has no ``--json`` to obey."""
    code, out, err = leadrank(*words, home=home)
    assert out == ""
    line = json.loads(err.splitlines()[-1])
    assert set(line) == KEYS
    assert line["code"] == code
    assert line["hint"]
    return line
