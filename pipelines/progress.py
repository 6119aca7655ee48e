"""What a running command says on stderr: a moving line on a terminal, one JSON line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Progress:
    """The stages of one command, with the seconds each took.

    Attributes
    ----------
    is_quiet
        Whether nothing is shown.
    seconds
        Seconds by finished stage, in order.
    stage_name
        The stage that is running, or the last one: an error names it.
    runs
        Folder of the published runs, once the parameters are read: an error says what stays in force.
    """

    is_quiet: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    stage_name: str | None = None
    runs: Path | None = None

    @contextmanager
    def stage(self, name: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show that a stage runs; yields a function that takes the number of rows just finished.

        Parameters
        ----------
        name
            What is being done, in words.
        total
            Rows to do, if known: shows a bar with the time left.
        """
        self.stage_name = name
        start = time.perf_counter()
        shown = _silent if self.is_quiet else _on_terminal if sys.stderr.isatty() else _silent
        with shown(name, total) as advance:
            yield advance
        self.seconds[name] = round(time.perf_counter() - start, 3)
        if not self.is_quiet and shown is _silent:
            _logger().info("stage", stage=name, seconds=self.seconds[name], rows=total)


@contextmanager
def _silent(_name: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    yield lambda _rows: None


@contextmanager
def _on_terminal(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    left = [BarColumn(), TimeRemainingColumn()] if total else []
    columns = [SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), *left, TimeElapsedColumn()]
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(name, total=total)
        yield lambda rows: bars.advance(task, rows)
        bars.update(task, total=total or 1, completed=total or 1)


def _logger() -> Any:
    import structlog

    processors: list[Any] = [structlog.processors.add_log_level, structlog.processors.JSONRenderer()]
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=processors)
