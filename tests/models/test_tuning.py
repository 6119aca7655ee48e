"""Tuning keeps to its budget, goes on after a break, and needs more than luck to leave the usual shapes."""

from dataclasses import replace

import numpy as np
import pytest

from models.fitting.classifier import SHAPES, Rows
from models.fitting.options import TrainOptions
from models.fitting.tuning import Trial, tuned

OPTIONS = TrainOptions(shapes=("shallow",), most_trees=40)


def checks(rows, seed):
    """An outcome that trees of two leaves cannot follow: whether two numbers have the same sign."""
    matrix = np.random.default_rng(seed).normal(size=(rows, 2))
    return Rows(matrix, (matrix.prod(axis=1) > 0).astype(float))


def noise(rows):
    random = np.random.default_rng(0)
    return Rows(random.normal(size=(rows, 3)), random.integers(0, 2, rows).astype(float))


def test_the_first_trial_are_the_usual_shapes_and_the_budget_is_kept(tmp_path):
    seen = []
    found = tuned(noise(300), OPTIONS, trials=3, kept=tmp_path / "t.jsonl", on_trial=seen.append)
    assert [trial.number for trial in found.trials] == [0, 1, 2, 3] == [trial.number for trial in seen]
    assert found.trials[0].drawn["shallow.leaves"] == SHAPES["shallow"].leaves


def test_noise_leaves_the_usual_shapes(tmp_path):
    found = tuned(noise(400), OPTIONS, trials=6, kept=tmp_path / "t.jsonl")
    assert found.shapes == {"shallow": SHAPES["shallow"]}


def test_a_shape_that_is_clearly_better_is_taken(tmp_path, monkeypatch):
    stumps = {"shallow": replace(SHAPES["shallow"], leaves=2, max_depth=2, learning_rate=0.1)}
    monkeypatch.setattr("models.fitting.tuning.SHAPES", stumps)
    found = tuned(checks(3000, 0), OPTIONS, trials=12, kept=tmp_path / "t.jsonl")
    assert found.shapes != stumps
    assert min(trial.log_loss for trial in found.trials) < found.trials[0].log_loss


@pytest.mark.parametrize("lost", [0, 5], ids=["between two trials", "within a line"])
def test_a_broken_off_study_goes_on_to_the_same_end(tmp_path, lost):
    whole = tuned(noise(300), OPTIONS, trials=4, kept=tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "broken.jsonl").write_text("".join(lines[:2]) + lines[2][: lost and -lost])
    new: list[Trial] = []
    again = tuned(noise(300), OPTIONS, trials=4, kept=tmp_path / "broken.jsonl", on_trial=new.append)
    assert again == whole
    assert [trial.number for trial in new] == [2, 3, 4]
    assert (tmp_path / "broken.jsonl").read_text() == "".join(lines)
