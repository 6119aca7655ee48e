"""What lies in the repository: no secret, no data, and nobody's address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("features", "models", "serve", "pipelines", "tests", "docs", "notebooks", "")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk-[A-Za-z0-9]{32,}\b|\beyJ[A-Za-z0-9_-]{20,}\.eyJ"
)
DATA = {
    ".csv",
    ".parquet",
    ".xlsx",
    ".xls",
    ".db",
    ".sqlite",
    ".duckdb",
    ".gz",
    ".zip",
    ".pkl",
    ".pem",
    ".key",
}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".html", ".po", ".svg", ".in", ".sh", ".ipynb", ""}


def files():
    for name in FOLDERS:
        found = (ROOT / name).rglob("*") if name else ROOT.iterdir()
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def test_there_are_no_data_and_no_keys():
    found = list(files())
    assert len(found) > 300
    assert [path.relative_to(ROOT).as_posix() for path in found if path.suffix in DATA] == []


def test_no_text_holds_a_secret():
    texts = {path: path.read_text(encoding="utf-8") for path in files() if path.suffix in TEXT}
    assert len(texts) > 300
    assert [path.relative_to(ROOT).as_posix() for path, text in texts.items() if SECRET.search(text)] == []


@pytest.mark.parametrize("text", ["-----BEGIN " + "PRIVATE KEY-----", "AKIA" + "A" * 16, "ghp_" + "a" * 36])
def test_a_secret_would_be_found(text):
    assert SECRET.search(f"key = '{text}'")
