"""Files written in a test, and what became of them."""

# ruff: noqa: S608  # a test names its own tables

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from features.errors import InputError
from features.ingest import Loaded, load
from features.tables import Source


class Ingested:
    """A folder, a connection, and the last load."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = duckdb.connect()

    def write(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def load(self, table: str = "leads", *, content: str | bytes | None = None, **settings: object) -> Loaded:
        """Load one table; ``settings`` are those of its `Source`."""
        settings.setdefault("path", f"{table}.csv")
        if content is not None:
            self.write(str(settings["path"]), content)
        return self.loads({table: Source(**settings)})  # type: ignore[arg-type]

    def loads(self, sources: Mapping[str, Source], **options: object) -> Loaded:
        return load(self.connection, sources, folder=self.folder, **options)  # type: ignore[arg-type]

    def refused(self, **given: object) -> InputError:
        """The error that a load raises."""
        with pytest.raises(InputError) as caught:
            self.load(**given)  # type: ignore[arg-type]
        return caught.value

    def rows(self, query: str) -> list[tuple]:
        return self.connection.execute(query).fetchall()

    def column(self, name: str, table: str = "leads") -> list:
        return [value for (value,) in self.rows(f'SELECT "{name}" FROM {table} ORDER BY row_number')]

    @property
    def away(self) -> list[tuple]:
        """Quarantine: line, column, reason."""
        return self.rows('SELECT line, "column", reason FROM quarantine ORDER BY line')
