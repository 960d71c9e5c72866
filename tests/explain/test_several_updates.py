"""Updated weights after several updates, with a given or unknown number, order and momentum."""

import numpy as np
import pytest

import backpath as bp

NET = bp.Network((2, 2, 1), init="uniform:-1,1", seed=3)
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(4, 2)), RNG.uniform(0.1, 0.9, (4, 1))


def named(net):
    return {name: net[name] for name in net.weight_names}


def stepped(batches, momentum=0.0, rate=0.5):
    net, moved = NET, [0.0, 0.0]
    for rows in batches:
        g = net.gradients(X[rows], Y[rows]).layers
        moved = [momentum * v + layer for v, layer in zip(moved, g, strict=True)]
        net = net.with_weights([W - rate * v for W, v in zip(net.weights, moved, strict=True)])
    return named(net)


def report(claimed, **settings):
    return bp.diagnose(NET, X, Y, claimed_weights=claimed, learning_rate=0.5, **settings)


ALL = [0, 1, 2, 3]


def test_given_values_are_checked():
    assert report(stepped([ALL] * 13), updates=13).correct
    assert report(stepped([[k] for k in ALL] * 2), updates=2, order="online").correct
    assert report(stepped([[2], [0], [3], [1]]), order=[2, 0, 3, 1]).correct
    assert report(stepped([ALL] * 3, momentum=0.7), updates=3, momentum=0.7).correct
    assert not report(stepped([ALL] * 3), updates=2).correct


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"updates": 0}, "updates must be a whole number of at least 1"),
        ({"order": "shuffled"}, "order must be 'batch', 'online', or places of samples from 0 to 3, not 'shuffled'"),
        ({"order": [0, 7]}, "order must be"),
        ({"momentum": 1.5}, "momentum must be"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(bp.InputError) as caught:
        report(stepped([ALL]), **settings)
    assert message in str(caught.value)
