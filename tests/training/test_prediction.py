"""Predictions by the native kernels against those of NumPy."""

import threading

import numpy as np
import pytest

import backpath as bp
from backpath import InputError, Network
from backpath.maths import backprop
from backpath.maths.activations import ACTIVATIONS
from backpath.training import prediction
from backpath.training.prediction import largest_output, outputs, predict

RNG = np.random.default_rng(5)
TOLERANCE = {"float64": 2e-14, "float32": 4e-6}


def rows(count, inputs, dtype="float64"):
    return RNG.uniform(-2, 2, (count, inputs)).astype(dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", [(2, 2, 1), (5, 33, 4), (130, 17, 9, 3), (1, 1)])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17, 33, 1023, 1025, 5001])
def test_any_number_of_rows_and_neurons(sizes, count, dtype):
    net, X = Network(sizes, "tanh", seed=1, dtype=dtype), rows(count, sizes[0], dtype)
    found = [predict(net, X, threads=n) for n in (1, 2, 3)]
    np.testing.assert_allclose(found[0], net.predict(X), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert found[0].dtype == dtype
    assert len({A.tobytes() for A in found}) == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name, dtype):
    net, X = (
        Network((4, 11, 3), activations=[name if name != "softmax" else "tanh", name], seed=2, dtype=dtype),
        rows(100, 4),
    )
    np.testing.assert_allclose(predict(net, X), net.predict(X), rtol=8 * TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "identity"])
def test_net_inputs_and_activations_of_the_output_layer(name):
    net, X = Network((4, 11, 3), activations=["tanh", name], seed=2), rows(100, 4)
    u, a = backprop.forward(net.weights, net.activations, X)
    found = outputs(net.weights, net.activations, X)
    np.testing.assert_allclose(found[0], u[-1], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(found[1], a[-1], rtol=1e-13, atol=1e-14)
    without = net.without_biases()
    np.testing.assert_array_equal(outputs(without.weights, net.activations, X)[1], without.predict(X))  # by NumPy


def test_a_row_has_the_same_bits_alone_and_among_others():
    net, X = Network((6, 40, 2), seed=3), rows(3000, 6)
    A = predict(net, X)
    assert [predict(net, X[k]).tobytes() for k in (0, 9, 1500, 2999)] == [A[k].tobytes() for k in (0, 9, 1500, 2999)]


def test_rows_of_any_kind():
    net = Network((3, 5, 2), seed=4)
    X = rows(50, 3)
    expected = predict(net, X)
    for same in (X.tolist(), np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1][::-1]):
        assert predict(net, same).tobytes() == expected.tobytes()
    assert predict(net, X[0]).shape == (2,)
    assert predict(net, X[:1]).shape == (1, 2)


def test_a_network_without_biases():
    net, X = Network((3, 5, 2), seed=4).without_biases(), rows(40, 3)
    np.testing.assert_allclose(predict(net, X), net.predict(X), rtol=1e-14, atol=1e-15)


def test_one_network_after_another_and_several_python_threads():
    nets, X = [Network((3, 5, 2), seed=k) for k in range(3)], rows(2000, 3)
    expected, found = [predict(net, X).tobytes() for net in nets], [[] for _ in range(6)]

    def work(k):
        found[k] = [predict(nets[k % 3], X, threads=1 + k % 2).tobytes() == expected[k % 3] for _ in range(20)]

    workers = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [[True] * 20] * 6


def test_without_kernels_numpy_predicts(monkeypatch):
    net, X = Network((3, 5, 2), seed=9), rows(10, 3)
    monkeypatch.setattr(prediction, "why_no_kernels", lambda: "there are none")
    assert predict(net, X).tobytes() == net.predict(X).tobytes()


@pytest.mark.parametrize("X", [[1, 2], [[1, 2]], [[1, 2, np.nan]], "abc", np.empty((0, 3))])
def test_rows_that_do_not_fit_are_refused_as_by_numpy(X):
    net = Network((3, 5, 2), seed=4)
    with pytest.raises(InputError) as expected:
        net.predict(X)
    with pytest.raises(InputError) as found:
        predict(net, X)
    assert str(found.value) == str(expected.value)


def test_not_a_network():
    with pytest.raises(InputError, match="net must be a Network, but is of type int"):
        bp.predict(3, [[1, 2]])


@pytest.mark.parametrize(
    ("activation", "after"),
    [
        ("identity", lambda u: u + 1),
        ("relu", lambda u: u + 1),
        ("sigmoid", lambda u: 1),
        ("tanh", lambda u: 1),
        ("softmax", lambda u: 1),
        ("exp", np.exp),
    ],
)
@pytest.mark.parametrize("biases", [True, False])
def test_the_bound_of_the_outputs(activation, after, biases):
    """Layer by layer: Σ |W| times the largest input, plus |b|, through σ; and no output is larger."""
    net = bp.Network((2, 3, 2), activations=("tanh", activation), biases=biases, seed=5)
    largest = 10.0
    for W, through in zip(net.weights, (lambda u: 1.0, after)):
        inputs, b = (W[:, :-1], W[:, -1]) if biases else (W, 0)
        largest = through((np.abs(inputs).sum(axis=1) * largest + np.abs(b)).max())
    assert largest_output(net, 10) == pytest.approx(largest)
    X = np.random.default_rng(0).uniform(-10, 10, (500, 2))
    assert np.abs(net.predict(X)).max() <= largest
