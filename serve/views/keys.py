"""The rows that have a text, such as the id of a lead, without reading the file: a hash for each row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serve.views.arrays import Rows


class Keys:
    """Rows by the hash of a text.

    Two texts may have one hash: who asks compares the text of the rows that are found.

    Parameters
    ----------
    hashes
        Of each row, in their order.

    Examples
    --------
    >>> keys = Keys(np.array([7, 5, 7], np.uint64))
    >>> keys.rows(7), keys.rows(6)
    ([0, 2], [])
    """

    def __init__(self, hashes: npt.NDArray[np.uint64]) -> None:
        self._order: Rows = np.argsort(hashes, kind="stable").astype(np.int32)
        self._hashes = hashes[self._order]

    def rows(self, key: int) -> list[int]:
        """The rows with a hash, the best first."""
        wanted = np.uint64(key)
        start, end = (int(np.searchsorted(self._hashes, wanted, side)) for side in ("left", "right"))
        found: list[int] = self._order[start:end].tolist()
        return found
