"""YAML without surprises: ``no`` stays text, a key stands once, and a mistake names its line.

YAML 1.1 reads ``no`` as false, ``1:30`` as 90 and ``2026-01-01`` as a date. A column of countries or a
list of won values should not meet that, so only the scalars of YAML 1.2's core schema are converted.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from features.errors import ParameterError, Place

_CORE = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
)


class _Loader(yaml.SafeLoader):
    """Safe loader with the scalars of YAML 1.2's core schema and unique keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own name and type)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  (PyYAML's signature)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is not plain text", problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"the key '{key.value}' stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def parse(text: str, *, file: str) -> object:
    """The content of a YAML text.

    Parameters
    ----------
    text
        One YAML document.
    file
        Name of the file, for messages.

    Raises
    ------
    ParameterError
        The text is not YAML, uses tabs for indentation, or gives a key twice.

    Examples
    --------
    >>> parse("country: no", file="params.yaml")
    {'country': 'no'}
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader of our own)
    except yaml.MarkedYAMLError as error:
        raise _refusal(error, file) from None
    except yaml.YAMLError:
        raise ParameterError(
            f"'{file}' holds characters that YAML does not allow", hint="save it as plain text"
        ) from None


def _refusal(error: yaml.MarkedYAMLError, file: str) -> ParameterError:
    row = error.problem_mark.line + 1 if error.problem_mark else None
    problem = error.problem or "not readable"
    hint = "quote texts that hold a colon, a hash or a bracket, and indent with the same number of spaces"
    if "\\t" in problem:
        problem, hint = "a tab stands where YAML wants spaces", "indent with two spaces"
    elif "stands twice" in problem:
        hint = "keep one of the two"
    elif "alias" in problem or "constructor" in problem or "found character" in problem:
        hint = "put texts with special characters in double quotes"
    return ParameterError(
        f"'{file}' is not valid YAML at line {row}: {problem}",
        hint=hint,
        place=Place("parameters", file, row),
    )
