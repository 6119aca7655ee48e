"""The race on Spark is one for the same columns: by hand and ours are what SQL by hand says."""

from __future__ import annotations

import pytest

from features.backend import engine, workspace
from features.build import feature_table
from features.engines.asked import Asked
from tests.benches import by_pyspark, history, ours, plain
from tests.benches.values import differences

HALF_DAY = 43_200
SIZE = history.Size(touches=20_000, leads=1_000, grain_seconds=HALF_DAY)  # every other touch is at midnight
NO_ZONE = "spark.sql.parquet.inferTimestampNTZ.enabled"

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    history.write(folder, SIZE)
    with workspace(folder) as made:
        history.read(made.con, folder)
        made.con.execute(f"CREATE TABLE plain AS {plain.query()}")
        yield folder, made


def test_pyspark_by_hand_has_the_values_of_the_plain_query(home, spark):
    folder, backend = home
    zoned = spark.conf.get(NO_ZONE)
    spark.conf.set(NO_ZONE, by_pyspark.SETTINGS[NO_ZONE])
    try:
        read = [spark.read.parquet(str(folder / f"{name}.parquet")) for name in history.TABLES]
        by_pyspark.features(*read).write.parquet(str(folder / "by_hand"))
    finally:
        spark.conf.set(NO_ZONE, zoned)
    assert differences(backend.con, "plain", f"'{folder}/by_hand/*.parquet'") == {}


@pytest.mark.usefixtures("spark")
def test_ours_on_spark_has_the_values_of_the_plain_query(home):
    folder, backend = home
    with engine(Asked("spark"), backend, folder) as computing:
        tables = computing.held({name: backend.table(name) for name in history.TABLES})
        snapshots, touches = tables["snapshots"], tables["touches"]
        made = feature_table(snapshots, {"touches": touches}, ours.same_columns(), {}, keep=computing.keep)
        computing.fetched(made).to_parquet(folder / "ours.parquet")
    assert differences(backend.con, "plain", f"'{folder}/ours.parquet'") == {}
