"""What is filtered, sorted and counted by, in memory: a million leads are a few milliseconds of NumPy.

Texts are small numbers here (``words`` of the index), and an order is a place for each lead, made at its
first use. A query of the file would cost ten times as much, and decompress the same columns each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
NOTHING = -1
"""The number of no text."""


class Arrays:
    """The columns of ``narrow``, each read once.

    Parameters
    ----------
    read
        Gives a column in the order of the rows, masked where it is null.
    """

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read
        self._kept: dict[str, Any] = {}
        self._lock = threading.RLock()  # an order reads its column

    def codes(self, column: str) -> npt.NDArray[Any]:
        """Numbers of texts, as small as they can be; `NOTHING` where there is none."""
        found: npt.NDArray[Any] = self._once(column, lambda: _small(self._read(column)))
        return found

    def values(self, column: str) -> npt.NDArray[np.float64]:
        """Numbers or moments; NaN where there is none."""
        name = f"{column} as numbers"
        found: npt.NDArray[np.float64] = self._once(name, lambda: _numbers(self._read(column)))
        return found

    def standing(self, column: str, direction: str) -> Rows:
        """Where each row stands when all are sorted by a column: ties by row, nulls last."""
        name = f"{column} {direction}"
        found: Rows = self._once(name, lambda: self._standing(column, direction))
        return found

    def are(self, column: str, numbers: Collection[int], rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of the rows have one of the numbers."""
        codes = self.codes(column)
        wanted = np.zeros(int(codes.max(initial=NOTHING)) + 2, bool)  # the last is `NOTHING`'s
        wanted[[number for number in numbers if 0 <= number < len(wanted) - 1]] = True
        found: npt.NDArray[np.bool_] = wanted[codes[rows]]
        return found

    def _standing(self, column: str, direction: str) -> Rows:
        keys = self.values(column)
        keys = -keys if direction == "desc" else keys
        standing = np.empty(len(keys), np.int32)
        standing[np.argsort(keys, kind="stable")] = np.arange(len(keys), dtype=np.int32)  # NaN is last
        return standing

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:  # whoever waits would make the same
            if name not in self._kept:
                self._kept[name] = make()
            return self._kept[name]


def _small(column: Any) -> npt.NDArray[Any]:
    codes = np.ma.filled(column.astype(np.int32), NOTHING)
    kind = np.int16 if codes.max(initial=0) < np.iinfo(np.int16).max else np.int32
    return codes.astype(kind)


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    data, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
    if data.dtype.kind == "M":
        mask, data = mask | np.isnat(data), data.astype("datetime64[us]").astype(np.int64)
    return np.where(mask, np.nan, data.astype(np.float64))
