"""The libraries that a ranking is made with, by their versions."""

from __future__ import annotations

import platform
import re
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def direct() -> dict[str, str]:
    """Version of Python, of leadrank and of each library that it depends on itself, by name.

    A library of an extra is there if it is installed.

    >>> {"python", "leadrank", "lightgbm", "duckdb"} <= direct().keys()
    True
    """
    found = {"leadrank": metadata.version("leadrank"), "python": platform.python_version()}
    for wanted in metadata.requires("leadrank") or ():
        name = _name(wanted)
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # of an extra that was not asked for
    return dict(sorted(found.items()))


def _name(requirement: str) -> str:
    """The name in a requirement such as ``pyspark[connect]==4.3.0; extra == 'spark'``."""
    named = _NAME.match(requirement)
    return named[0] if named else requirement
