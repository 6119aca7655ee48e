"""Parts of the leads by which a model is judged: source, country, territory, new and old leads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.audit.association import Flags
from models.backtests.slices import AGE, by_age, groups

COLUMNS = ("source", "country", "territory")

Texts = npt.NDArray[np.object_]


def segments(table: pa.Table) -> dict[str, Texts]:
    """The slice of each row, shape (n,), by the name of what the rows are cut by.

    Parameters
    ----------
    table
        Feature rows; of ``source``, ``country``, ``territory`` (categories) and ``lead_age_days`` those that
        are there are used, if they tell any two rows apart.
    """
    found = {
        name: _texts(groups(table.column(name)), table.num_rows)
        for name in COLUMNS
        if name in table.column_names and not pa.types.is_floating(table.schema.field(name).type)
    }
    if AGE in table.column_names:
        found["age"] = _texts(by_age(table.column(AGE)), table.num_rows)
    return {name: texts for name, texts in found.items() if len(set(texts)) > 1}


def _texts(parts: Iterable[tuple[str, Flags]], rows: int) -> Texts:
    texts = np.full(rows, "", dtype=object)
    for name, where in parts:
        texts[where] = name
    return texts
