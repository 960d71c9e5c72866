"""Shares of the learning rate."""

import math

import pytest

from backpath.training.schedules import share_of_rate


@pytest.mark.parametrize("warm_up", [0, 3])
def test_shares_of_the_rate(warm_up):
    epochs = 11
    for k in range(epochs):
        t = (k - warm_up) / (epochs - warm_up)
        expected = {"constant": 1.0, "linear": 1 - t, "cosine": (1 + math.cos(math.pi * t)) / 2}
        for schedule, share in expected.items():
            rising = (k + 1) / (warm_up + 1) if k < warm_up else share
            assert share_of_rate(schedule, k, epochs, warm_up) == pytest.approx(rising)
    assert share_of_rate("linear", 4, 4, 4) == 1.0  # nothing but the warm-up
    assert share_of_rate("cosine", 0, 1) == 1.0
