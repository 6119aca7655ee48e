"""Half a year in which only the best of a ranking are worked: what is learned from it finds the leads."""

from __future__ import annotations

import numpy as np
import pytest

from models.fitting.options import TrainOptions
from tests.benches.feedback_loop import FAST, Learning, arms, lift, lived
from tests.benches.feedback_world import made

BAR = 0.9


def test_the_lift_is_the_rate_of_the_best_tenth_over_that_of_all():
    chance = np.repeat([0.5, 0.1], [10, 90])
    assert lift(chance, chance) == pytest.approx(0.5 / 0.14)
    assert lift(-chance, chance) == pytest.approx(0.1 / 0.14)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_after_six_months_the_drawn_slice_keeps_nine_tenths_of_the_lift_and_naive_training_does_not(tmp_path):
    world = made(tmp_path, leads=6000, weeks=43, seed=7, luck=1, is_small=True)
    learning = Learning(TrainOptions(**FAST), is_cold=True)
    ends = {arm.name: list(lived(world, arm, learning))[-1] for arm in arms([0.1], 10.0)}
    no_loop = ends["no loop"]
    assert no_loop > 3  # there is something to lose
    assert ends["ours, 0.1 drawn"] >= BAR * no_loop
    assert ends["naive"] < BAR * no_loop
