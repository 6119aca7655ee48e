"""Score frames of a team's own on Spark: all that the files of a night say of a lead, in one row.

What travels to the executors is the text of the bundle's files, its digest and plain options; nothing of the
model is unpickled there. Each Python process rebuilds it once and refuses what does not have the digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError, ModelError, listed
from models.audit.association import Flags
from models.bundle import SUMS_FILE, Bundle, from_files
from models.explaining import Explainer
from serve.batch import CONTRIBUTIONS, REASONS, SCORES, Shown, scored
from serve.predicted import Predictor

ASKED = "asked|"
"""Before the name of a further target: the column that says whether a lead is asked about it."""
LEAD, OF_FEATURES, SAID = "lead_id", "contributions", "reasons"
CHUNK_ROWS = 10_000  # as many as Spark sends at once by default
KEPT_MODELS = 2  # of one Python process: the champion and a challenger

Files: TypeAlias = tuple[tuple[str, bytes], ...]
Model: TypeAlias = tuple[Explainer, Predictor]
USUAL = Shown()


@dataclass(frozen=True)
class FrameScorer:
    """What ``DataFrame.mapInArrow`` sends to the executors; see `scorer`.

    Attributes
    ----------
    files
        The bundle's files: path and content.
    digest
        Of the bundle that is meant.
    shown
        The attributes of `serve.batch.Shown`, in plain lists and numbers.
    carried
        Columns that go through as they are.
    """

    files: Files
    digest: str
    shown: Mapping[str, Any]
    carried: tuple[str, ...]

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        """What `serve.batch.scored` says of some rows, whose columns are those of a frame."""
        explainer, predictor = _model(self.files, self.digest)
        return scored(explainer, predictor, rows, Shown(**self.shown), _asked(explainer.bundle, rows))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One row per lead of one partition, in its order."""
        model, shown = _model(self.files, self.digest), Shown(**self.shown)
        for chunk in _chunks(batches):
            yield from _answer(model, chunk, shown, self.carried).combine_chunks().to_batches()


def scorer(bundle: Bundle, *, shown: Shown = USUAL, carried: Sequence[str] = ()) -> FrameScorer:
    """What scores the partitions of a frame: ``frame.mapInArrow(scorer(bundle), spark_schema(…))``.

    The frame has ``lead_id`` and every feature of the model, one row per lead, and may have a boolean column
    ``asked|<target>`` for each further target: whether a lead is asked about it (null is no). Without the
    column it is as if `serve.batch.scored` had no entry for the target. A frame whose only column is a struct
    is taken for the fields of the struct: Spark does not hand over columns with a dot in their name.

    Parameters
    ----------
    bundle
        The model.
    shown
        How many reasons, in which language, and what makes grades and routes.
    carried
        Further columns of the frame that each row of the answer keeps, such as ``snapshot_id``.

    Returns
    -------
    FrameScorer
        Callable on the record batches of a partition. Of each lead: ``lead_id``, the carried columns, the
        columns of ``scores.parquet`` (`serve.batch.score_leads`; ``margin_base`` is the base of the
        contributions), ``contributions`` (one number per feature, log-odds, in the order of the bundle's
        ``specs``) and ``reasons`` (a list of structs with the columns of ``reasons.parquet``).

    Raises
    ------
    ModelError
        On the executor: the bundle was altered on the way, or the frame lacks a feature.
    InputError
        On the executor: ``lead_id`` or a carried column is missing, or is in the answer already; a column
        ``asked|…`` is not boolean or names no target.
    """
    plain = {
        **vars(shown),
        "publish_columns": (),  # of the table of leads, which is not here
        "grade_shares": tuple(map(float, shown.grade_shares)),
        "routes": {name: tuple(grades) for name, grades in shown.routes.items()},
    }
    return FrameScorer(tuple(bundle.files().items()), bundle.digest, plain, tuple(carried))


def schema(bundle: Bundle, given: pa.Schema, *, carried: Sequence[str] = ()) -> pa.Schema:
    """The columns of the answer to a frame.

    Parameters
    ----------
    given
        The columns of the frame.
    carried
        As for `scorer`.

    Raises
    ------
    ModelError, InputError
        What `scorer` would say of such a frame on the executors.
    """
    model = Explainer(bundle, threads=1), Predictor(bundle)
    nobody = _flat(pa.RecordBatch.from_pylist([], schema=given))
    return _answer(model, pa.Table.from_batches([nobody]), USUAL, tuple(carried)).schema


def spark_schema(bundle: Bundle, given: Any, *, carried: Sequence[str] = ()) -> Any:
    """The same for Spark: ``StructType`` from the ``StructType`` of the frame (``frame.schema``)."""
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
    from pyspark.sql.types import StructType

    found = from_arrow_schema(schema(bundle, to_arrow_schema(given, timezone="UTC"), carried=carried))
    is_packed = len(given) == 1 and isinstance(given[0].dataType, StructType)
    own = given[0].dataType if is_packed else given
    return StructType([own[field.name] if field.name in {LEAD, *carried} else field for field in found])


def parted(bundle: Bundle, rows: pa.Table, *, carried: Sequence[str] = ()) -> dict[str, pa.Table]:
    """The answer taken apart into the three tables of `serve.batch.scored`, without the carried columns.

    Parameters
    ----------
    bundle
        The model that scored.
    rows
        The answer, or some rows of it, in any order.

    Returns
    -------
    dict
        ``scores.parquet``, ``reasons.parquet`` and ``contributions.parquet``, in the order of ``rows``: bit
        for bit what one process makes of the same leads.

    Raises
    ------
    ModelError
        The rows were scored by a model with other features.
    """
    nobody = pa.RecordBatch.from_pylist([], schema=rows.schema)
    parts = [_parted(bundle, batch, carried) for batch in rows.to_batches() or [nobody]]
    return {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}


def _parted(bundle: Bundle, rows: pa.RecordBatch, carried: Sequence[str]) -> dict[str, pa.Table]:
    lead, base = rows.column(LEAD), rows.column("margin_base")
    lists, told = rows.column(OF_FEATURES), rows.column(SAID)
    width = len(bundle.specs)
    if not pc.all(pc.equal(pc.list_value_length(lists), width), min_count=0).as_py():
        raise ModelError(
            f"the answer does not hold {width} contributions of each lead",
            hint="take it apart with the bundle that scored it",
        )
    values = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    reasons = dict(zip(told.type.value_type.names, told.flatten().flatten(), strict=True))
    of_features = {spec.name: values[:, place] for place, spec in enumerate(bundle.specs)}
    return {
        SCORES: pa.Table.from_batches([rows.drop_columns([*carried, OF_FEATURES, SAID])]),
        REASONS: pa.table({LEAD: lead.take(pc.list_parent_indices(told)), **reasons}),
        CONTRIBUTIONS: pa.table({LEAD: lead, "base": base, **of_features}),
    }


@lru_cache(maxsize=KEPT_MODELS)
def _model(files: Files, digest: str) -> Model:
    """The model of some files, made once per process; what differs in one byte is made, and checked, anew."""
    content = dict(files)
    if hashlib.sha256(content.get(SUMS_FILE, b"")).hexdigest() != digest:
        raise ModelError(
            "the bundle is refused: it is not the one that was sent, its digest differs",
            hint="make the scorer anew from the registered bundle",
        )
    bundle = from_files(content)
    return Explainer(bundle, threads=1), Predictor(bundle)


def _chunks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of a partition, ``CHUNK_ROWS`` at a time and then what is left, however they come."""
    held: list[pa.RecordBatch] = []
    room = CHUNK_ROWS
    for batch in map(_flat, batches):
        start = 0
        while start < batch.num_rows:
            held.append(batch.slice(start, room))
            start += held[-1].num_rows
            room -= held[-1].num_rows
            if not room:
                yield pa.Table.from_batches(held)
                held, room = [], CHUNK_ROWS
    if held:
        yield pa.Table.from_batches(held)


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose only column is a struct as the fields of the struct."""
    is_packed = batch.num_columns == 1 and pa.types.is_struct(batch.schema.types[0])
    return pa.RecordBatch.from_struct_array(batch.column(0)) if is_packed else batch


def _answer(model: Model, chunk: pa.Table, shown: Shown, carried: Sequence[str]) -> pa.Table:
    """One row per lead; see `scorer`."""
    explainer, predictor = model
    placed = _placed(chunk)
    found = scored(explainer, predictor, placed, shown, _asked(explainer.bundle, placed))
    rows = chunk.num_rows
    scores = found[SCORES].drop_columns([LEAD])
    by_feature = found[CONTRIBUTIONS].drop_columns([LEAD, "base"])
    values = np.column_stack([column.to_numpy() for column in by_feature.columns])
    made = {
        **dict(zip(scores.column_names, scores.columns, strict=True)),
        OF_FEATURES: _lists(pa.array(values.ravel()), np.full(rows, values.shape[1])),
        SAID: _told(found[REASONS], rows),
    }
    return pa.table({**_of_frame(chunk, carried, made), **made})


def _placed(chunk: pa.Table) -> pa.Table:
    """The leads by place, for a frame may hold one at several moments."""
    own = chunk.drop_columns([LEAD]) if LEAD in chunk.column_names else chunk
    return own.append_column(LEAD, pa.array(np.arange(chunk.num_rows)))


def _asked(bundle: Bundle, table: pa.Table) -> dict[str, Flags]:
    """Whether each lead is asked about a further target, as far as the frame says so."""
    named = [name for name in table.column_names if name.startswith(ASKED)]
    targets = {ASKED + target.name for target in bundle.targets}
    wrong = [n for n in named if n not in targets or not pa.types.is_boolean(table.schema.field(n).type)]
    if wrong:
        raise InputError(
            f"the frame's columns {listed(wrong)} do not say whom the model asks",
            hint=f"name them {ASKED}<target> after targets of the bundle, and make them boolean",
        )
    return {
        name.removeprefix(ASKED): np.asarray(pc.fill_null(table.column(name), False).to_numpy(), dtype=bool)  # noqa: FBT003
        for name in named
    }


def _of_frame(chunk: pa.Table, carried: Sequence[str], made: Collection[str]) -> dict[str, pa.ChunkedArray]:
    """The columns that go through as they are."""
    missing = [name for name in (LEAD, *carried) if name not in chunk.column_names]
    if missing:
        raise InputError(f"the frame lacks {listed(missing)}", hint="add the columns, or do not carry them")
    taken = [name for name in carried if name in {LEAD, *made}]
    if taken:
        raise InputError(f"the answer has a column {listed(taken)} already", hint="carry it by another name")
    return {name: chunk.column(name) for name in (LEAD, *carried)}


def _told(reasons: pa.Table, rows: int) -> pa.Array:
    """The reasons of each lead, as a list of structs."""
    columns = [column.combine_chunks() for column in reasons.drop_columns([LEAD]).columns]
    structs = pa.StructArray.from_arrays(columns, fields=list(reasons.drop_columns([LEAD]).schema))
    return _lists(structs, np.bincount(reasons.column(LEAD).to_numpy(), minlength=rows))


def _lists(values: pa.Array, counts: npt.NDArray[np.int64]) -> pa.Array:
    """Values as lists of so many each."""
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(counts)), pa.int32()), values)
