"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("features", "models", "serve", "pipelines")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

CLOCKS = {
    "now", "today", "utcnow", "current_date", "current_timestamp", "localtime", "gmtime", "fromtimestamp",
    "utcfromtimestamp", "get_current_timestamp", "now_utc",
}  # fmt: skip
CLOCK_FUNCTIONS = {("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime")}
SQL_CLOCK = re.compile(
    r"\b(now|today|current_date|current_timestamp|get_current_timestamp)\s*\(|\bCURRENT_(DATE|TIMESTAMP)\b"
)


def clock_reads(tree):
    """Line and name of everything that reads a clock, in Python or in SQL text."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in CLOCKS or (owner, node.attr) in CLOCK_FUNCTIONS:
                yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if SQL_CLOCK.search(node.value):
                yield node.lineno, "SQL"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from ((node.lineno, name.name) for name in node.names if name.name != "perf_counter")


def test_only_the_command_line_reads_a_clock():
    found = {name: list(clock_reads(tree)) for name, tree in TREES.items()}
    assert {name for name, reads in found.items() if reads} == {"pipelines/console.py"}


@pytest.mark.parametrize(
    "line",
    ["datetime.now()", "pd.Timestamp.today()", "ibis.now()", "time.time()", "sql('SELECT now()')",
     "sql('x < CURRENT_DATE')", "from time import time"],
)  # fmt: skip
def test_the_search_for_clocks_finds_one(line):
    assert list(clock_reads(ast.parse(line)))


def test_a_stop_watch_is_no_clock():
    assert not list(clock_reads(ast.parse("time.perf_counter()")))


ENVIRONMENT = {
    "features/backend.py": "how much memory and how many threads",
    "features/databases.py": "the address of a database table, named by `url_env`",
    "models/tracking/settings.py": "sets MLflow's own settings",
    "serve/settings.py": "the page's settings",
}


def test_the_environment_is_read_in_few_places():
    reads = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv", "environb"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and any("env" in n.name for n in node.names)
        )
    }
    assert reads <= set(ENVIRONMENT), reads - set(ENVIRONMENT)


def test_one_module_reads_the_parameter_file():
    parsers = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(n.name.split(".")[0] == "yaml" for n in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "yaml")
    }
    assert parsers == {"pipelines/strict_yaml.py"}
    importers = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module in ("pipelines", "pipelines.strict_yaml"))
        and (node.module == "pipelines.strict_yaml" or any(n.name == "strict_yaml" for n in node.names))
    }
    assert importers == {"pipelines/params.py"}


@pytest.mark.parametrize("name", TREES)
def test_a_module_opens_with_what_it_decides(name):
    assert (ast.get_docstring(TREES[name]) or "").strip()


def test_no_file_is_longer_than_400_lines():
    tests = sorted((ROOT / "tests").rglob("*.py"))
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*MODULES, *tests)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


SET_UP = {"pipelines/strict_yaml.py": "registers the patterns of YAML 1.2 with its own loader class"}


def test_a_module_does_nothing_when_it_is_imported():
    """At its top stand definitions, constants and a docstring: no loop, no ``with``, no bare call."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    plain = (ast.Import, ast.ImportFrom, *functions, ast.ClassDef, ast.Assign, ast.AnnAssign)
    wrong = [
        (name, node.lineno)
        for name, tree in TREES.items()
        if name not in SET_UP
        for node in tree.body
        if not isinstance(node, plain)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_has_a_hash_for_every_package_and_no_address(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert "--index-url" not in text
    packages = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(packages) > 50
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==\S+", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]


def test_an_upper_bound_or_a_pin_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = tomllib.loads(text)["project"]["dependencies"]
    for requirement in wanted:
        is_major = (
            re.search(r"<\d+$", requirement) and ">=" in requirement and not requirement.startswith("pyarrow")
        )
        if is_major or not re.search(r"==|<", requirement):
            continue  # the next major version may break by its own rules
        lines = [line for line in text.splitlines() if f'"{requirement}"' in line]
        before = text.splitlines()[text.splitlines().index(lines[0]) - 1]
        assert "#" in lines[0].partition('",')[2] or before.strip().startswith("#"), requirement


def test_the_rooms_import_one_another_in_one_direction():
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "import-linter is part of the extra [dev]"
    done = subprocess.run(
        [command, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "0 broken" in done.stdout
