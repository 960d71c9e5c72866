"""The notes' slips (docs/notes.md has them by number): the wrong form fails against a difference quotient of the cost
at 50 digits, the right one holds."""

import mpmath as mp
import numpy as np
import pytest

from backpath.errors import InputError
from backpath.maths.network import Network
from backpath.maths.notation import weight_name

mp.mp.dps = 50
NET = Network.from_weights([[[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])
X1, X2, Y = 0.6, -1.3, 0.25


def sigma(u):
    return 1 / (1 + mp.exp(-u))


def sigma_prime(u):
    return mp.exp(-u) / (1 + mp.exp(-u)) ** 2


def values(**changed):
    """The notes' forward pass by hand: u_H1, u_H2, u_A1, A1, with some weights changed."""
    w = {name: mp.mpf(NET[name]) for name in NET.weight_names} | changed
    u_H1 = w["W1~_1"] + X1 * w["W11_1"] + X2 * w["W12_1"]
    u_H2 = w["W2~_1"] + X1 * w["W21_1"] + X2 * w["W22_1"]
    u_A1 = w["W1~_2"] + sigma(u_H1) * w["W11_2"] + sigma(u_H2) * w["W12_2"]
    return u_H1, u_H2, u_A1, sigma(u_A1)


def difference_quotient(name):
    h = mp.mpf(10) ** -25
    plus, minus = (values(**{name: mp.mpf(NET[name]) + s * h})[3] for s in (1, -1))
    return float(((plus - Y) ** 2 - (minus - Y) ** 2) / (2 * h))


U_H1, U_H2, U_A1, A1 = values()
DELTA = 2 * (A1 - Y) * sigma_prime(U_A1)


def check(name, right, wrong):
    slope = difference_quotient(name)
    assert NET.gradients([X1, X2], [Y])[name] == pytest.approx(slope, rel=1e-12)
    assert float(right) == pytest.approx(slope, rel=1e-12)
    assert float(wrong) != pytest.approx(slope, rel=1e-3)


def test_1_the_hidden_neuron_has_an_activation():
    assert NET.forward([X1, X2])["H1"] == pytest.approx(float(sigma(U_H1)), rel=1e-15)
    assert NET.forward([X1, X2])["H1"] != pytest.approx(float(U_H1), rel=1e-3)


def test_2_the_two_u_of_the_output_layer_are_different_numbers():
    H1 = sigma(U_H1)
    check("W11_2", right=2 * (A1 - Y) * sigma_prime(U_A1) * H1, wrong=2 * U_A1 * sigma_prime(U_A1) * H1)


def test_3_the_chain_to_layer_1_goes_through_the_weight_behind_it():
    right = DELTA * mp.mpf(NET["W11_2"]) * sigma_prime(U_H1) * X1
    check("W11_1", right, wrong=DELTA * sigma_prime(U_H1) * X1)


def test_4_the_last_factor_is_the_input():
    path = DELTA * mp.mpf(NET["W12_2"]) * sigma_prime(U_H2)
    check("W22_1", right=path * X2, wrong=path)


def test_5_no_hidden_neuron_sits_behind_the_output_bias():
    X, y = np.array([[X1, X2], [0.5, 0.1]]), np.array([[Y], [0.8]])
    run = NET.forward(X)
    u_H, u_A, A = run.net_inputs[0], run.net_inputs[1], run.output
    derivative = np.vectorize(lambda u: float(sigma_prime(mp.mpf(u))))
    delta, inputs = 2 * (A - y) * derivative(u_A), np.column_stack([X, [1, 1]])
    with pytest.raises(ValueError, match="could not be broadcast"):
        delta * NET.weights[1] * derivative(u_H)  # [W11 W12 W1~] for the two hidden neurons
    right = (delta * NET.weights[1][:, :-1] * derivative(u_H)).T @ inputs / 2
    assert pytest.approx(right, rel=1e-12) == NET.gradients(X, y).layers[0]


def test_6_a_weight_without_its_layer_is_ambiguous():
    assert NET["W11_1"] != NET["W11_2"]
    with pytest.raises(InputError, match="has no weight 'W11'"):
        NET["W11"]


def test_7_the_bias_weight_has_one_name():
    assert weight_name(1, 1, None) == "W1~_1"
    with pytest.raises(InputError, match="has no weight 'W1b_1'; did you mean"):
        NET["W1b_1"]


def test_8_threshold_logic_units_have_no_slope_to_follow():
    units, h = NET.thresholded(), 1e-6
    shifted = units.replace({"W11_1": NET["W11_1"] + h})
    assert shifted.cost([X1, X2], [Y]) == units.cost([X1, X2], [Y])
    with pytest.raises(InputError, match=r"step .* has derivative 0 everywhere"):
        units.gradients([X1, X2], [Y])
