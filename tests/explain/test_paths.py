"""The strongest paths against all of them, gone through one by one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backpath as bp
from strategies import HIDDEN, samples, seeds


def every_path(net, cost, x, y, weight):
    """neurons -> product, by brute force from the definition."""
    layer, j, i = int(weight[-1]), int(weight[1]), int(weight[2])
    run = net.forward(x)
    step = 1e-6
    last = len(net.sizes) - 1

    def slope(k, neuron):  # σ′ by a central difference: independent of the derivative's formula
        u = run.net_inputs[k - 1][0]
        forward = bp.Network.from_weights([[[1.0, 0.0]]], activations=net.activations[k - 1]).predict
        return (forward([u[neuron - 1] + step])[0] - forward([u[neuron - 1] - step])[0]) / (2 * step)

    factor = {"squared_error": 2, "half_squared_error": 1}[cost]
    above = [range(1, n + 1) for n in reversed(net.sizes[layer + 1 :])]
    before = np.asarray(x)[i - 1] if layer == 1 else run.activations[layer - 1][0, i - 1]
    found = {}
    for neurons in itertools.product(*above):
        way = (*neurons, j)
        product = factor * (run.output[way[0] - 1] - y[way[0] - 1]) * before
        for depth, (k, below) in enumerate(itertools.pairwise(way)):
            product *= net.weights[last - depth - 1][k - 1, below - 1]
        for depth, k in enumerate(way):
            product *= slope(last - depth, k)
        found[way] = product
    return found


def numbers_of(path):
    return tuple(int(name.split("_")[0][1:]) for name in path.neurons[:-1])


@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.sampled_from(["tanh", "sigmoid", "softplus"]), seeds)
def test_the_strongest_are_those_of_brute_force(sizes, activation, seed):
    net = bp.Network(sizes, activation=activation, init="uniform:-1,1", seed=seed)
    x, y = (part[0] for part in samples(net, "squared_error", 1, seed))
    wanted = every_path(net, "squared_error", x, y, "W11_1")
    paths = bp.derive(net, "W11_1").evaluate(x, y).paths
    assert paths.total == len(wanted)
    top = paths(top=5)
    strengths = sorted(map(abs, wanted.values()), reverse=True)[:5]
    assert [abs(path.value) for path in top] == pytest.approx(strengths, rel=1e-5, abs=1e-12)
    for path in top:
        assert path.value == pytest.approx(wanted[numbers_of(path)], rel=1e-5, abs=1e-12)
    assert len({numbers_of(path) for path in top}) == len(top)


@given(seeds, st.sampled_from(HIDDEN))
def test_all_of_them_are_the_whole_gradient(seed, activation):
    net = bp.Network((2, 3, 4, 5, 2), activation=activation, init="uniform:-1,1", seed=seed)
    X, y = samples(net, "squared_error", 1, seed)
    v = bp.derive(net, "W21_1").evaluate(X[0], y[0])
    everything = v.paths(top=40)
    assert (everything.total, len(everything)) == (40, 40)
    scale = sum(abs(path.value) for path in everything)
    assert abs(math.fsum(path.value for path in everything) - v.gradient) <= 1e-13 * scale
    if v.gradient:
        assert everything.share == pytest.approx(1, abs=1e-12 * scale / abs(v.gradient))


def test_a_thousand_million_paths_are_not_gone_through():
    net = bp.Network((64,) * 7, activation="tanh", seed=1)
    x, y = (part[0] for part in samples(net, "squared_error", 1, 0))
    paths = bp.derive(net, "W11_1").evaluate(x, y).paths
    assert paths.total == 64**5
    top = paths(top=20)
    values = [abs(path.value) for path in top]
    assert values == sorted(values, reverse=True)
    assert len({path.neurons for path in top}) == 20
    rng = np.random.default_rng(0)  # no path drawn at random is stronger than the strongest
    run, weights = net.forward(x), net.weights
    slopes = [1 - np.tanh(u[0]) ** 2 for u in run.net_inputs]
    for _ in range(2000):
        way = [*rng.integers(0, 64, 5), 0]
        product = 2 * (run.output[way[0]] - y[way[0]]) * x[0]
        for depth, (k, below) in enumerate(itertools.pairwise(way)):
            product *= weights[5 - depth][k, below]
        product *= math.prod(slopes[5 - depth][k] for depth, k in enumerate(way))
        assert abs(product) <= values[0]


def test_a_share_is_of_the_gradient():
    net = bp.Network((2, 2, 2), seed=4)
    v = bp.derive(net, "W11_1").evaluate([0.3, 0.4], [1, 0])
    assert [path.share for path in v.paths] == [path.value / v.gradient for path in v.paths]
    assert v.paths.share == pytest.approx(1, abs=1e-12)


def test_a_gradient_of_0_has_no_shares():
    v = bp.derive(bp.Network((2, 2, 2), seed=4), "W11_1").evaluate([0, 0.4], [1, 0])
    assert v.gradient == 0
    assert [path.share for path in v.paths] == [None, None]
    assert v.paths.share is None


def test_a_batch_with_very_many_paths_says_where_they_are():
    v = bp.derive(bp.Network((2, 9, 9, 1), seed=1), "W11_1").evaluate([[0, 1], [1, 1]], [0, 1])
    assert len(v.paths) == 9
    v = bp.derive(bp.Network((2, 9, 9, 9), seed=1), "W11_1").evaluate([[0, 1], [1, 1]], np.zeros((2, 9)))
    with pytest.raises(bp.InputError, match=r"W11_1 has 81 paths; .* use samples\[0\].paths"):
        v.paths  # noqa: B018 - asking is what is refused
    assert len(v.samples[1].paths) == 5


@pytest.mark.parametrize(("paths", "written_out"), [(6, True), (7, False)])
def test_up_to_six_paths_are_written_out(paths, written_out):
    text = str(bp.derive(bp.Network((1, 1, paths, 1), seed=0), "W11_1"))
    assert (f"{paths} paths lead from the cost" not in text) == written_out
