"""From a table of features to the matrix of numbers that a model reads.

The encoding is learned once, on training rows, and kept with the model: the same table gives the same
matrix whatever the order of its columns, and no text that fewer than ``min_rows`` rows share is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import FeatureSpec
from features.errors import ModelError, listed

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """How each column becomes numbers.

    Attributes
    ----------
    names
        Columns of the matrix, in order.
    kinds
        ``number`` or ``category`` for each of them.
    categories
        Values by name of a category column; a value's code is its place, and the code after the last
        stands for every rare or unseen value.
    dropped
        Why a column of the table was left out (``no values``, ``constant``, ``same as '…'``), by name.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, str]

    @property
    def category_places(self) -> list[int]:
        """Places of the category columns in the matrix."""
        return [place for place, kind in enumerate(self.kinds) if kind == "category"]

    def as_json(self) -> dict[str, Any]:
        """Plain lists and dicts; :meth:`from_json` brings the encoding back."""
        return {
            "names": list(self.names),
            "kinds": list(self.kinds),
            "categories": {name: list(values) for name, values in self.categories.items()},
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Encoding:
        """The encoding that :meth:`as_json` described.

        Raises
        ------
        ModelError
            The parts do not belong together.
        """
        categories = {name: tuple(values) for name, values in data["categories"].items()}
        encoding = cls(tuple(data["names"]), tuple(data["kinds"]), categories, dict(data["dropped"]))
        with_values = {n for n, k in zip(encoding.names, encoding.kinds, strict=False) if k == "category"}
        if (
            len(encoding.names) != len(encoding.kinds)
            or len(set(encoding.names)) != len(encoding.names)
            or not set(encoding.kinds) <= {"number", "category"}
            or with_values != set(categories)
        ):
            raise ModelError("the model's feature list contradicts itself", hint="train the model again")
        return encoding


def fit_encoding(
    table: pa.Table, specs: Iterable[FeatureSpec], *, max_categories: int = 50, min_rows: int = 10
) -> Encoding:
    """Learn the encoding of the given features.

    Parameters
    ----------
    table
        Training rows, one column per feature (number: any numeric type; category: text; null = unknown).
    specs
        Features to encode, in the order of the matrix.
    max_categories
        Values that a category column keeps, the most frequent first (ties by text).
    min_rows
        Rows that a value needs to be kept.

    Raises
    ------
    ModelError
        A feature has no column, or one of the wrong type.
    """
    given = tuple(specs)
    _require(table, {spec.name: spec.kind for spec in given})
    dropped = {s.name: why for s in given if (why := _emptiness(table[s.name], s.kind))}
    dropped |= _repeated(table, [spec for spec in given if spec.name not in dropped])
    kept = [spec for spec in given if spec.name not in dropped]
    return Encoding(
        names=tuple(spec.name for spec in kept),
        kinds=tuple(spec.kind for spec in kept),
        categories={
            spec.name: _frequent(table[spec.name], most=max_categories, min_rows=min_rows)
            for spec in kept
            if spec.kind == "category"
        },
        dropped=dropped,
    )


def encode(table: pa.Table, encoding: Encoding) -> Matrix:
    """The matrix of a table.

    Parameters
    ----------
    table
        At least the columns of ``encoding``, in any order.

    Returns
    -------
    Array of shape (rows, features), float64. NaN is a null or a number that is not finite; a category is
    its code, and rare and unseen values share the code after the last.

    Raises
    ------
    ModelError
        Columns are missing or have another type than in training.
    """
    _require(table, dict(zip(encoding.names, encoding.kinds, strict=True)))
    matrix = np.empty((table.num_rows, len(encoding.names)), dtype=np.float64, order="F")
    for place, values in enumerate(_columns(table, encoding)):
        matrix[:, place] = values
    return matrix


def _columns(table: pa.Table, encoding: Encoding) -> Iterator[Matrix]:
    for name, kind in zip(encoding.names, encoding.kinds, strict=True):
        if kind == "number":
            yield _numbers(table[name])
        else:
            yield _codes(table[name], encoding.categories[name])


def _numbers(column: pa.ChunkedArray) -> Matrix:
    values = (column if column.type == pa.float64() else pc.cast(column, pa.float64())).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def _codes(column: pa.ChunkedArray, values: tuple[str, ...]) -> Matrix:
    text = column if column.type == pa.string() else pc.cast(column, pa.string())
    found = pc.index_in(text, value_set=pa.array(values, pa.string()), skip_nulls=True)
    codes: Matrix = found.to_numpy().astype(np.float64)
    if found.null_count:  # NaN there: a text that is none of the values, or none at all
        codes[np.isnan(codes) & text.is_valid().to_numpy()] = len(values)
    return codes


def _emptiness(column: pa.ChunkedArray, kind: str) -> str | None:
    """Why a column can teach nothing, or None; a null beside one value is a difference."""
    if kind == "number":
        values = _numbers(column)
        known, some_null = values[~np.isnan(values)], bool(np.isnan(values).any())
        distinct = 0 if not known.size else 1 + int(known.min() != known.max())
    else:
        distinct, some_null = pc.count_distinct(column).as_py(), column.null_count > 0
    if distinct == 0:
        return "no values"
    return "constant" if distinct == 1 and not some_null else None


def _repeated(table: pa.Table, specs: Iterable[FeatureSpec]) -> dict[str, str]:
    """Columns that say in every row what an earlier one says: two would share its contribution."""
    first: dict[bytes, str] = {}
    dropped = {}
    for spec in specs:
        name = first.setdefault(_content(table[spec.name], spec.kind), spec.name)
        if name != spec.name:
            dropped[spec.name] = f"same as '{name}'"
    return dropped


def _content(column: pa.ChunkedArray, kind: str) -> bytes:
    """SHA-256 of the values of a column."""
    if kind == "number":
        return sha256(b"number" + np.ascontiguousarray(_numbers(column) + 0.0).tobytes()).digest()
    words = pc.cast(column, pa.string()).combine_chunks().dictionary_encode()
    codes = words.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return sha256("\x1f".join(words.dictionary.to_pylist()).encode() + codes.tobytes()).digest()


def _frequent(column: pa.ChunkedArray, *, most: int, min_rows: int) -> tuple[str, ...]:
    counts = pc.value_counts(pc.cast(column.drop_null(), pa.string()))
    pairs = ((row["values"], row["counts"]) for row in counts.to_pylist())
    kept = sorted(((-count, value) for value, count in pairs if count >= min_rows))
    return tuple(value for _, value in kept[:most])


def _require(table: pa.Table, kinds: Mapping[str, str]) -> None:
    """Refuse a table whose columns are not those of the model."""
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    missing = [name for name in kinds if name not in types]
    if missing:
        raise ModelError(
            f"the feature table lacks {listed(missing)}, which the model was trained on",
            hint="build the features with the catalogue of the training, or train again",
        )
    other = [name for name, kind in kinds.items() if not _fits(types[name], kind)]
    if other:
        raise ModelError(
            f"the feature table holds {listed(other)} as another type than in training",
            hint="numbers must be numeric and categories text; check the kinds in params.yaml",
        )


def _fits(found: pa.DataType, kind: str) -> bool:
    if pa.types.is_null(found):
        return True
    if kind == "number":
        return bool(pa.types.is_floating(found) or pa.types.is_integer(found) or pa.types.is_decimal(found))
    text = found.value_type if pa.types.is_dictionary(found) else found
    return bool(pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text))
