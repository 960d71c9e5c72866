"""Figures that a learner worked out from the numbers on the page are judged by those."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.explain.digits import shown
from backpath.explorer import answers
from backpath.explorer.scene import Scene


def five(value):
    """A number as the page shows it."""
    return float(shown(float(value)))


def scene(activation="sigmoid", seed=3):
    found = Scene.of_data_set("xor")
    net = bp.Network((2, 2, 1), activations=(activation, "sigmoid"), seed=seed)
    settings = found.settings.changed({"activations": [activation, "sigmoid"]})
    return found.with_settings(settings, True).edited(net)


def by_hand(found, rounded=five):
    """∂C/∂W11_1 and ∂C/∂W11_2 of the sample, from the numbers in the picture, with every number rounded."""
    W = [np.vectorize(rounded)(w) for w in found.network.weights]
    x, y = found.focus.x, found.focus.y[0]
    slope = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a}
    sigma = {"sigmoid": lambda u: 1 / (1 + np.exp(-u)), "tanh": np.tanh}
    hidden, output = found.network.activations
    H = [rounded(sigma[hidden](rounded(w[:2] @ x + w[2]))) for w in W[0]]
    A = rounded(sigma[output](rounded(W[1][0][:2] @ H + W[1][0][2])))
    last = rounded(rounded(2 * (A - y)) * rounded(slope[output](A)))
    return {
        "W11_2": shown(last * H[0]),
        "W11_1": shown(last * W[1][0][0] * rounded(slope[hidden](H[0])) * x[0]),
        "W22_1": shown(last * W[1][0][1] * rounded(slope[hidden](H[1])) * x[1]),
    }


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("seed", range(8))
def test_a_figure_made_of_five_digits_is_right(activation, seed):
    found = scene(activation, seed)
    answer = answers.check(found, by_hand(found), "gradients")
    assert answer["correct"], answer["html"]


@pytest.mark.parametrize("figure", ["1e-30", "0e-300", "1e-9999999", "0e9999999", "0.0" + "0" * 400, "1e300"])
def test_a_figure_of_any_size_gets_a_verdict(figure):
    assert isinstance(answers.check(scene(), {"W11_1": figure}, "gradients")["correct"], bool)


def test_after_a_run_too():
    found = scene()
    result = bp.train(found.network, found.data.X, found.data.y, epochs=900, learning_rate=2.0)
    found = found.edited(result.network)
    assert answers.check(found, by_hand(found), "gradients")["correct"]
    steps = {
        name: shown(five(found.network[name]) - found.settings.learning_rate * float(figure))
        for name, figure in by_hand(found).items()
    }
    assert answers.check(found, steps, "weights")["correct"]


@pytest.mark.parametrize(
    ("name", "wrong", "mistake"),
    [
        ("W11_1", lambda run, g: g / (run["H1"] * (1 - run["H1"])), "σ′(u) is missing"),
        ("W11_2", lambda run, g: -g, "sign"),
        ("W11_2", lambda run, g: g / 2, "½"),
    ],
)
def test_a_mistake_is_still_one(name, wrong, mistake):
    found = scene()
    run, right = found.network.forward(found.focus.x), by_hand(found)
    claimed = {**right, name: shown(float(wrong(run, float(right[name]))))}
    answer = answers.check(found, claimed, "gradients")
    assert not answer["correct"]


def test_exact_weights_are_not_taken_for_rounded_ones():
    """0.1 on the page is 0.1: a figure that only 0.14 would give is wrong."""
    weights = [[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]]
    found = scene().edited(bp.Network.from_weights(weights))
    other = bp.Network.from_weights(weights).replace({"W11_2": 0.74}).gradients(found.focus.x, found.focus.y)
    assert not answers.check(found, {"W11_1": shown(other["W11_1"], 4)}, "gradients")["correct"]
    assert answers.check(found, {"W11_1": shown(by_hand_float(found), 4)}, "gradients")["correct"]


def test_one_digit_that_is_not_the_nearest_is_wrong():
    """0.01 of 0.0000356: to two places right is 0.00."""
    net = bp.Network((2, 2, 1), seed=0).replace({"W11_1": 0.01})
    found = Scene.of_data_set("xor").edited(net).with_row(np.array([0.01, 0.5]), np.array([0.5]))
    right = net.gradients([0.01, 0.5], [0.5])["W11_1"]
    assert abs(right) < 0.005
    assert not answers.check(found, {"W11_1": "0.01"}, "gradients")["correct"]
    assert answers.check(found, {"W11_1": "0.00"}, "gradients")["correct"]


def by_hand_float(found):
    return float(Decimal(by_hand(found)["W11_1"]))


@pytest.mark.parametrize("typed", ["-0,0083", "1/3", "\N{MINUS SIGN}0.2", "1,5e-3"])
def test_a_number_is_read_as_people_type_it(typed):
    answers.check(scene(), {"W11_2": typed}, "gradients")


@pytest.mark.parametrize("typed", ["abc", "1/0", "1,2,3", "", "nan"])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(InputError, match="the figure for W11_2 must be"):
        answers.check(scene(), {"W11_2": typed}, "gradients")
