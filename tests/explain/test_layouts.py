"""Figures in any usual layout: the one that fits is taken and said; where several fit, the figures decide."""

import numpy as np
import pytest

import backpath as bp
from explain.unknown_edits import LAYOUTS, Scene, by_name, scene

FIRST = "your weights have the bias first"
COLUMNS = "your weights are (inputs, neurons), a column per neuron"
APART = "your weights have their biases in separate arrays"
WORDS = {
    "by name": "",
    "arrays": "",
    "nested lists": "",
    "one row": "",
    "bias first": FIRST,
    "theta1": FIRST,
    "columns are neurons": COLUMNS,
    "bias first, columns are neurons": f"{FIRST} and are (inputs, neurons), a column per neuron",
    "pairs": APART,
    "weights, then biases": APART,
    "W and b in turn": APART,
    "dW1, db1": APART,
    "pairs, columns are neurons": f"{APART} and are (inputs, neurons), a column per neuron",
    "W1, b1": f"{APART} and are (inputs, neurons), a column per neuron",
    "coefs_": f"{APART} and are (inputs, neurons), a column per neuron",
}


def samples(sizes, N=4, seed=0):
    s = scene(np.random.default_rng(seed), sizes)
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(N, sizes[0])), rng.uniform(0.1, 0.9, (N, sizes[-1]))
    return Scene(s.weights, ("sigmoid",) * (len(sizes) - 1), "half_squared_error", X, y)


@pytest.mark.parametrize("sizes", [(3, 4, 2), (2, 2, 1), (3, 2), (2, 3, 4, 1)])
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_read_and_said(name, sizes):
    s = samples(sizes)
    claimed = LAYOUTS[name](s, s.textbook.gradients())
    report = bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost)
    assert report.correct
    assert report.layout == WORDS[name]
    assert (WORDS[name] + ".").capitalize()[:40] in str(report).replace("\n", " ") or not WORDS[name]


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "by name"])
def test_a_mistake_is_named_in_every_layout(name):
    s = samples((3, 4, 2))
    doubled = [2 * g for g in s.textbook.gradients()]
    report = bp.diagnose(s.network, s.X, s.y, LAYOUTS[name](s, doubled), cost=s.cost)
    assert "cost_convention" in [f.mistake for f in report.findings]
    assert report.layout == WORDS[name]


def test_updated_weights_also_have_layouts():
    s = samples((3, 4, 2))
    after = s.network.step(s.X, s.y, 0.5, s.cost).weights
    for name, layout in LAYOUTS.items():
        report = bp.diagnose(
            s.network, s.X, s.y, claimed_weights=layout(s, list(after)), cost=s.cost, learning_rate=0.5
        )
        assert report.correct
        assert report.layout == WORDS[name]


def test_strings_keep_their_digits():
    s = samples((2, 2, 1))
    printed = [[[f"{v:.3f}" for v in row] for row in g] for g in s.textbook.gradients()]
    assert bp.diagnose(s.network, s.X, s.y, printed, cost=s.cost).correct
    report = bp.diagnose(s.network, s.X, s.y, [np.round(g, 3) for g in s.textbook.gradients()], cost=s.cost)
    assert report.correct
    assert "but rounded" in report.note


def test_weights_alone_may_be_claimed():
    s = samples((3, 4, 2))
    report = bp.diagnose(s.network, s.X, s.y, [g[:, :-1] for g in s.textbook.gradients()], cost=s.cost)
    assert report.correct
    assert "W1~_1" not in [figure.name for figure in report.figures]


def test_names_with_numbers_in_any_order():
    s = samples((3, 4, 2))
    first, second = s.textbook.gradients()
    for claimed in ({"grad_W2": second, "grad_W1": first}, {"fc1.weight": first, "fc2.weight": second}):
        assert bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost).correct
    torch_like = {
        "0.weight": first[:, :-1],
        "0.bias": first[:, -1],
        "2.weight": second[:, :-1],
        "2.bias": second[:, -1],
    }
    assert bp.diagnose(s.network, s.X, s.y, torch_like, cost=s.cost).correct


def test_the_output_layer_may_come_first():
    s = samples((3, 4, 2))
    report = bp.diagnose(s.network, s.X, s.y, s.textbook.gradients()[::-1], cost=s.cost)
    assert report.correct
    assert report.layout == "your weights have the output layer first"


def test_samples_in_columns():
    s = samples((3, 4, 2), N=5)
    report = bp.diagnose(s.network, s.X.T, s.y.T, by_name(s, s.textbook.gradients()), cost=s.cost)
    assert report.correct
    assert report.layout == "your samples are in columns"
    square = samples((3, 4, 3), N=3)  # both fit: the figures tell
    report = bp.diagnose(
        square.network, square.X.T, square.y.T, by_name(square, square.textbook.gradients()), cost=s.cost
    )
    assert report.correct
    assert report.layout == "your samples are in columns"


def test_a_network_without_biases():
    net = bp.Network((3, 4, 2), biases=False)
    s = samples((3, 4, 2))
    g = net.gradients(s.X, s.y, s.cost).layers
    for claimed in (list(g), [a.T for a in g], {"W1": g[0], "W2": g[1]}, np.concatenate([a.ravel() for a in g])):
        assert bp.diagnose(net, s.X, s.y, claimed, cost=s.cost).correct


@pytest.mark.parametrize(
    ("claimed", "message"),
    [
        ([np.ones((2, 3))], "arrays of the weights' shapes [(4, 4), (2, 5)], in any usual layout, but has (2, 3)"),
        ([np.ones((4, 4)), np.ones((2, 6))], "but has (4, 4), (2, 6)"),
        ({"W1": np.ones((4, 4))}, "but its names are 'W1'"),
        ([[[1, 2], [3]], [[1]]], "rows of equal length"),
        (3.5, "or arrays by layer, but is of type float"),
        ({"V11": 1.0}, "the network 3-4-2 has no weight 'V11'"),
        ({"coefs_": [np.ones((3, 4)), np.ones((4, 2))], "intercepts_": 0.5}, "its names are 'coefs_', 'intercepts_'"),
        ({"coefs_": [np.ones((3, 4)), np.ones((4, 2))], "b": [np.ones(4)]}, "its names are 'coefs_', 'b'"),
    ],
)
def test_what_fits_no_layout_is_refused(claimed, message):
    s = samples((3, 4, 2))
    with pytest.raises(bp.InputError) as caught:
        bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost)
    assert message in str(caught.value)


def test_a_list_of_weights_beside_biases_by_name_and_the_reverse():
    s = samples((3, 4, 2))
    W1, b1, W2, b2 = _apart(s)
    for b, wrong in ((b1, 0), (b1 + 0.1, 4)):
        for claimed in ({"coefs_": [W1, W2], "b1": b, "b2": b2}, {"W1": W1, "W2": W2, "intercepts_": [b, b2]}):
            report = bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost)
            assert len(report.figures) == 4 * 4 + 2 * 5
            assert sum(not figure.is_right for figure in report.figures) == wrong


def test_lists_for_a_network_of_one_layer():
    s = samples((3, 2))
    W, b = _apart(s)
    for biases in (b, [b]):
        assert bp.diagnose(s.network, s.X, s.y, {"coefs_": [W], "intercepts_": biases}, cost=s.cost).correct
    for claimed in ({"coefs_": [W, W], "intercepts_": [b, b]}, {"coefs_": [W], "intercepts_": []}):
        with pytest.raises(bp.InputError, match="its names are 'coefs_', 'intercepts_'"):
            bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost)


def _apart(s):
    return [part for g in s.textbook.gradients() for part in (g[:, :-1].T, g[:, -1])]


@pytest.mark.parametrize(
    "laid",
    [
        lambda W1, b1, W2, b2: np.concatenate([W1.ravel(), W2.ravel(), b1, b2]),
        lambda W1, b1, W2, b2: [W1, W2, b1, b2],
        lambda W1, b1, W2, b2: [b1, b2, W1, W2],
        lambda W1, b1, W2, b2: [b1, W1, b2, W2],
        lambda W1, b1, W2, b2: [{"W": W1, "b": b1}, {"W": W2, "b": b2}],
        lambda W1, b1, W2, b2: [W2.T, b2.reshape(-1, 1), W1.T, b1.reshape(-1, 1)],
    ],
)
def test_weights_and_biases_may_be_in_any_order(laid):
    s = samples((3, 4, 2))
    report = bp.diagnose(s.network, s.X, s.y, laid(*_apart(s)), cost=s.cost)
    assert report.correct
    assert report.layout
    wrong = _apart(s)
    wrong[2] = -wrong[2]
    assert not bp.diagnose(s.network, s.X, s.y, laid(*wrong), cost=s.cost).correct


def test_all_weights_before_all_biases_are_said_to_be():
    s = samples((3, 4, 2))
    W1, b1, W2, b2 = _apart(s)
    row = np.concatenate([W1.ravel(), W2.ravel(), b1, b2])
    assert "come before all biases" in bp.diagnose(s.network, s.X, s.y, row, cost=s.cost).layout


@pytest.mark.parametrize("seed", range(3))
def test_readings_that_mirror_each_other_leave_it_open(seed):
    s = samples((3, 3, 3), seed=seed)
    claimed = _apart(s)
    claimed[2] = claimed[2].T
    report = bp.diagnose(s.network, s.X, s.y, claimed, cost=s.cost)
    assert not report.certain
    said = report.findings[0].message + report.note
    assert "matrix of layer 1 is transposed" in said
    assert "matrix of layer 2 is transposed" in said


def test_a_scalar_for_the_biases_is_a_sum_over_everything():
    s = samples((3, 4, 2))
    W1, b1, W2, b2 = _apart(s)
    report = bp.diagnose(s.network, s.X, s.y, [W1, b1.sum(), W2, b2.sum()], cost=s.cost)
    assert [finding.mistake for finding in report.findings] == ["wrong_reduction"]
    assert "np.sum without an axis" in report.findings[0].message


def test_what_is_refused_is_compared_with_biases_apart():
    s = samples((3, 4, 2))
    W1, b1, W2, b2 = _apart(s)
    with pytest.raises(bp.InputError, match=r"biases apart \[\(3, 4\), \(4,\), \(4, 2\), \(2,\)\]"):
        bp.diagnose(s.network, s.X, s.y, [W1, b1, W2[:1], b2], cost=s.cost)


@pytest.mark.parametrize("names", [("dW1", "dW2", "dW3"), ("layer9", "layer10", "layer11")])
def test_arrays_of_one_shape_are_in_the_order_of_their_numbers(names):
    net = bp.Network((2, 2, 2, 2), seed=4)
    gradients = dict(zip(names, net.gradients([0.5, 1], [0, 1]).layers, strict=True))
    for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        report = bp.diagnose(net, [0.5, 1], [0, 1], {names[k]: gradients[names[k]] for k in order})
        assert report.correct
        assert report.layout == ""
    unnumbered = dict(zip(("first", "second", "third"), gradients.values(), strict=True))  # in the given order
    assert bp.diagnose(net, [0.5, 1], [0, 1], unnumbered).correct
