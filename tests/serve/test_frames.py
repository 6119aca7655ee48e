"""Frames of a team's own, scored by partitions: bit for bit what one process gives, and only text travels."""

from __future__ import annotations

import io
import json
import pickle
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, ModelError
from models.bundle import MODEL_FILE, SUMS_FILE
from models.explaining import Explainer
from models.store import load, place
from serve import batch, frames
from serve.batch import CONTRIBUTIONS, REASONS, SCORES, Shown
from serve.predicted import Predictor
from tests.serve import small

ROOT = Path(__file__).resolve().parents[2]
WHOLE, TIMES = 639, 48  # rows of the demo, and how often
PARTS = (SCORES, REASONS, CONTRIBUTIONS)
CARRIED = ["snapshot_id", "as_of"]


def one_process(bundle, rows, shown=frames.USUAL, asked=None):
    """What one process says of some leads."""
    return batch.scored(Explainer(bundle), Predictor(bundle), rows, shown, asked or {})


def answered(scorer, rows, size=None):
    """The answer to a frame of one partition that comes in batches of a size."""
    return pa.Table.from_batches(scorer(iter(rows.to_batches(max_chunksize=size))))


def assert_same(found, expected):
    assert set(found) == set(expected) == set(PARTS)
    for name in PARTS:
        assert found[name].equals(expected[name]), name


@pytest.fixture(scope="module")
def model():
    return small.bundle()


@pytest.fixture(scope="module")
def trained(demo):
    """The demo's model and the features of its first leads."""
    run = Path(demo.result["score"]["folder"])
    digest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["model"]["digest"]
    return load(place(demo.home, digest), digest=digest), pq.read_table(run / "features.parquet")[:WHOLE]


@pytest.fixture(scope="module")
def night(trained, tmp_path_factory):
    """30,672 leads, and the files that a night makes of them."""
    bundle, rows = trained
    folder = tmp_path_factory.mktemp("night")
    leads = pa.array([f"{lead}-{time}" for time in range(TIMES) for lead in rows["lead_id"].to_pylist()])
    many = pa.concat_tables([rows] * TIMES).drop_columns(["lead_id", "snapshot_id"])
    many = many.append_column("lead_id", leads).append_column("snapshot_id", pa.array(range(len(leads))))
    pq.write_table(many, folder / "features.parquet")
    batch.score_leads(bundle, folder / "features.parquet", folder, shown=Shown())
    return many, {name: pq.read_table(folder / name) for name in PARTS}


# ── the same as in one process ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [30_672, 7_001, 333])
def test_batches_of_any_size_give_the_files_of_a_night(trained, night, size):
    rows, expected = night
    found = answered(frames.scorer(trained[0], carried=CARRIED), rows, size)
    assert found.column("snapshot_id").to_pylist() == list(range(len(rows)))
    assert_same(frames.parted(trained[0], found, carried=CARRIED), expected)


def test_a_lead_that_comes_alone_gets_the_bits_of_one_among_many(trained):
    bundle, rows = trained
    expected, scorer = one_process(bundle, rows), frames.scorer(bundle)
    some = range(0, WHOLE, 47)
    alone = frames.parted(bundle, pa.concat_tables([answered(scorer, rows[row : row + 1]) for row in some]))
    assert alone[SCORES].equals(expected[SCORES].take(list(some)))
    assert alone[CONTRIBUTIONS].equals(expected[CONTRIBUTIONS].take(list(some)))
    kept = pa.compute.is_in(expected[REASONS]["lead_id"], rows["lead_id"].take(list(some)).combine_chunks())
    assert alone[REASONS].equals(expected[REASONS].filter(kept))
    assert alone[REASONS].num_rows > len(some)


def test_batches_of_one_row_are_put_together_and_large_ones_cut(model, monkeypatch):
    seen = []

    def watched(explainer, predictor, rows, shown, asked):
        seen.append(rows.num_rows)
        return batch.scored(explainer, predictor, rows, shown, asked)

    monkeypatch.setattr(frames, "scored", watched)
    rows, scorer = small.features(25_000), frames.scorer(model)
    found = answered(scorer, rows)
    assert seen == [10_000, 10_000, 5_000]
    seen.clear()
    assert answered(scorer, rows[:130], 1).equals(found[:130])
    assert seen == [130]


def test_no_rows_are_no_answer(model):
    scorer = frames.scorer(model)
    assert list(scorer(iter([]))) == []
    empty = pa.RecordBatch.from_pylist([], schema=small.features(0).schema)
    assert list(scorer(iter([empty, empty]))) == []
    mixed = [empty, *small.features(3).to_batches(), empty]
    assert [rows.num_rows for rows in scorer(iter(mixed))] == [3]


def test_a_lead_at_two_moments_keeps_the_reasons_of_each(model):
    rows = small.features(128)
    unknown = pa.nulls(1, pa.float64())
    silent = rows[:1].drop_columns(["opens_7d", "source", "days_since_last_touch"])
    silent = silent.append_column("opens_7d", unknown).append_column("source", unknown.cast(pa.string()))
    silent = silent.append_column("days_since_last_touch", unknown)
    twice = pa.concat_tables([silent.select(rows.column_names), rows[5:6]])
    twice = twice.set_column(1, "lead_id", pa.array(["same", "same"]))
    first, second = answered(frames.scorer(model), twice).to_pylist()
    assert first["reasons"] == []  # nothing is known of it
    expected = one_process(model, rows)[REASONS].to_pylist()
    assert second["reasons"] == [
        {name: value for name, value in reason.items() if name != "lead_id"}
        for reason in expected
        if reason["lead_id"] == "L00005"
    ]
    assert second["reasons"]


def test_an_answer_in_another_order_and_of_no_leads_is_taken_apart_too(model):
    rows = small.features(128)
    expected = one_process(model, rows)
    found = frames.parted(model, answered(frames.scorer(model), rows)[::-1])
    assert found[SCORES].equals(expected[SCORES][::-1])
    order = found[REASONS].select(["lead_id", "rank_in_row"]).to_pylist()
    assert order == sorted(order, key=lambda said: (-int(said["lead_id"][1:]), said["rank_in_row"]))
    nobody = frames.parted(model, answered(frames.scorer(model), rows)[:0])
    for name in PARTS:
        assert nobody[name].equals(expected[name][:0])


def test_an_answer_of_another_model_is_not_taken_apart(model):
    rows = answered(frames.scorer(model), small.features(5))
    with pytest.raises(ModelError, match="does not hold 2 contributions of each lead — take it apart with"):
        frames.parted(replace(model, specs=model.specs[:2]), rows)


def test_what_is_shown_goes_along(model):
    shown = Shown(reasons_for=1, reasons_against=0, language="ru", grade_shares=np.array([0.1, 0.2, 0.3]))
    rows = small.features(64)
    found = frames.parted(model, answered(frames.scorer(model, shown=shown), rows))
    assert_same(found, one_process(model, rows, shown))
    assert set(found[REASONS]["rank_in_row"].to_pylist()) == {1}


# ── whom a further target asks ───────────────────────────────────────────────────────────────────


def test_a_lead_is_asked_as_its_column_says_and_always_without_one(trained):
    bundle, rows = trained
    first, second = list(bundle.extras["aims"])[:2]
    is_asked = pa.array([None if row % 7 == 0 else row % 3 > 0 for row in range(WHOLE)])
    found = answered(frames.scorer(bundle), rows.append_column(frames.ASKED + first, is_asked), 100)
    expected = one_process(bundle, rows, asked={first: np.asarray(is_asked.fill_null(False))})  # noqa: FBT003
    assert_same(frames.parted(bundle, found), expected)
    counted = {target: name for name, target in bundle.extras["stages"].items()}
    assert found[f"probability_{counted[first]}"].null_count == sum(
        not asked for asked in is_asked.to_pylist()
    )
    assert found[f"probability_{counted[second]}"].null_count == 0


@pytest.mark.parametrize(
    "column",
    [("asked|wno", [True]), ("asked|won", ["yes"]), ("asked|", [True])],
    ids=["name", "type", "none"],
)
def test_a_column_that_asks_nothing_is_refused(model, column):
    rows = small.features(1).append_column(column[0], pa.array(column[1]))
    with pytest.raises(InputError, match=re.escape(f"columns '{column[0]}' do not say whom the model asks")):
        answered(frames.scorer(model), rows)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_a_missing_feature_is_told_as_a_night_tells_it(model):
    rows = small.features(5).drop_columns(["opens_7d"])
    said = "lacks 'opens_7d', which the model was trained on"
    with pytest.raises(ModelError, match=said):
        one_process(model, rows)
    with pytest.raises(ModelError, match=said):
        answered(frames.scorer(model), rows)
    with pytest.raises(ModelError, match=said):
        frames.schema(model, rows.schema)


@pytest.mark.parametrize(
    ("carried", "said"),
    [
        (["nowhere"], "the frame lacks 'nowhere'"),
        (["lead_id"], "has a column 'lead_id' already"),
        (["score"], "has a column 'score' already"),
    ],
)
def test_what_cannot_be_carried_is_named(model, carried, said):
    rows = small.features(1).append_column("score", pa.array([1.0]))
    with pytest.raises(InputError, match=said):
        answered(frames.scorer(model, carried=carried), rows)


def test_a_frame_without_leads_is_refused(model):
    with pytest.raises(InputError, match="the frame lacks 'lead_id'"):
        answered(frames.scorer(model), small.features(1).drop_columns(["lead_id"]))


def test_a_bundle_that_was_altered_on_the_way_is_refused(model):
    scorer, rows = frames.scorer(model), small.features(5)
    answered(scorer, rows)  # the sound one is kept in this process already
    for altered in (MODEL_FILE, "boosters/won-0.txt", SUMS_FILE):
        wrong = tuple((path, content + b" " * (path == altered)) for path, content in scorer.files)
        with pytest.raises(ModelError, match="the bundle is refused"):
            answered(replace(scorer, files=wrong), rows)
    with pytest.raises(ModelError, match="the bundle is refused"):
        answered(replace(scorer, files=scorer.files[1:]), rows)


def test_another_sound_bundle_is_refused_too(model):
    other = replace(model, extras={"note": "another"})
    sent = replace(frames.scorer(model), files=frames.scorer(other).files)
    with pytest.raises(ModelError, match="not the one that was sent, its digest differs"):
        answered(sent, small.features(5))


# ── what travels ─────────────────────────────────────────────────────────────────────────────────


class Named(pickle.Unpickler):
    """Unpickles, and keeps the name of every class and function that is asked for."""

    def __init__(self, content):
        super().__init__(io.BytesIO(content))
        self.names = []

    def find_class(self, module, name):
        self.names.append(f"{module}.{name}")
        return super().find_class(module, name)


def parts_of(value):
    """A value and everything in it."""
    yield value
    if is_dataclass(value):
        inner = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, dict):
        inner = [*value, *value.values()]
    else:
        inner = value if isinstance(value, (tuple, list, set, frozenset)) else []
    for part in inner:
        yield from parts_of(part)


def test_only_text_and_plain_options_travel(model):
    cloudpickle = pytest.importorskip("pyspark.cloudpickle", reason="wants the extra [spark]")
    answered(frames.scorer(model), small.features(5))  # what it keeps in this process stays there
    shown = Shown(publish_columns=["owner"], grade_shares=np.array([0.1, 0.2, 0.3]))
    reader = Named(cloudpickle.dumps(frames.scorer(model, shown=shown, carried=CARRIED)))
    sent = reader.load()
    assert set(reader.names) == {"serve.frames.FrameScorer"}
    assert {type(part) for part in parts_of(sent)} == {
        frames.FrameScorer, tuple, dict, str, bytes, int, float,
    }  # fmt: skip
    assert dict(sent.files) == model.files()
    assert sent.digest == model.digest


def test_a_process_makes_a_model_once_and_keeps_few(model, monkeypatch):
    made = []
    rebuild = frames.from_files
    monkeypatch.setattr(frames, "from_files", lambda files: made.append(1) or rebuild(files))
    frames._model.cache_clear()
    sent = pickle.dumps(frames.scorer(model))
    for _ in range(3):  # as each task of a process does
        answered(pickle.loads(sent), small.features(5))  # noqa: S301
    assert len(made) == 1
    for version in range(3):
        answered(frames.scorer(replace(model, extras={"note": version})), small.features(5))
    assert len(made) == 4
    assert frames._model.cache_info().currsize == frames.KEPT_MODELS == 2


# ── its columns, and Spark ───────────────────────────────────────────────────────────────────────


def test_the_schema_is_that_of_the_answer(trained, model):
    rows = small.features(5)
    answer = answered(frames.scorer(model, carried=CARRIED), rows)
    assert frames.schema(model, rows.schema, carried=CARRIED) == answer.schema
    bundle, rows = trained
    assert frames.schema(bundle, rows.schema) == answered(frames.scorer(bundle), rows[:5]).schema


@pytest.mark.spark
def test_spark_gives_the_files_of_a_night(trained, night, spark, tmp_path):
    rows, expected = night
    pq.write_table(rows, tmp_path / "features.parquet")
    frame = spark.read.parquet(str(tmp_path / "features.parquet")).repartition(5)
    columns = frames.spark_schema(trained[0], frame.schema, carried=CARRIED)
    answer = frame.mapInArrow(frames.scorer(trained[0], carried=CARRIED), columns)
    assert [answer.schema[name] for name in CARRIED] == [frame.schema[name] for name in CARRIED]
    found = answer.toArrow().sort_by("snapshot_id")
    assert_same(frames.parted(trained[0], found, carried=CARRIED), expected)


@pytest.mark.spark
def test_features_with_dots_or_that_differ_in_case_go_as_one_struct(spark):
    from pyspark.sql.functions import struct

    names = {"opens_7d": "visits[pricing.html]_7d", "days_since_last_touch": "visits[Pricing.html]_7d"}
    plain = small.bundle()
    specs = tuple(replace(spec, name=names.get(spec.name, spec.name)) for spec in plain.specs)
    encoding = replace(plain.encoding, names=tuple(spec.name for spec in specs))
    named = replace(plain, specs=specs, encoding=encoding)
    rows = small.features(128)
    rows = rows.rename_columns([names.get(name, name) for name in rows.column_names])
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        frame = spark.createDataFrame(rows).select(struct("*").alias("row"))
        columns = frames.spark_schema(named, frame.schema, carried=CARRIED)
        answer = frame.mapInArrow(frames.scorer(named, carried=CARRIED), columns).toArrow()
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
    found = frames.parted(named, answer.sort_by("snapshot_id"), carried=CARRIED)
    assert_same(found, one_process(named, rows))


@pytest.mark.spark
def test_the_example_of_the_manual_runs(trained, spark, tmp_path, demo):
    text = (ROOT / "docs" / "frames.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len(example.splitlines()) <= 16
    bundle, rows = trained
    pq.write_table(rows, tmp_path / "features.parquet")
    known = {
        "spark": spark,
        "folder": str(place(demo.home, bundle.digest)),
        "digest": bundle.digest,
        "features": str(tmp_path / "features.parquet"),
        "answers": str(tmp_path / "answers"),
    }
    exec(compile(example, "docs/frames.md", "exec"), known)  # noqa: S102
    found, expected = known["tables"], one_process(bundle, rows)
    order = found[SCORES].sort_by("lead_id")
    assert order.equals(expected[SCORES].sort_by("lead_id"))
