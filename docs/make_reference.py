"""Write `docs/reference.md` from the code: parameters, commands, the HTTP API, and what Python code may call.

.venv/bin/python docs/make_reference.py
"""
# ruff: noqa: INP001  # a script beside the manual, not a package

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from fastapi import FastAPI

from pipelines.cli import app as commands
from pipelines.params import Params
from pipelines.params_sections import SECTIONS
from serve.web import api
from serve.web.pages.documentation import described

PAGE = Path(__file__).with_name("reference.md")
HEAD = """\
# Reference

Written by `docs/make_reference.py` from the code. Explained elsewhere: [features](features.md) with unit and
meaning of null, [tables](tables.md), [runs](runs.md), [commands](commands.md), [the page](serving.md).
"""
CALLABLE = (
    ("features.catalogue", "feature"),
    ("serve.frames", "scorer"),
    ("serve.frames", "schema"),
    ("serve.frames", "spark_schema"),
    ("pipelines.params", "load"),
    ("pipelines.inputs", "opened"),
    ("serve.runs", "current_or_none"),
    ("serve.keeping", "reading"),
    ("models.store", "load"),
    ("models.explaining", "Explainer"),
)
"""What notebooks and other programs build on."""


def written() -> str:
    """The whole page."""
    parts = (_parameters(), _commands(), _http(), _python())
    return HEAD + "".join(line + "\n" for part in parts for line in part)


# ── Parameters ───────────────────────────────────────────────────────────────────────────────────


def _parameters() -> Iterator[str]:
    schema = Params.model_json_schema()
    said = _remarks(SECTIONS)
    yield from (
        "",
        "## Parameters",
        "",
        "Keys of `params.yaml` by section; `tables` is in [tables](tables.md).",
    )
    for name, info in schema["properties"].items():
        part = _resolved(info, schema)
        keys = part.get("properties", {})
        if name == "tables" or not keys:
            continue
        yield from ("", f"### {name}", "", "| Key | Kind | Default | What |", "|---|---|---|---|")
        given = info.get("default", part.get("default", {}))
        for key, told in keys.items():
            default = told.get("default", given.get(key) if isinstance(given, Mapping) else None)
            yield _row(f"`{key}`", _kind(told, schema), _value(default), said.get((name, key), ""))


def _resolved(info: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference of a JSON schema stands for."""
    while "$ref" in info:
        info = schema["$defs"][info["$ref"].rpartition("/")[2]]
    return info


def _kind(told: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    told = _resolved(told, schema)
    if "anyOf" in told:
        return " or ".join(dict.fromkeys(_kind(one, schema) for one in told["anyOf"]))
    if "enum" in told or "const" in told:
        return ", ".join(f"`{one}`" for one in told.get("enum", [told.get("const")]))
    name = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number"}.get(
        told.get("type", ""), told.get("type", "any")
    )
    bounds = [
        f"{sign} {told[word]:g}"
        for word, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if word in told
    ]
    return f"{name} {', '.join(bounds)}".strip()


def _value(default: Any) -> str:
    return (
        ""
        if default in (None, {}, [], "")
        else f"`{default}`".replace("True", "true").replace("False", "false")
    )


def _remarks(text: str) -> dict[tuple[str, str], str]:
    """What the text of a ``params.yaml`` says of each key, by section and key."""
    found, section = {}, ""
    for line in text.splitlines():
        if top := re.match(r"([a-z_]+):", line):
            section = top[1]
        elif key := re.match(r"  ([a-z_]+):.*?  ?# (.+)$", line):
            found[section, key[1]] = key[2]
    return found


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────


def _commands() -> Iterator[str]:
    yield from ("", "## Commands")
    for name, command in sorted(typer.main.get_command(commands).commands.items()):  # type: ignore[attr-defined]
        parts = getattr(command, "commands", None) or {"": command}
        for word, part in parts.items():
            yield from _command(f"leadrank {name} {word}".strip(), part)


def _command(name: str, command: Any) -> Iterator[str]:
    yield from (
        "",
        f"### {name}",
        "",
        (command.help or "").strip(),
        "",
        "| Option | Default | What |",
        "|---|---|---|",
    )
    for option in command.params:
        if option.param_type_name == "argument":
            said = f"`{option.name.upper()}`"
        else:
            said = ", ".join(f"`{word}`" for word in (*option.opts, *option.secondary_opts))
        default = option.default
        shown = "required" if option.required else "" if default in (None, False, (), []) else f"`{default}`"
        yield _row(said, shown, option.help or "")


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────


def _http() -> Iterator[str]:
    app = FastAPI(title="leadrank", version="1")
    for name in api.NAMES:
        app.router.routes.extend(importlib.import_module(f"serve.web.api.{name}").router.routes)
    yield from (
        "",
        "## HTTP API",
        "",
        "`/openapi.json` of a running page is the whole description; most calls want a token.",
    )
    yield from ("", "| Call | What | Parameters |", "|---|---|---|")
    for path, ways in sorted(described(app)["paths"].items()):
        for method, told in ways.items():
            asked = ", ".join(f"`{each['name']}`" for each in told.get("parameters", ()))
            first = told.get("description", told.get("summary", "")).split("\n\n")[0]
            yield _row(f"`{method.upper()} {path}`", first, asked)


# ── Python ───────────────────────────────────────────────────────────────────────────────────────


def _python() -> Iterator[str]:
    yield from (
        "",
        "## Python",
        "",
        "What notebooks and other programs may build on; docstrings have shapes, units and errors.",
    )
    for module, name in CALLABLE:
        found = getattr(importlib.import_module(module), name)
        target = found if not inspect.isclass(found) else found.__init__
        names = [each for each in inspect.signature(target).parameters if each != "self"]
        first = (inspect.getdoc(found) or "").split("\n\n")[0]
        yield from ("", f"**`{module}.{name}({', '.join(names)})`**: {_one_line(first)}")


def _row(*cells: str) -> str:
    return "| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in cells) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
