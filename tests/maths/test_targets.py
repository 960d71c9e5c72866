"""Which targets are taken, and how their costs are added up."""

import math

import numpy as np
import pytest

import backpath as bp
from backpath.maths.checks import check_sample_weight
from backpath.maths.samples import large_parts

THREE = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("sizes", "X", "shape"),
    [
        ((2, 2), THREE, (2, 3)),  # transposed
        ((2, 2), THREE, (6,)),
        ((2, 1), THREE, (1, 3)),  # a row, where a column was meant
        ((2, 2), THREE[0], (2, 1)),
    ],
)
def test_targets_of_the_right_size_in_the_wrong_shape_are_refused(sizes, X, shape):
    net = bp.Network(sizes)
    for work in (net.cost, net.gradients, net.step):
        with pytest.raises(bp.InputError, match=r"y must have shape .* but has shape"):
            work(X, np.zeros(shape), **({"learning_rate": 0.1} if work == net.step else {}))


@pytest.mark.parametrize(("total", "taken"), [(1.0005, True), (0.9995, True), (1.002, False), (0.998, False)])
def test_rounded_probabilities_are_targets_and_others_are_not(total, taken):
    """Probabilities printed with three decimals sum to 1 within 1e-3."""
    net = bp.Network((2, 3), activations=["softmax"])
    y = [[0.25, 0.25, total - 0.5]]
    if taken:
        assert math.isfinite(net.cost([[0.0, 1.0]], y, cost="categorical_cross_entropy"))
    else:
        with pytest.raises(bp.InputError, match="sum to 1"):
            net.cost([[0.0, 1.0]], y, cost="categorical_cross_entropy")


@pytest.mark.parametrize("axis", ["outputs", "samples"])
def test_float32_costs_are_added_up_in_float64(axis):
    """2²⁴ + 1 is no float32: a sum in float32 would lose every one of the small costs."""
    errors = np.array([2.0**12] + [1.0] * 7, np.float32)
    y = errors.reshape(1, -1) if axis == "outputs" else errors.reshape(-1, 1)
    net = bp.Network.from_weights([np.zeros((y.shape[1], 2))], activations="identity", dtype="float32")
    X = np.zeros((len(y), 1), np.float32)
    expected = math.fsum(float(e) ** 2 for e in errors) / len(y)
    assert net.cost(X, y) == expected
    assert bp.train(net, X, y, epochs=1, learning_rate=1e-9, engine="numpy").history.cost[0] == expected


def test_numbers_are_large_from_a_root_mean_square_on():
    """Of one column, and whatever the others are."""
    for factor, large in ((0.99, False), (1.01, True)):
        X = np.column_stack([np.full(10, 0.1), factor * 2 * np.resize([1.0, -1.0], 10)])
        assert large_parts(X, np.ones((10, 1))) == ("inputs" if large else "")
        assert large_parts(np.ones((10, 1)), X) == ("target" if large else "")
        assert large_parts(X, X) == ("inputs and the target" if large else "")


def test_sample_weights_are_not_all_0():
    X, said = np.eye(3), "sample_weight must be 3 finite numbers of at least 0, one per sample and not all 0"
    assert check_sample_weight([0, 0.5, 0], X).tolist() == [0, 0.5, 0]
    for wrong in ([0, 0, 0], [1, 1], [1, -1, 1], [1, 1, np.inf], [1, 1, "x"], None, [[1, 1, 1]]):
        with pytest.raises(bp.InputError, match=said):
            check_sample_weight(wrong, X)
