"""Model files of another library or with a way out of their folder; poisoned rows of one source."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from features.errors import ModelError
from models.fitting.classifier import SHALLOW, Rows, fit
from models.store import load, save
from models.trees import check_booster
from tests.serve.small import bundle

CHILD = """\
import sys, resource
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from features.errors import ModelError
from models.store import load
try:
    load(Path(sys.argv[1]), digest=sys.argv[2])
except ModelError as error:
    sys.exit(error.code)
"""


@pytest.fixture(scope="module")
def text():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, 2))
    return fit(
        Rows(matrix, (matrix[:, 0] > 0).astype(float)), SHALLOW, trees=3, bags=1, seed=0, threads=1
    ).boosters[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [("version=v4", "version=v5"), ("version=v4", "version=v3"), ("num_class=1", "num_class=2"),
     ("objective=binary", "objective=custom_code")],
)  # fmt: skip
def test_a_booster_of_another_format_is_refused(text, old, new):
    assert old in text
    assert check_booster(text, features=2) > 0
    with pytest.raises(ModelError):
        check_booster(text.replace(old, new), features=2)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside.txt"])
def test_a_bundle_with_a_link_out_of_its_folder_is_refused(tmp_path, target):
    digest = save(bundle(), tmp_path / "model")
    (tmp_path / "outside.txt").write_text("x")
    booster = next((tmp_path / "model" / "boosters").iterdir())
    booster.unlink()
    booster.symlink_to(target)
    with pytest.raises(ModelError, match="not a file"):
        load(tmp_path / "model", digest=digest)


def test_a_flipped_bit_anywhere_ends_with_8_and_kills_nobody(tmp_path):
    digest = save(bundle(), tmp_path / "model")
    booster = next((tmp_path / "model" / "boosters").iterdir())
    whole = booster.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 200)):
        booster.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ModelError):
            load(tmp_path / "model", digest=digest)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "model"), digest], check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (8, b"")
