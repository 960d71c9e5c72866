"""The rows of the table of costs, each against its definition in 40 digits."""

from functools import partial

import mpmath as mp
import numpy as np
import pytest

import backpath as bp
from backpath.maths.costs import COSTS
from backpath.maths.intervals import wilson_interval

SIGMOID = np.array([[-3.0, -0.5, 0.0, 0.7, 4.0]])
DEFINITIONS = {
    "squared_error": lambda A, y: (A - y) ** 2,
    "half_squared_error": lambda A, y: (A - y) ** 2 / 2,
    "binary_cross_entropy": lambda A, y: -(y * mp.log(A) if y else 0) - ((1 - y) * mp.log(1 - A) if y < 1 else 0),
    "categorical_cross_entropy": lambda A, y: -y * mp.log(A) if y else mp.mpf(0),
    "huber": lambda A, y: (A - y) ** 2 / 2 if abs(A - y) < 1 else abs(A - y) - mp.mpf(1) / 2,
    "absolute_error": lambda A, y: abs(A - y),
    "poisson": lambda A, y: (y * mp.log(y / A) if y else 0) - y + A,
}
TARGETS = {
    "binary_cross_entropy": (0.0, 0.3, 1.0),
    "categorical_cross_entropy": (0.0, 0.3, 1.0),
    "poisson": (0.0, 1.0, 7.0),
}


def outputs(cost):
    """Net inputs and outputs that go with the cost."""
    u = SIGMOID
    if cost == "binary_cross_entropy":
        return u, 1 / (1 + np.exp(-u))
    if cost == "categorical_cross_entropy":
        return u, np.exp(u) / np.exp(u).sum()
    return (u, np.exp(u)) if cost == "poisson" else (u, u)


def test_every_cost_has_a_definition_here():
    assert DEFINITIONS.keys() == COSTS.keys()


@pytest.mark.parametrize("cost", DEFINITIONS)
def test_a_cost_and_its_derivative(cost):
    u, A = outputs(cost)
    for target in TARGETS.get(cost, (-2.0, 0.2, 1.0)):
        y = np.full_like(A, target)
        with mp.workdps(40):
            exact = [DEFINITIONS[cost](mp.mpf(a), mp.mpf(target)) for a in A[0]]
            slopes = [mp.diff(partial(DEFINITIONS[cost], y=mp.mpf(target)), mp.mpf(a)) for a in A[0]]
        assert COSTS[cost].value(u, A, y)[0] == pytest.approx(list(map(float, exact)), rel=1e-12, abs=1e-14)
        assert COSTS[cost].derivative(u, A, y)[0] == pytest.approx(list(map(float, slopes)), rel=1e-9, abs=1e-12)


def test_minus_0_is_0():
    """Equal networks and results have equal hashes."""
    plus, minus = ([np.array([[value, 1.0]])] for value in (0.0, -0.0))
    for one, other in (
        (bp.Network.from_weights(plus), bp.Network.from_weights(minus)),
        (
            bp.Network.from_weights(plus).gradients([0.0], [1.0]),
            bp.Network.from_weights(minus).gradients([-0.0], [1.0]),
        ),
    ):
        assert one == other and hash(one) == hash(other)


def test_float64_samples_become_the_networks_float32():
    run = bp.Network((2, 2, 1), dtype="float32").forward(np.array([[0.1, 0.2]]))
    assert [a.dtype for a in (*run.activations, *run.net_inputs)] == [np.float32] * 5


def test_the_seed_is_0_by_default():
    assert bp.Network((2, 2, 1)) == bp.Network((2, 2, 1), seed=0) != bp.Network((2, 2, 1), seed=1)


def test_wilsons_interval_of_8_in_10():
    """Agresti and Coull (1998) print 0.49 to 0.94."""
    low, high = wilson_interval(8, 10)
    z, p, n = 1.959963984540054, 0.8, 10
    roots = np.roots([1 + z**2 / n, -(2 * p + z**2 / n), p**2])  # where (p - π)² = z² π (1 - π) / n
    assert [low, high] == pytest.approx(sorted(roots), rel=1e-12) and [round(low, 2), round(high, 2)] == [0.49, 0.94]


@pytest.mark.parametrize("total", range(1, 60))
def test_wilsons_interval_of_all_or_none_ends_exactly(total):
    assert wilson_interval(0, total)[0] == 0.0 and wilson_interval(total, total)[1] == 1.0
    assert wilson_interval(0, total)[1] == pytest.approx(1 - wilson_interval(total, total)[0])  # by symmetry


def test_codes_of_costs_are_distinct():
    assert sorted(row.code for row in COSTS.values()) == list(range(len(COSTS)))
