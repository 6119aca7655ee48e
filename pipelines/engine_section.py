"""The section ``engine`` of ``params.yaml``: what computes the features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from features.engines.asked import Asked, EngineName
from pipelines.sections import Name, Section, Variable


class Engine(Section):
    """What computes the features: see `features.engines.asked.Asked`.

    Attributes
    ----------
    name
        ``duckdb``, ``spark`` or ``postgres``.
    master
        Of Spark: ``local[*]``, a master's URL, or a Spark Connect URL (``sc://…``).
    shared
        Of Spark: folder, from that of the file, that the command and all executors see under one path; None
        is a folder of this machine.
    settings
        Of Spark: settings of the session, by their names there.
    url_env
        Of Postgres: environment variable with the URL of the server.
    """

    name: EngineName = "duckdb"
    master: Name = "local[*]"
    shared: Name | None = None
    settings: Mapping[Name, str] = {}
    url_env: Variable | None = None

    @model_validator(mode="after")
    def _a_database_has_an_address(self) -> Engine:
        if self.name == "postgres" and self.url_env is None:
            raise PydanticCustomError("engine", "Input should be given with a url_env")
        return self

    def asked(self, home: Path) -> Asked:
        """As `features.backend.engine` takes it."""
        given = self.model_dump(exclude={"shared"})
        return Asked(**given, shared=None if self.shared is None else home / self.shared)
