"""Numbers side by side have equally many digits."""

import numpy as np

import backpath as bp
from backpath.explain.backward import Backward
from backpath.explorer.even_digits import known


def test_short_numbers_are_exact_and_huge_ones_raise_no_warning():
    net = bp.Network.from_weights([[[0.5, 1e305, 1 / 3]]], "identity")
    none = [np.zeros((1, 1))]
    numbers = Backward(np.array([[2.0, 0.1]]), np.array([[1.0]]), none[0], none, none, none, none, none, none)
    assert known(net, numbers, 0.25) == {0.5, 2.0, 0.1, 1.0, 0.25, 0.0}
