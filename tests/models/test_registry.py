"""The registry: what a training leaves in MLflow, how its bundle comes back, and how failures read."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import ModelError, UpstreamError
from models import registry
from models.registry import (
    Version,
    champion,
    fetch,
    fetch_card,
    fetch_test,
    log_training,
    put_in_force,
    versions,
)

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def train(uri: str, folder: Path, digest: str, *, folders=None, pictures=None, **more) -> Version:
    bundle, picture = folder / digest, folder / "roc.png"
    (bundle / "boosters").mkdir(parents=True)
    (bundle / "model.json").write_text(digest)
    (bundle / "boosters" / "won-0.txt").write_text("tree")
    picture.write_bytes(b"png")
    record = registry.Record(
        params={"model": {"bags": 3, "stems[a]": [1, 2]}, "long": "x" * 9000},
        metrics={"auc": 0.7, "lift@10": None, "loss": float("nan")},
        tags={"stage": "won"},
        pictures=pictures or {"roc": picture},
        folders=folders or {},
    )
    columns = {"kind_touches[trial]_30d": "number", "source": "category"}
    return log_training(
        uri, "leadrank", "leads", record, bundle_folder=bundle, digest=digest, input_columns=columns, **more
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[str, Version, Version]:
    """A database in which two trainings were logged."""
    folder = tmp_path_factory.mktemp("work") / "here"
    folder.mkdir()
    uri = f"sqlite:///{folder}/mlflow.db"
    return uri, train(uri, folder, "aaa"), train(uri, folder, "bbb")


def test_the_first_version_is_champion_and_the_latest_is_challenger(trained):
    uri, first, second = trained
    assert first.aliases == ("champion",)
    assert second.aliases == ("challenger",)
    assert [(v.version, v.digest, v.aliases) for v in versions(uri, "leads")] == [
        ("2", "bbb", ("challenger",)),
        ("1", "aaa", ("champion",)),
    ]
    assert champion(uri, "leads").run_id == first.run_id


def test_the_first_version_without_signal_is_not_put_in_force(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    noise = train(uri, tmp_path, "aaa", has_signal=False)
    assert (noise.aliases, noise.has_signal) == (("challenger",), False)
    with pytest.raises(ModelError, match="none has shown signal"):
        champion(uri, "leads")
    assert train(uri, tmp_path, "bbb").aliases == ("champion",)


def test_a_version_is_put_in_force_once_and_what_was_said_of_it_is_kept(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    first, second = (train(uri, tmp_path, digest) for digest in ("aaa", "bbb"))
    moved = put_in_force(uri, "leads", second, instead_of="1", record={"leadrank.promotion": "passed"})
    assert moved.aliases == ("champion",)
    assert moved.tags["leadrank.promotion"] == "passed"
    assert [v.aliases for v in versions(uri, "leads")] == [("champion",), ()]
    with pytest.raises(ModelError, match="the champion is version 2 by now, not 1"):
        put_in_force(uri, "leads", first, instead_of="1", record={})
    assert champion(uri, "leads").version == "2"


def test_a_version_that_is_not_there_is_named(trained):
    with pytest.raises(ModelError, match="has no version 7"):
        registry.version(trained[0], "leads", "7")


def test_the_card_lies_beside_the_bundle(tmp_path):
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "card.md").write_text("# Model card")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    version = train(uri, tmp_path, "aaa", folders={registry.CARD: tmp_path / "card"})
    (tmp_path / "into").mkdir()
    folder = fetch_card(uri, version, tmp_path / "into")
    assert (folder / "card.md").read_text() == "# Model card"
    assert (folder / "bundle" / "model.json").read_text() == "aaa"


def test_a_version_comes_back_as_the_folder_that_was_registered(trained, tmp_path):
    uri, first, _ = trained
    bundle = fetch(uri, first, tmp_path)
    files = sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file())
    assert files == ["boosters/won-0.txt", "model.json"]
    assert (bundle / "model.json").read_text() == "aaa"


def test_the_forward_test_comes_back_from_beside_the_model(tmp_path):
    test = tmp_path / "kept"
    test.mkdir()
    (test / "figures.json").write_text("{}")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    version = train(uri, tmp_path, "aaa", folders={registry.TEST: test})
    (tmp_path / "into").mkdir()
    found = fetch_test(uri, version, tmp_path / "into")
    assert [(path.name, path.read_text()) for path in found.iterdir()] == [("figures.json", "{}")]


def test_a_training_that_kept_no_test_says_so(trained, tmp_path):
    uri, first, _ = trained
    with pytest.raises(ModelError, match="files of model version 1 are gone"):
        fetch_test(uri, first, tmp_path)


def test_a_folder_that_was_moved_keeps_its_models_and_takes_new_ones(trained, tmp_path):
    uri, _, _ = trained
    old = Path(uri.removeprefix("sqlite:///")).parent
    moved = shutil.copytree(old, tmp_path / "moved")
    shutil.move(old, tmp_path / "away")  # nothing may be read from the old place
    try:
        there = f"sqlite:///{moved}/mlflow.db"
        (tmp_path / "into").mkdir()
        assert (fetch(there, champion(there, "leads"), tmp_path / "into") / "model.json").read_text() == "aaa"
        third = train(there, moved, "ccc")
        assert Path(third.artifact_uri).is_relative_to(moved)
        assert not old.exists()
    finally:
        shutil.move(tmp_path / "away", old)


def test_the_run_holds_params_metrics_pictures_and_the_signature(trained):
    from mlflow import MlflowClient
    from mlflow.models import Model

    uri, first, _ = trained
    client = MlflowClient(tracking_uri=uri)
    run = client.get_run(first.run_id)
    assert run.data.params == {"model.bags": "3", "model.stems_a_": "[1, 2]", "long": "x" * 500}
    assert run.data.metrics == {"auc": 0.7}
    assert run.data.tags["stage"] == "won"
    assert run.data.tags["leadrank.digest"] == "aaa"
    assert run.info.status == "FINISHED"
    assert [f.path for f in client.list_artifacts(first.run_id, "pictures")] == ["pictures/roc.png"]
    signature = Model.load(f"{first.artifact_uri}/MLmodel").signature
    assert signature.inputs.input_names() == ["kind_touches[trial]_30d", "source"]
    assert [str(t) for t in signature.inputs.input_types()] == ["DataType.double", "DataType.string"]


# importing mlflow.pyfunc warns about a type hint of its own
@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_mlflow_itself_cannot_run_a_version(trained):
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    _, first, _ = trained
    with pytest.raises(MlflowException, match="python_function"):
        mlflow.pyfunc.load_model(first.artifact_uri)
    names = {path.name for path in Path(first.artifact_uri).iterdir()}
    assert names == {"MLmodel", "bundle", "input_schema.json"}


def test_without_a_training_there_is_no_champion_and_no_database(tmp_path):
    with pytest.raises(ModelError, match="run `leadrank train`"):
        champion(f"sqlite:///{tmp_path}/mlflow.db", "leads")
    assert not list(tmp_path.iterdir())


def test_files_that_are_gone_are_named(trained, tmp_path):
    uri, first, _ = trained
    lost = replace(first, artifact_uri=str(tmp_path / "mlartifacts" / "lost"))
    with pytest.raises(ModelError, match="version 1 are gone"):
        fetch(uri, lost, tmp_path)


def test_another_model_name_has_no_champion(trained):
    with pytest.raises(ModelError, match="no version of model 'deals' is the champion"):
        champion(trained[0], "deals")


def test_a_dead_server_is_an_upstream_error_without_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UpstreamError) as caught:
        versions("http://ada:s3cret@127.0.0.1:9/?token=s3cret", "leads")
    assert "http://127.0.0.1 failed" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.code == 5


def test_a_failed_training_leaves_a_failed_run_and_no_version(trained, tmp_path):
    from mlflow import MlflowClient

    uri, _, _ = trained
    before = len(versions(uri, "leads"))
    with pytest.raises(OSError, match="missing"):
        train(uri, tmp_path, "ddd", pictures={"roc": tmp_path / "missing.png"})
    assert len(versions(uri, "leads")) == before
    client = MlflowClient(tracking_uri=uri)
    [failed] = client.search_runs(["1"], "attributes.status = 'FAILED'")
    assert failed.data.tags["leadrank.digest"] == "ddd"


def test_importing_the_registry_imports_no_mlflow():
    code = "import sys, models.registry; sys.exit('mlflow' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=False, cwd=Path(registry.__file__).parents[1]
        ).returncode
        == 0
    )
