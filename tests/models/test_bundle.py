"""A bundle survives the way to the disk bit for bit, and what was altered is refused."""

import hashlib
import json
import os
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FeatureSpec
from features.errors import ModelError, StorageError
from models.bundle import SUMS_FILE, Bundle, Target, Window, from_files
from models.calibration import Calibration
from models.curves.spread import Spread
from models.fitting.blend import Blend
from models.fitting.classifier import SHALLOW, Rows, fit
from models.matrix import Encoding
from models.store import load, save


@pytest.fixture(scope="module")
def bundle():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, 2))
    bags = fit(Rows(matrix, (matrix[:, 0] > 0).astype(float)), SHALLOW, trees=3, bags=2, seed=0, threads=1)
    names = ("opens_30d", "employees")
    return Bundle(
        targets=(
            Target(
                name="won-30d",
                stage="won",
                horizon_days=30.0,
                blend=Blend.mean(bags.boosters),
                calibration=Calibration((-1.0, 1.0), (-0.1 - 0.2, 1 / 3)),
                reference=(0.1, 0.1 + 0.2, 5e-324 + 0.5),
                spread=Spread((0.0,), (0.3,)),
                metrics={"roc_auc": {"value": 2 / 3}},
            ),
        ),
        encoding=Encoding(names, ("number", "number"), {}, {"fax": "constant"}),
        specs=tuple(FeatureSpec(name, name, "fit", "number", "{value} Straße") for name in names),
        window=Window("2026-01-01T00:00:00", "2026-06-01T00:00:00", 300, 150),
        kinds={"kind": ("email_open", "visit")},
        made_with={"lightgbm": "4.7.0"},
        extras={"tags": [{"name": "likely_sql", "precision": 0.7}]},
    )


def signed(files):
    """The files with a list of digests that fits, as an insider would leave them."""
    rest = {path: content for path, content in files.items() if path != SUMS_FILE}
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(rest.items())]
    return {**rest, SUMS_FILE: "".join(lines).encode()}


def edited(bundle, edit):
    """The bundle's files after a change to the data of model.json."""
    files = bundle.files()
    data = json.loads(files["model.json"])
    edit(data)
    return signed({**files, "model.json": json.dumps(data).encode()})


def test_what_is_loaded_equals_what_was_saved(bundle, tmp_path):
    digest = save(bundle, tmp_path / "model")
    assert load(tmp_path / "model", digest=digest) == bundle
    assert load(tmp_path / "model").digest == digest == bundle.digest


def test_a_model_keeps_the_words_for_one_and_for_none_and_their_translations(bundle, tmp_path):
    words = {
        "one": "{value} fax",
        "none": "no fax",
        "label": "fax",
        "translations": {"zh": ("{value}份", "无")},
    }
    spoken = replace(bundle, specs=tuple(replace(spec, **words) for spec in bundle.specs))
    save(spoken, tmp_path / "model")
    found = load(tmp_path / "model")
    assert found == spoken
    assert found.specs[0].sentence(0.0, "zh") == "无"


def test_the_folder_holds_text_only_and_nothing_is_left_beside_it(bundle, tmp_path):
    save(bundle, tmp_path / "model")
    found = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    boosters = {f"model/boosters/won-30d-{bag}.txt" for bag in (0, 1)}
    assert found == {"model/model.json", "model/SHA256SUMS", *boosters}
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_an_existing_folder_is_not_overwritten(bundle, tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(StorageError, match="exists already"):
        save(bundle, tmp_path / "model")


def test_a_missing_parent_is_a_storage_error(bundle, tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        save(bundle, tmp_path / "nowhere" / "model")


@pytest.mark.parametrize("path", ["model.json", "SHA256SUMS", "boosters/won-30d-0.txt"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "remove"])
def test_every_damage_is_refused(bundle, tmp_path, path, damage):
    digest = save(bundle, tmp_path / "model")
    file = tmp_path / "model" / path
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes({"flip": bytes(content), "cut": file.read_bytes()[:-9], "empty": b""}[damage])
    with pytest.raises(ModelError):
        load(tmp_path / "model", digest=digest)


def test_another_sound_bundle_is_refused_by_its_digest(bundle, tmp_path):
    digest = save(bundle, tmp_path / "one")
    save(replace(bundle, extras={}), tmp_path / "other")
    with pytest.raises(ModelError, match="not the registered one"):
        load(tmp_path / "other", digest=digest)


def test_an_unexpected_file_is_refused_even_when_it_is_listed(bundle):
    with pytest.raises(ModelError, match="unexpected content"):
        from_files(signed({**bundle.files(), "code/loader.py": b"raise SystemExit"}))


def test_an_unlisted_file_is_refused(bundle, tmp_path):
    save(bundle, tmp_path / "model")
    (tmp_path / "model" / "python_model.pkl").write_bytes(b"")
    with pytest.raises(ModelError, match="files are not those"):
        load(tmp_path / "model")


def test_a_link_and_a_pipe_are_refused_unopened(bundle, tmp_path):
    for name, make in (("link", lambda p: p.symlink_to("/etc/passwd")), ("pipe", os.mkfifo)):
        save(bundle, tmp_path / name)
        make(tmp_path / name / "extra")
        with pytest.raises(ModelError, match="not a file"):
            load(tmp_path / name)


def test_a_target_name_that_leads_out_of_the_folder_is_refused(bundle):
    with pytest.raises(ModelError):
        from_files(edited(bundle, lambda data: data["targets"][0].update(name="../../etc")))
    with pytest.raises(ModelError, match="cannot name"):
        save(replace(bundle, targets=(replace(bundle.target, name="../out"),)), "unused")


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data.update(schema_version=1),
        lambda data: data.update(surprise=1),
        lambda data: data.pop("window"),
        lambda data: data.update(targets=[]),
        lambda data: data["targets"][0].update(weights=[1.0]),
        lambda data: data["targets"][0].update(weights=[1.0, 0.0]),
        lambda data: data["targets"][0].update(reference=[0.5, 0.4]),
        lambda data: data["targets"][0].update(reference=[0.5, float("nan")]),
        lambda data: data["targets"][0]["calibration"].update(log_odds=[1, 0]),
        lambda data: data["encoding"]["names"].reverse(),
        lambda data: data["specs"][0].update(family="recency"),
        lambda data: data["specs"][0].update(surprise=1),
    ],
)
def test_a_changed_model_json_is_refused_even_when_it_is_signed(bundle, edit):
    with pytest.raises(ModelError):
        from_files(edited(bundle, edit))


def test_a_broken_tree_is_refused_even_when_it_is_signed(bundle):
    files = bundle.files()
    path = "boosters/won-30d-0.txt"
    with pytest.raises(ModelError, match="booster is damaged"):
        from_files(signed({**files, path: files[path].replace(b"split_feature=", b"split_feature=9")}))


def test_extras_that_json_cannot_hold_are_refused(bundle):
    with pytest.raises(ModelError, match="JSON cannot"):
        replace(bundle, extras={"rate": float("nan")}).files()
