"""What all remote engines share: each table of the load is sent once, and answers are numbered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ibis.expr.operations as ops
import ibis.expr.types as ir


class Remote(ABC):
    """An engine that tables travel to.

    Parameters
    ----------
    home
        Ibis DuckDB backend of the command.
    between
        Folder for files that travel; removed by its owner.
    """

    def __init__(self, home: Any, between: Path) -> None:
        self._home, self._between = home, between
        self._sent: dict[ops.Node, ir.Table] = {}
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def held(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """Tables of the load where the engine reads them; each is sent once."""
        for table in tables.values():
            if table.op() not in self._sent:
                self._sent[table.op()] = self.taken(table)
        return {name: self._sent[table.op()] for name, table in tables.items()}

    @abstractmethod
    def taken(self, table: ir.Table) -> ir.Table:
        """A table that may be another at the next call."""

    @abstractmethod
    def keep(self, table: ir.Table) -> ir.Table:
        """Computes a table of the engine once for all that reads it."""

    @abstractmethod
    def fetched(self, table: ir.Table) -> ir.Table:
        """The rows of a table of the engine, in no order, as a table of the command's own DuckDB."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind."""

    def _next(self, kind: str) -> str:
        """A name that no other table or file of this engine has. It begins with no dot: Spark skips those."""
        return f"leadrank_{kind}_{next(self._numbers)}"
