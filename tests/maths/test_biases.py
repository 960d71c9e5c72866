"""Networks without bias neurons: the same as with biases of 0 that never change, except for those weights."""

import json
import pickle

import numpy as np
import pytest

import backpath as bp

SIZES = [(1, 1), (2, 2, 1), (3, 4, 2), (2, 3, 3, 2)]
W1, W2 = [[0.9, 0.3], [0.1, 0.5]], [[0.8, 0.7]]
RNG = np.random.default_rng(0)


def pair(sizes, **kinds):
    """A network without biases, and the same with biases of 0."""
    net = bp.Network(sizes, seed=3, biases=False, **kinds)
    return net, bp.Network.from_weights([np.column_stack([W, np.zeros(len(W))]) for W in net.weights], net.activations)


def samples(sizes, N=5):
    return RNG.normal(size=(N, sizes[0])), RNG.uniform(0.1, 0.9, (N, sizes[-1]))


@pytest.mark.parametrize("sizes", SIZES)
def test_passes_are_those_of_biases_of_0(sizes):
    net, wide = pair(sizes, activation="tanh")
    X, y = samples(sizes)
    np.testing.assert_allclose(net.predict(X), wide.predict(X), rtol=1e-13)
    for narrow, full in zip(net.gradients(X, y).layers, wide.gradients(X, y).layers, strict=True):
        np.testing.assert_allclose(narrow, full[:, :-1], rtol=1e-12)
    stepped = net.step(X, y, learning_rate=0.3)
    for narrow, full in zip(stepped.weights, wide.step(X, y, 0.3, frozen="biases").weights, strict=True):
        np.testing.assert_allclose(narrow, full[:, :-1], rtol=1e-12)


def test_it_has_no_bias_weights():
    net = bp.Network((2, 2, 1), biases=False)
    assert net.weight_names == ("W11_1", "W12_1", "W21_1", "W22_1", "W11_2", "W12_2")
    assert [W.shape for W in net.weights] == [(2, 2), (1, 2)]
    assert not net.biases
    for ask in (lambda: net["W1~_1"], lambda: net.replace({"W2~_1": 1}), lambda: bp.derive(net, "W1~_2")):
        with pytest.raises(bp.InputError, match="has no biases, and so no weight 'W"):
            ask()
    with pytest.raises(bp.InputError, match=r"its weights go from W11_1 to W12_2 \(W, to neuron, from input, _layer\)"):
        net["V"]
    assert repr(net) == "Network(2-2-1, sigmoid, 6 weights, no biases, float64)"


def test_shapes_tell_whether_there_are_biases_where_they_can():
    assert not bp.Network.from_weights([W1, W2]).biases
    assert bp.Network.from_weights([[[1.0, 2, 3], [4, 5, 6]], [[7.0, 8, 9]]]).biases
    assert bp.Network.from_weights([W1]).sizes == (1, 2)  # of one layer they can't
    assert bp.Network.from_weights([W1], biases=False).sizes == (2, 2)
    with pytest.raises(bp.InputError, match="layer 2's weights must have 3 columns"):
        bp.Network.from_weights([W1, W2], biases=True)
    with pytest.raises(bp.InputError, match=r"must have 2 columns \(the 2 neurons of layer 1\)"):
        bp.Network.from_weights([W1, [[1.0, 2, 3]]], biases=False)
    with pytest.raises(bp.InputError, match="layer 2's weights must have 3 columns"):
        bp.Network.from_weights([W1, [[1.0, 2, 3, 4]]])


def test_it_survives_a_file_and_pickling(tmp_path):
    for net in (bp.Network((2, 2, 1), biases=False), bp.Network((3, 2), biases=False), bp.Network((3, 2))):
        bp.save(net, tmp_path / "net.safetensors")
        for again in (bp.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net))):
            assert again == net
            assert again.biases == net.biases


@pytest.mark.parametrize("solver", ["gd", "momentum", "adam", "lm"])
@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_training_is_that_of_frozen_biases_of_0(solver, engine):
    net, wide = pair((2, 3, 1))
    X, y = samples((2, 3, 1), 12)
    result = bp.train(net, X, y, epochs=20, solver=solver, engine=engine)
    same = bp.train(wide, X, y, epochs=20, solver=solver, engine=engine, frozen="biases")
    np.testing.assert_array_equal(result.history.cost, same.history.cost)
    assert not result.network.biases
    for narrow, full in zip(result.network.weights, same.network.weights, strict=True):
        np.testing.assert_array_equal(narrow, full[:, :-1])
        assert not full[:, -1].any()


@pytest.mark.parametrize("solver", ["gd", "lm"])
def test_the_best_of_several_starts_has_no_biases_either(solver):
    net = bp.Network((2, 3, 1), biases=False)
    X, y = samples((2, 3, 1), 12)
    result = bp.train(net, X, y, epochs=5, solver=solver, restarts=3)
    assert result.network.cost(X, y) <= net.cost(X, y)
    assert not result.network.biases


def test_a_population_says_what_to_give_it_instead():
    with pytest.raises(bp.InputError, match="with_zero_biases"):
        bp.Population.of([bp.Network((2, 2, 1), biases=False)])


def test_explanations_leave_the_bias_out():
    net = bp.Network.from_weights([W1, W2])
    X, y = [0.5, 1], [1]
    shown = str(bp.explain_step(net, X, y)) + str(bp.derive(net, "W11_1").evaluate(X, y))
    assert "~" not in shown
    assert "= H1 × W11_2 + H2 × W12_2\n" in shown
    assert "H1 = σ(0.5·0.9 + 1·0.3) = σ(0.75) = 0.67918" in shown
    net.gradients(X, y)  # and all printers print it
    step = bp.explain_step(net, [X, [1, 0]], [[1], [0]])
    assert all("~" not in text for text in (step.latex(), step.html(), step.markdown(), step.json()))
    assert json.loads(step.json())["network"]["biases"] is False


def test_a_diagnosis_takes_no_figure_of_a_bias():
    net = bp.Network.from_weights([W1, W2])
    X, y = [[1, 0], [0.5, 2], [3, 1]], [[1], [0], [1]]
    g = net.gradients(X, y)
    right = {name: g[name] for name in net.weight_names}
    assert bp.diagnose(net, X, y, right).correct
    halved = bp.diagnose(net, X, y, {name: v / 2 for name, v in right.items()})
    assert [f.mistake for f in halved.findings] == ["cost_convention"]
    assert "~" not in str(halved)
    with pytest.raises(bp.InputError, match="has no biases"):
        bp.diagnose(net, X, y, {"W1~_1": 0.1})


def test_a_function_is_called_with_weights_without_biases():
    def wrong(weights, X, y):
        W, V = weights
        H = 1 / (1 + np.exp(-X @ W.T))
        A = 1 / (1 + np.exp(-H @ V.T))
        delta = 2 * (A - y)
        return [(delta @ V * H * (1 - H)).T @ X / len(X), delta.T @ H / len(X)]

    report = bp.diagnose_function(wrong, sizes=(2, 3, 1), biases=False)
    assert [f.mistake for f in report.findings] == ["missing_output_derivative"]


@pytest.mark.parametrize(
    ("weights", "layer", "shape"),
    [([[[0.1, 0.2, 0.3], [1, 2, 3]], [[0.5]]], 2, (1, 1)), ([[[0.1], [0.2]], [[1, 2, 3]]], 1, (2, 1))],
)
def test_a_layer_without_room_for_a_bias_is_named(weights, layer, shape):
    with pytest.raises(bp.InputError) as caught:
        bp.Network.from_weights(weights)
    expected = "weights must have shape (neurons, inputs + 1), bias last, but have shape"
    assert str(caught.value) == f"layer {layer}'s {expected} {shape}"
