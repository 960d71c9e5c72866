"""The digits of the network: figures are right if they are right for some network that prints like the given one."""

import numpy as np
import pytest

import backpath as bp
from backpath.maths.printed import printed_number

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(3, 2)), RNG.uniform(0.1, 0.9, (3, 1))


def exact(seed, sizes=(2, 3, 1)):
    return bp.Network(sizes, init="uniform:-1,1", seed=seed)


def printed(net, decimals):
    return [[[f"{v:.{decimals}f}" for v in row] for row in W] for W in net.weights]


def claimed(net, factor=1.0, digits=5, **samples):
    g = net.gradients(samples.get("X", X), samples.get("y", Y))
    return {name: f"{factor * g[name]:.{digits}f}" for name in net.weight_names}


def test_a_printed_number_and_its_last_digit():
    assert printed_number("0.150", "w") == (0.15, 0.001)
    assert printed_number("\N{MINUS SIGN}1.5e-3", "w") == (-0.0015, pytest.approx(1e-4))
    for text in ("abc", "1_000", "nan", "1e999"):
        with pytest.raises(bp.InputError, match="in quotes as it was printed"):
            printed_number(text, "w")


def test_a_network_of_strings_keeps_their_digits():
    net = bp.Network.from_weights([[["0.10", "-0.2", 0.3]], [["1", "2.50"]]])
    assert net == bp.Network.from_weights([[[0.1, -0.2, 0.3]], [[1, 2.5]]])
    assert [u.tolist() for u in net.printed] == [[[0.01, 0.1, 0.0]], [[1.0, 0.01]]]
    assert bp.Network((2, 2, 1)).printed is None
    with pytest.raises(bp.InputError, match="layer 1's weights must be a finite number, or one in quotes"):
        bp.Network.from_weights([[["0.1", "x", "0.3"]]])


@pytest.mark.parametrize("decimals", [2, 3, 4])
def test_right_figures_of_a_printed_network_are_right(decimals):
    for seed in range(12):
        net = exact(seed)
        given = bp.Network.from_weights(printed(net, decimals))
        assert bp.diagnose(given, X, Y, claimed(net)).correct
        assert bp.diagnose(given, X, Y, claimed(net)).note == ""


def test_printed_inputs_and_targets():
    net = exact(1)
    inputs, targets = [[[f"{v:.2f}" for v in row] for row in array] for array in (X, Y)]
    assert bp.diagnose(net, inputs, targets, claimed(net)).correct
    assert not bp.diagnose(net, np.round(X, 2), np.round(Y, 2), claimed(net)).correct
    turned = [list(row) for row in zip(*inputs, strict=True)]
    assert bp.diagnose(net, turned, [[row[0] for row in targets]], claimed(net)).correct


def test_updated_weights_of_a_printed_network():
    net = exact(2)
    after = net.step(X, Y, 0.5)
    figures = {name: f"{after[name]:.6f}" for name in net.weight_names}
    given = bp.Network.from_weights(printed(net, 3))
    assert bp.diagnose(given, X, Y, claimed_weights=figures, learning_rate=0.5).correct


def test_a_mistake_is_named_all_the_same():
    for seed in range(6):
        net = exact(seed)
        given = bp.Network.from_weights(printed(net, 4))
        report = bp.diagnose(given, X, Y, claimed(net, factor=0.5))
        assert "cost_convention" in [f.mistake for f in report.findings]
        assert not report.correct


def test_numbers_that_look_printed_get_the_same_as_a_note():
    for seed in range(8):
        net = exact(seed)
        rounded = bp.Network.from_weights([np.round(W, 3) for W in net.weights])
        report = bp.diagnose(rounded, X, Y, claimed(net))
        assert report.correct
        assert "rounded to their decimals" in report.note or not report.note  # it may be right as it is
        halved = bp.diagnose(rounded, X, Y, claimed(net, factor=0.5))
        assert "cost_convention" in [f.mistake for f in halved.findings]


def test_few_digits_do_not_make_wrong_figures_right():
    """Of weights of one decimal nearly every figure would be right for some network that prints like them."""
    net = bp.Network.from_weights([[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])
    g = net.gradients(X, Y)
    off = {name: f"{g[name] * 1.03 + 0.001 * k:.6f}" for k, name in enumerate(net.weight_names)}
    assert not bp.diagnose(net, X, Y, off).correct


def test_what_is_wrong_by_more_than_the_digits_is_wrong():
    net = exact(3)
    given = bp.Network.from_weights(printed(net, 4))
    figures = claimed(net)
    figures["W21_1"] = f"{float(figures['W21_1']) * 1.1 + 0.01:.5f}"
    report = bp.diagnose(given, X, Y, figures)
    assert [figure.name for figure in report.figures if not figure.is_right] == ["W21_1"]
