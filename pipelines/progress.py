"""What a running command says on stderr: a moving line on a terminal, one JSON line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.resources import peak_mib


@dataclass(frozen=True)
class Stage:
    """A finished stage.

    Attributes
    ----------
    stage
        What was done, in words.
    seconds
        How long it took.
    peak_mib
        Greatest memory of the process so far, MiB.
    rows
        Rows that it went through, where it knows.
    """

    stage: str
    seconds: float
    peak_mib: float
    rows: int | None


@dataclass
class Progress:
    """The stages of one command, with what each took.

    Attributes
    ----------
    is_quiet
        Whether nothing is shown.
    finished
        The finished stages, in order.
    stage_name
        The stage that is running, or the last one: an error names it.
    runs
        Folder of the published runs, once the parameters are read: an error says what stays in force.
    """

    is_quiet: bool = False
    finished: list[Stage] = field(default_factory=list)
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
        done = Stage(name, round(time.perf_counter() - start, 3), round(peak_mib(), 1), total)
        self.finished.append(done)
        if not self.is_quiet and shown is _silent:
            with suppress(OSError):  # a night goes on though nobody can read what it says
                logger().info("stage", **asdict(done))


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


def logger() -> Any:
    """What writes one JSON line on stderr."""
    import structlog

    processors: list[Any] = [structlog.processors.add_log_level, structlog.processors.JSONRenderer()]
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=processors)
