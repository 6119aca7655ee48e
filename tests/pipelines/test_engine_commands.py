"""The commands on another engine: what they publish is the same, byte for byte."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pipelines import params as parameters
from pipelines import score, train
from pipelines.again import IfExists
from pipelines.progress import Progress
from serve import batch, parts
from tests.features.test_engines import url_of

TONIGHT = datetime(2026, 6, 30, tzinfo=UTC)
QUIET = Progress(is_quiet=True)


@pytest.fixture
def home(demo, tmp_path):
    """A copy of the demo, which was ranked by the command's own DuckDB."""
    shutil.copytree(demo.home, tmp_path / "home")
    return tmp_path / "home"


def on(home, **engine):
    """The parameters with an engine, as somebody would write them into the file."""
    file = home / "params.yaml"
    others = re.sub(r"^engine:\n(?:  .*\n)+", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    file.write_text(others + yaml.safe_dump({"engine": engine}), encoding="utf-8")
    return parameters.load(file)


def verified(params, home):
    """Makes the night again, and raises where one byte of its files differs."""
    return score.run(params, home, as_of=TONIGHT, progress=QUIET, if_exists=IfExists.VERIFY)


def test_a_night_made_again_in_postgres_has_the_same_bytes(home, postgres, monkeypatch):
    params = on(home, name="postgres", url_env=url_of(postgres, monkeypatch))
    assert verified(params, home)["is_new"] is False


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_a_night_made_again_on_spark_has_the_same_bytes(home):
    assert verified(on(home, name="spark"), home)["is_new"] is False


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_a_night_in_parts_is_sorted_by_spark_and_has_the_same_bytes(home, monkeypatch):
    published = score.run(
        in_parts(parameters.load(home / "params.yaml")), home, as_of=TONIGHT, progress=QUIET
    )
    assert len(parts.of(Path(published["folder"]) / "ranking.parquet")) == 4
    monkeypatch.delattr(batch, "write_ranking")  # the command sorts nothing
    assert verified(in_parts(on(home, name="spark")), home)["run_id"] == published["run_id"]


def in_parts(params):
    """Parts of 200 of about 640 leads; the file would have to say a thousand at least."""
    return params.model_copy(update={"score": params.score.model_copy(update={"part_leads": 200})})


def test_a_model_trained_in_postgres_is_the_same_one(home, demo, postgres, monkeypatch):
    params = on(home, name="postgres", url_env=url_of(postgres, monkeypatch))
    trained = train.run(params, home, rows=None, progress=QUIET)
    assert trained["digest"] == demo.result["train"]["digest"]


def test_the_engine_is_not_in_the_digest_of_the_parameters(home):
    own = parameters.digest(parameters.load(home / "params.yaml"))
    assert parameters.digest(on(home, name="spark", master="spark://there:7077")) == own


def test_a_database_engine_without_an_address_is_refused(home):
    with pytest.raises(parameters.ParameterError, match="url_env"):
        on(home, name="postgres")


def test_an_unknown_engine_is_refused(home):
    with pytest.raises(parameters.ParameterError, match="engine"):
        on(home, name="hadoop")
