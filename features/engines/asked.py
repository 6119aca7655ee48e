"""Which engine is asked for; without Ibis, which takes half a second to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

EngineName: TypeAlias = Literal["duckdb", "spark", "postgres"]


@dataclass(frozen=True)
class Asked:
    """Which engine is asked for.

    Attributes
    ----------
    name
        ``duckdb`` (the command's own), ``spark`` or ``postgres``.
    master
        Of Spark: ``local[*]``, a master's URL, or a Spark Connect URL (``sc://…``).
    shared
        Of Spark: folder that the command and all executors see under this path; None is one of this machine.
    settings
        Of Spark: settings of the session, by their names there.
    url_env
        Of Postgres: name of the environment variable that holds the server's URL.
    """

    name: EngineName = "duckdb"
    master: str = "local[*]"
    shared: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    url_env: str | None = None
