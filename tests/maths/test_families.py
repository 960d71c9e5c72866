"""Rows with parameters, and a user's own functions, against their formulas in plain Python."""

import math

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.maths.activations import activation, own_activation
from backpath.maths.costs import cost_function, own_cost

U = [-3.0, -0.25, 0.0, 1.5]


def softmax(u):
    return [math.exp(one) / sum(map(math.exp, u)) for one in u]


def slopes(function, u, step=1e-6):
    return [(function(one + step) - function(one - step)) / (2 * step) for one in u]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("bounded(2,5)", lambda u: 2 + 3 / (1 + math.exp(-u))),
        ("bounded(-1,0.5)", lambda u: -1 + 1.5 / (1 + math.exp(-u))),
        ("above(-4)", lambda u: -4 + math.log(1 + math.exp(u))),
    ],
)
def test_outputs_with_bounds(name, formula):
    row = activation(name)
    assert row.name == name
    assert row.value(np.array(U)).tolist() == pytest.approx([formula(u) for u in U], rel=1e-14)
    assert row.derivative(np.array(U)).tolist() == pytest.approx(slopes(formula, U), rel=1e-8)


@pytest.mark.parametrize("name", ["bounded(5,2)", "bounded(2,2)", "bounded(2)", "bounded(0,inf)", "bounded(0,1,2)"])
def test_bounds_are_two_numbers_in_order(name):
    with pytest.raises(InputError, match="bounded takes two numbers, the lower first"):
        activation(name)


@pytest.mark.parametrize("name", ["above(inf)", "above(nan)", "above(1,2)"])
def test_a_lower_bound_is_one_number(name):
    with pytest.raises(InputError, match="above takes one number"):
        activation(name)


def test_groups_of_outputs_are_softmaxes():
    u = [0.1, -2.0, 1.0, 0.5, 3.0]
    row = activation("softmax(3,2)")
    assert row.value(np.array([u]))[0].tolist() == pytest.approx(softmax(u[:3]) + softmax(u[3:]), rel=1e-14)
    weights = [0.3, -1.0, 2.0, 0.7, -0.4]  # ∂C/∂a of C = Σ weights × a
    step = 1e-6

    def cost(u):
        return sum(w * a for w, a in zip(weights, softmax(u[:3]) + softmax(u[3:])))

    moved = [[one + sign * step * (j == k) for j, one in enumerate(u)] for k in range(5) for sign in (1, -1)]
    expected = [(cost(up) - cost(down)) / (2 * step) for up, down in zip(moved[::2], moved[1::2])]
    assert row.jacobian(np.array([u]), np.array([weights]))[0].tolist() == pytest.approx(expected, rel=1e-7)
    with pytest.raises(InputError, match=r"softmax\(3,2\) is for 5 outputs, but there are 4"):
        row.value(np.zeros((1, 4)))


@pytest.mark.parametrize("name", ["softmax(0,2)", "softmax(1.5,2)"])
def test_groups_have_whole_sizes(name):
    with pytest.raises(InputError, match="sizes of groups of outputs must be whole numbers of at least 1"):
        activation(name)


def test_a_group_may_have_one_output():
    assert activation("softmax(1,2)").value(np.zeros((1, 3)))[0].tolist() == [1.0, 0.5, 0.5]


def test_the_cross_entropy_of_groups_is_the_sum_of_theirs():
    net = bp.Network((2, 5), "softmax(3,2)", seed=1)
    X, y = [[0.3, -1.0]], [[0, 1, 0, 1, 0]]
    A = net.predict(X)[0]
    name = "categorical_cross_entropy(3,2)"
    assert net.cost(X, y, name) == pytest.approx(-math.log(A[1]) - math.log(A[3]), rel=1e-13)
    step, gradient = 1e-6, net.gradients(X, y, name)["W41_1"]
    up, down = (net.replace({"W41_1": net["W41_1"] + change}).cost(X, y, name) for change in (step, -step))
    assert gradient == pytest.approx((up - down) / (2 * step), rel=1e-7)


def test_the_pinball_loss():
    A, y = [1.0, 2.0, 4.0], 2.5  # below, below and above the target
    row = cost_function("quantile(0.1,0.5,0.9)")
    found = row.value(np.zeros((1, 3)), np.array([A]), np.full((1, 3), y))[0]
    assert found.tolist() == pytest.approx([0.1 * 1.5, 0.5 * 0.5, (1 - 0.9) * 1.5])
    slope = row.derivative(np.zeros((1, 3)), np.array([A]), np.full((1, 3), y))[0]
    assert slope.tolist() == pytest.approx([-0.1, -0.5, 1 - 0.9])
    two = row.value(np.zeros((1, 6)), np.array([A + A]), np.full((1, 6), y))[0]
    assert two.tolist() == pytest.approx([*found, *found])
    with pytest.raises(InputError, match="needs a multiple of 3 outputs, but there are 4"):
        row.value(np.zeros((1, 4)), np.zeros((1, 4)), np.zeros((1, 4)))


@pytest.mark.parametrize("name", ["quantile(0)", "quantile(1)", "quantile(0.5,1.5)"])
def test_quantiles_are_between_0_and_1(name):
    with pytest.raises(InputError, match="quantile takes numbers between 0 and 1"):
        cost_function(name)


@pytest.mark.parametrize("find", [activation, cost_function])
def test_brackets_hold_numbers(find):
    with pytest.raises(InputError, match="takes numbers in its brackets"):
        find("quantile(a,b)")


def test_own_functions_are_named_after_the_first_and_numbered():
    def swish(u):
        return u / (1 + np.exp(-u))

    def slope(u):
        return np.ones_like(u)

    def other(u):
        return u * 0

    assert own_activation(swish, slope) == own_activation(swish, slope) == "own:swish:1"
    assert own_activation(swish, other) == "own:swish:2"
    assert own_activation(lambda u: u, slope).startswith("own:lambda:")
    assert activation("own:swish:2").derivative(np.ones(2)).tolist() == [0.0, 0.0]


def test_own_costs_get_outputs_and_targets():
    name = own_cost(lambda A, y: A - 3 * y, lambda A, y: A + 10 * y)
    row = cost_function(name)
    u, A, y = np.full((1, 1), 7.0), np.full((1, 1), 2.0), np.full((1, 1), 1.0)
    assert row.value(u, A, y).item() == 2 - 3 and row.derivative(u, A, y).item() == 2 + 10
