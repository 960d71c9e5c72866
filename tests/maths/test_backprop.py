"""Gradients against derivatives from elsewhere: SymPy, mpmath, published examples, and the notes' laws."""

import mpmath as mp
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import oracles
import strategies
from backpath.maths import backprop
from backpath.maths.costs import COSTS
from backpath.maths.network import Network


def test_all_nine_gradients_are_sympys_derivatives_of_the_notes_cost():
    names = ["W11_1", "W12_1", "W1b_1", "W21_1", "W22_1", "W2b_1", "W11_2", "W12_2", "W1b_2"]
    w, x1, x2, y = sympy.symbols(names), *sympy.symbols("X1 X2 y")
    sigma = lambda u: 1 / (1 + sympy.exp(-u))  # noqa: E731 - the notes' σ
    H1, H2 = sigma(w[2] + x1 * w[0] + x2 * w[1]), sigma(w[5] + x1 * w[3] + x2 * w[4])
    cost = (sigma(w[8] + H1 * w[6] + H2 * w[7]) - y) ** 2
    rng = np.random.default_rng(7)
    weights, sample = rng.normal(size=9), rng.normal(size=3)
    at = dict(zip([*w, x1, x2, y], map(sympy.Float, [*weights, *sample]), strict=True))
    net = Network((2, 2, 1)).replace(dict(zip(Network((2, 2, 1)).weight_names, weights, strict=True)))
    grad = net.gradients(sample[:2], sample[2])
    for symbol, name in zip(w, net.weight_names, strict=True):
        assert grad[name] == pytest.approx(float(sympy.diff(cost, symbol).evalf(30, subs=at)), rel=1e-14), name


@pytest.mark.parametrize("name", ["mazur", "han_kamber"])
def test_published_examples_to_every_printed_digit(name):
    case = oracles.worked_example(name)
    spec = case["network"]
    net = Network(spec["sizes"], spec["activations"]).replace(spec["weights"])
    run, cost = net.forward(case["x"]), case["cost"]
    grad = net.gradients(case["x"], case["y"], cost)
    updated = net.step(case["x"], case["y"], case["learning_rate"], cost, case["frozen"])
    found = {"values": lambda n: run[n][0], "gradients": lambda n: grad[n], "weights": lambda n: updated[n]}
    for kind, claims in case["claimed"].items():
        for symbol, printed in claims.items():
            digits = len(printed.partition(".")[2])
            assert f"{found[kind](symbol):.{digits}f}" == f"{float(printed):.{digits}f}", symbol


def norm(numbers):
    return float(mp.norm(list(numbers)))


def flat(layer):
    return [value for row in layer for value in row]


def normwise_errors(got, exact, terms):
    """|got - exact| / |exact| of the whole gradient, and layer by layer |got - exact| / |terms|; Euclidean norms.

    A layer behind a narrow one is a sum that may nearly cancel; then no computation that rounds each step to float64
    keeps that layer's digits. Of the [2, 1, 18, 35, 21, 37, 4, 6] network drawn below, layer 1's gradient is a single
    δ × [X1 X2 1], whose terms are 201 times as large as their sum: in exact arithmetic, weights off by half an ulp
    move it by 5e-15 of itself, by 2e-14 in the worst of 30 trials (the other layers by 4e-16 at most), and NumPy gets
    it right to 2e-15 or to 2.5e-14, depending on the order in which its BLAS adds on that processor. So the gradient
    is held to its own norm, and each layer also to its terms', which finds a wrong layer that is small in the whole.
    """
    wrong = [
        [mp.mpf(float(g)) - e for g, e in zip(G.ravel(), flat(E), strict=True)] for G, E in zip(got, exact, strict=True)
    ]
    whole = norm(flat(wrong)) / norm(flat(map(flat, exact)))
    return whole, max(norm(layer) / norm(flat(T)) for layer, T in zip(wrong, terms, strict=True))


def test_an_error_in_one_small_layer_is_seen():
    net, X, y = Network((2, 1, 3, 1), "tanh"), [[0.5, -0.25]], [[0.75]]
    exact, terms = oracles.gradients_and_terms(net.weights, net.activations, "squared_error", X, y)
    right = net.gradients(X, y).layers
    assert max(normwise_errors(right, exact, terms)) <= 1e-15
    assert normwise_errors([right[0] * (1 + 1e-12), *right[1:]], exact, terms)[1] > 1e-14


def check_random_networks(count, depth, width):
    rng = np.random.default_rng(3)
    for _ in range(count):
        cost = str(rng.choice(sorted(COSTS)))
        output = str(
            rng.choice([a for a in strategies.output_activations(cost) if a in (*strategies.SMOOTH, "softmax", "exp")])
        )
        sizes = [round(width ** rng.uniform()) for _ in range(int(rng.integers(2, depth + 2)))]
        sizes[-1] = max(sizes[-1], 2) if output == "softmax" else sizes[-1]
        hidden = [str(rng.choice(strategies.SMOOTH)) for _ in sizes[2:]]
        net = Network(sizes, activations=[*hidden, output], seed=int(rng.integers(2**32)))
        X, y = strategies.samples(net, cost, int(rng.integers(1, 4)), int(rng.integers(2**32)))
        exact, terms = oracles.gradients_and_terms(net.weights, net.activations, cost, X, y)
        got = net.gradients(X, y, cost).layers
        if norm(flat(map(flat, exact))) < 1e-40:
            # softmax outputs that are all above their targets: their sum, and so the absolute error, does not change
            assert (output, cost) == ("softmax", "absolute_error")
            assert max(np.abs(G).max() for G in got) < 1e-15
            continue
        whole, by_layer = normwise_errors(got, exact, terms)
        assert whole <= 1e-14, (sizes, hidden, output, cost)
        assert by_layer <= 1e-14, (sizes, hidden, output, cost)


def test_gradients_against_50_digits():
    check_random_networks(40, depth=4, width=8)


@pytest.mark.slow
def test_gradients_against_50_digits_up_to_depth_8_and_width_128():
    check_random_networks(200, depth=8, width=128)


@given(strategies.problems())
def test_the_batch_gradient_is_the_mean_of_the_single_ones(problem):
    net, cost, X, y = problem
    batch = net.gradients(X, y, cost).layers
    singles = [net.gradients(x, t, cost).layers for x, t in zip(X, y, strict=True)]
    for layer, G in enumerate(batch):
        mean = np.mean([s[layer] for s in singles], axis=0)
        assert pytest.approx(mean, rel=1e-10, abs=1e-13 * (1 + np.abs(mean).max())) == G


@given(strategies.problems(max_layers=3), st.randoms(use_true_random=False))
def test_permuting_hidden_neurons_permutes_their_gradients(problem, random):
    net, cost, X, y = problem
    if len(net.sizes) < 3:
        return
    order = list(range(net.sizes[1]))
    random.shuffle(order)
    first, second = net.weights
    moved = net.with_weights([first[order], second[:, [*order, -1]]])
    G, M = net.gradients(X, y, cost).layers, moved.gradients(X, y, cost).layers
    assert pytest.approx(G[0][order], rel=1e-10, abs=1e-13) == M[0]
    assert pytest.approx(G[1][:, [*order, -1]], rel=1e-10, abs=1e-13) == M[1]
    assert moved.cost(X, y, cost) == pytest.approx(net.cost(X, y, cost), rel=1e-12)


@given(strategies.problems(max_samples=1))
def test_a_single_input_is_a_batch_of_one(problem):
    net, cost, X, y = problem
    assert np.array_equal(net.predict(X[0]), net.predict(X)[0])
    assert net.cost(X[0], y[0], cost) == net.cost(X, y, cost)
    for single, batch in zip(net.gradients(X[0], y[0], cost).layers, net.gradients(X, y, cost).layers, strict=True):
        assert np.array_equal(single, batch)


@given(strategies.problems(max_samples=3, dtypes=("float32",)))
def test_float32_gradients_are_the_float64_ones_rounded(problem):
    net, cost, X, y = problem
    X, y = X.astype(np.float32), y.astype(np.float32)
    if cost == "categorical_cross_entropy":
        y /= y.sum(axis=1, keepdims=True)
    wide = Network.from_weights(net.weights, net.activations, dtype="float64")
    for narrow, exact in zip(net.gradients(X, y, cost).layers, wide.gradients(X, y, cost).layers, strict=True):
        assert narrow.dtype == np.float32
        assert narrow == pytest.approx(exact, rel=1e-3, abs=1e-4 * (1 + np.abs(exact).max()))


@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("u", [-800.0, -40.0, 0.0, 40.0, 800.0])
def test_cross_entropy_stays_right_where_sigmoid_saturates(u, y):
    net = Network.from_weights([[[1.0, 0.0]]])
    A = 1 / (1 + mp.exp(-mp.mpf(u)))
    exact = -(y * mp.log(A) + (1 - y) * mp.log(1 - A)) if 0 < A < 1 else None
    exact = mp.fsum([y * mp.log1p(mp.exp(-mp.mpf(u))), (1 - y) * mp.log1p(mp.exp(mp.mpf(u)))]) if u else exact
    assert net.cost([u], [y], "binary_cross_entropy") == pytest.approx(float(exact), rel=1e-14)
    delta = (1 - y) / (1 + mp.exp(-mp.mpf(u))) - y / (1 + mp.exp(mp.mpf(u)))
    assert net.gradients([u], [y], "binary_cross_entropy")["W1~_1"] == pytest.approx(float(delta), rel=1e-14)


@pytest.mark.parametrize("biases", [True, False])
def test_sparse_samples_have_the_gradients_of_dense_ones(biases):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 0.0]]), np.array([[1.0], [0.0]])
    net = Network((3, 2, 1), seed=4, biases=biases)
    u, a = backprop.forward(net.weights, net.activations, X)
    delta = backprop.deltas(net.weights, net.activations, "squared_error", u, a, y)
    found = backprop.gradients(delta, [sparse.csr_array(X), *a[1:]], biases)
    assert all(g == pytest.approx(right, rel=1e-14) for g, right in zip(found, net.gradients(X, y).layers))
    assert [g.shape for g in found] == [W.shape for W in net.weights]
