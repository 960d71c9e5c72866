"""A constant is named with the gradients that have it, in the fewest words."""

import numpy as np
import pytest

import backpath as bp

SUMMED = "summed over the 3 samples, not averaged"


def in_layer(number):
    return lambda name, layer, last: layer == number


SCOPES = {
    "every gradient": lambda name, layer, last: True,
    "every gradient of layer 1": in_layer(1),
    "the gradients of the weights of layer 1 without its biases": lambda name, layer, last: (
        layer == 1 and "~" not in name
    ),
    "the gradients of the biases of layer 1": lambda name, layer, last: layer == 1 and "~" in name,
    "every gradient of the hidden layers": lambda name, layer, last: layer < last,
    "the gradients of the weights without the biases": lambda name, layer, last: "~" not in name,
    "the gradients of the biases": lambda name, layer, last: "~" in name,
}


def said(sizes, factor):
    rng = np.random.default_rng(0)
    net = bp.Network(sizes, seed=1)
    X, y = rng.normal(size=(3, sizes[0])), rng.uniform(size=(3, sizes[-1]))
    gradients, last = net.gradients(X, y), len(sizes) - 1
    claimed = {name: factor(name, int(name.split("_")[1]), last) * gradients[name] for name in net.weight_names}
    return [finding.message for finding in bp.diagnose(net, X, y, claimed).findings]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((2, 1), "every gradient"),
        ((2, 1), "the gradients of the weights without the biases"),
        ((2, 1), "the gradients of the biases"),
        ((2, 2, 1), "every gradient"),
        ((2, 2, 1), "every gradient of layer 1"),
        ((2, 2, 1), "the gradients of the weights of layer 1 without its biases"),
        ((2, 2, 1), "the gradients of the biases of layer 1"),
        ((2, 2, 1), "the gradients of the biases"),
        ((2, 2, 2, 1), "every gradient of layer 1"),
        ((2, 2, 2, 1), "every gradient of the hidden layers"),
    ],
)
def test_the_gradients_with_a_constant_are_named(sizes, words):
    factor = SCOPES[words]
    found = said(sizes, lambda *where: 3.0 if factor(*where) else 1.0)
    verb = "are" if words.startswith("the ") else "is"
    assert found == [f"{words} {verb} {SUMMED}"]


def test_a_constant_that_grows_from_layer_to_layer():
    found = said((2, 2, 2, 1), lambda name, layer, last: 3.0 ** (last - layer))
    assert found == [f"every gradient of the hidden layers, once more for each layer further back, is {SUMMED}"]
