"""``leadrank train --pictures``: the curves as files, or a refusal before anything is registered."""

import pytest

from features.errors import StorageError
from models import registry
from pipelines import params as parameters
from pipelines import train
from pipelines.progress import Progress

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def trained(folder, pictures):
    params = parameters.load(folder / "params.yaml")
    return train.run(params, folder, rows=None, progress=Progress(is_quiet=True), pictures=pictures)


def test_the_folder_receives_every_picture_that_mlflow_keeps(flat):
    trained(flat, flat / "new" / "pictures")
    [kept] = flat.glob("mlartifacts/*/artifacts/pictures")
    copied = {path.name: path.read_bytes() for path in (flat / "new" / "pictures").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in kept.iterdir()}
    curves = {"reliability.png", "roc.png", "gains.png", "precision_recall.png"}
    assert set(copied) == curves | {"importance.png", "beeswarm.png", "dependence.png"}


def test_a_folder_that_cannot_be_made_registers_no_model(flat):
    (flat / "taken").write_text("a file")
    with pytest.raises(StorageError, match="'taken'"):
        trained(flat, flat / "taken")
    assert registry.versions(f"sqlite:///{flat}/mlflow.db", "leadrank") == []
