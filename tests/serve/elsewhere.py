"""An engine with machines of its own, for tests that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq


class Elsewhere:
    """Its machines do each piece twice, the last one first, as after the loss of one."""

    def __init__(self, folder: Path) -> None:
        self.shared = folder

    def each(self, work: Callable[[int], None], places: int) -> None:
        """See `features.backend.Wide`."""
        for place in (*reversed(range(places)), *range(places)):
            work(place)

    def ordered(self, folder: Path, by: Sequence[tuple[str, bool]], files: int) -> list[Path]:
        """See `features.backend.Wide`; one file has no row, and no two have as many."""
        rows = pq.read_table(folder)
        keys = [(name, "descending" if is_greatest_first else "ascending") for name, is_greatest_first in by]
        rows = rows.take(pc.sort_indices(rows, sort_keys=keys))
        target = folder.with_name("sorted")
        target.mkdir()
        cuts = [0, *(rows.num_rows * cut * cut // (files * files) for cut in range(files + 1))]
        for number, (first, end) in enumerate(pairwise(cuts)):
            pq.write_table(rows[first:end], target / f"{number:03d}.parquet")
        return sorted(target.iterdir())
