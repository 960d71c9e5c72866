"""Kinds of wrong programs that people wrote, each with the answer that it must get.

A program is a two-layer sigmoid backprop whose parts are replaced; it is tried as a function, or its figures are given.
"""

import numpy as np
import pytest

import backpath as bp


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def slope(a):
    return a * (1 - a)


def ones(a):
    return np.column_stack([a, np.ones(len(a))])


class TwoLayers:
    """Right for half_squared_error; a subclass gets one thing wrong."""

    def __call__(self, weights, X, y):
        self.W, self.V = weights
        self.X, self.y, self.N = X, y, len(X)
        self.u = ones(X) @ self.W.T
        self.H = self.hidden(self.u)
        self.A = sigmoid(ones(self.H) @ self.V.T)
        e = self.error()
        self.dA = e * slope(self.A)
        self.e_H = self.sent_back(e) @ self.V[:, :-1]
        self.dH = self.delta_H()
        found = [self.of_hidden(), self.of_output(e)]
        return [self.finished(G, d, W) for G, d, W in zip(found, (self.dH, self.dA), (self.W, self.V))]

    def hidden(self, u):
        return sigmoid(u)

    def error(self):
        return self.A - self.y

    def sent_back(self, e):
        return self.dA

    def delta_H(self):
        return self.e_H * slope(self.H)

    def of_hidden(self):
        return self.dH.T @ ones(self.X) / self.N

    def of_output(self, e):
        return self.dA.T @ ones(self.H) / self.N

    def finished(self, G, delta, W):
        return G


def program(**parts):
    return type("Program", (TwoLayers,), parts)()


def with_biases(G, biases):
    return np.column_stack([G[:, :-1], biases])


A, H = ("A1", "A2"), ("H1", "H2", "H3")
BIASES = ("W1~_1", "W2~_1", "W3~_1", "W1~_2", "W2~_2")
# what is wrong: (the program, {code: where}, words of the message)
SLIPS = {
    "the absolute value of the error": (
        program(error=lambda s: np.abs(s.A - s.y)),
        {"wrong_error": A},
        "absolute value",
    ),
    "the last hidden neuron gets no gradient": (
        program(delta_H=lambda s: s.e_H * slope(s.H) * (np.arange(s.H.shape[1]) < s.H.shape[1] - 1)),
        {"neuron_left_out": ("H3",)},
        "no gradient",
    ),
    "the error is sent back, not δ": (
        program(sent_back=lambda s, e: e),
        {"missing_output_derivative": A},
        "in the backward pass to layer 1 only",
    ),
    "σ′ of the outputs missing in their own gradient": (
        program(of_output=lambda s, e: e.T @ ones(s.H) / s.N),
        {"missing_output_derivative": A},
        "in the gradients of layer 2 only",
    ),
    "the output instead of its δ in the backward pass": (
        program(sent_back=lambda s, e: s.A),
        {"wrong_delta": A},
        "in the backward pass to layer 1 only",
    ),
    "the weight instead of the input": (
        program(finished=lambda s, G, d, W: with_biases(d.mean(axis=0)[:, None] * W, G[:, -1])),
        {"wrong_factor": ("X1", "X2", *H)},
        "the weight is used instead of",
    ),
    "σ′ of the backpropagated error": (
        program(delta_H=lambda s: s.e_H * slope(s.e_H)),
        {"wrong_slope": H},
        "is evaluated with the backpropagated error",
    ),
    "σ′(u) × u": (program(delta_H=lambda s: s.e_H * slope(s.H) * s.u), {"wrong_slope": H}, "multiplied by u"),
    "relu of δ": (
        program(delta_H=lambda s: np.maximum(s.e_H * slope(s.H), 0)),
        {"wrong_delta": H},
        "relu(δ) is used instead of δ of layer 1",
    ),
    "bias gradients averaged twice": (
        program(finished=lambda s, G, d, W: with_biases(G, G[:, -1] / s.N)),
        {"missing_batch_average": BIASES},
        "gradients of the biases are averaged",
    ),
    "bias gradients summed": (
        program(finished=lambda s, G, d, W: with_biases(G, G[:, -1] * s.N)),
        {"missing_batch_average": BIASES},
        "gradients of the biases are summed",
    ),
    "bias gradients of the last sample": (
        program(finished=lambda s, G, d, W: with_biases(G, d[-1])),
        {"wrong_reduction": BIASES},
        "the last sample",
    ),
    "np.sum without an axis": (
        program(finished=lambda s, G, d, W: with_biases(G, np.full(len(G), d.sum() / s.N))),
        {"wrong_reduction": BIASES},
        "all neurons",
    ),
    "bias gradients from the rows": (
        program(finished=lambda s, G, d, W: with_biases(G, G[:, :-1].sum(axis=1))),
        {"wrong_bias_gradient": BIASES},
        "sums of the rows",
    ),
    "bias gradients × the bias": (
        program(finished=lambda s, G, d, W: with_biases(G, G[:, -1] * W[:, -1])),
        {"wrong_bias_gradient": BIASES},
        "multiplied by the bias",
    ),
    "bias gradients with the other sign": (
        program(finished=lambda s, G, d, W: with_biases(G, -G[:, -1])),
        {"bias_sign": BIASES},
        "as -1",
    ),
    "bias gradients with σ′ of the bias": (
        program(
            finished=lambda s, G, d, W: with_biases(
                G, ((s.A - s.y if d is s.dA else s.e_H) * slope(W[:, -1])).mean(axis=0)
            )
        ),
        {"wrong_slope": (*H, *A)},
        "with the bias",
    ),
    "bias gradients without σ′": (
        program(finished=lambda s, G, d, W: with_biases(G, (s.A - s.y if d is s.dA else s.e_H).mean(axis=0))),
        {"missing_output_derivative": (*H, *A)},
        "in the gradients of the biases only",
    ),
    "the last sample left out": (
        program(error=lambda s: np.where(np.arange(s.N)[:, None] < s.N - 1, s.A - s.y, 0)),
        {"sample_left_out": ()},
        "the last sample",
    ),
    "divided by N - 1": (
        program(finished=lambda s, G, d, W: G * s.N / (s.N - 1)),
        {"wrong_reduction": ()},
        "one less than the number of samples",
    ),
    "every output against every target": (
        program(error=lambda s: s.A - s.y.mean(axis=0)),
        {"wrong_error": A},
        "A − mean y",
    ),
    "the mean error for each": (
        program(error=lambda s: 0 * s.A + (s.A - s.y).mean(axis=0)),
        {"wrong_error": A},
        "mean",
    ),
    "mean δ × mean input": (
        program(
            of_hidden=lambda s: np.outer(s.dH.mean(axis=0), ones(s.X).mean(axis=0)),
            of_output=lambda s, e: np.outer(s.dA.mean(axis=0), ones(s.H).mean(axis=0)),
        ),
        {"wrong_reduction": ()},
        "mean",
    ),
    "gradients are not reset between the samples": (
        program(
            of_hidden=lambda s: sum(s.dH[: n + 1].T @ ones(s.X[: n + 1]) for n in range(s.N)) / s.N,
            of_output=lambda s, e: sum(s.dA[: n + 1].T @ ones(s.H[: n + 1]) for n in range(s.N)) / s.N,
        ),
        {"wrong_reduction": ()},
        "gradients are not reset",
    ),
    "all 0": (program(finished=lambda s, G, d, W: 0 * G), {"all_zero": ()}, "integers"),
}


def reported(report):
    return [{finding.mistake: finding.where for finding in group} for group in report.alternatives]


@pytest.mark.parametrize("kind", SLIPS)
def test_a_slip_is_named_at_its_place(kind):
    function, expected, words = SLIPS[kind]
    report = bp.diagnose_function(function, sizes=(2, 3, 2), cost="half_squared_error")
    assert reported(report) == [expected]
    assert report.certain
    assert words in report.findings[0].message


def test_the_cost_of_the_batch_in_place_of_the_error():
    function = program(error=lambda s: np.full(s.A.shape, ((s.A - s.y) ** 2).mean()))
    report = bp.diagnose_function(function, sizes=(2, 2, 1), cost="half_squared_error")
    assert {f.mistake for f in report.findings} == {"cost_convention", "cost_not_differentiated"}
    assert "whole batch" in report.findings[1].message


def test_a_convention_beside_a_slip_with_relus():
    def function(weights, X, y):
        W, V = weights
        H = np.maximum(0, ones(X) @ W.T)
        d = ones(H) @ V.T - y
        return [(d @ V[:, :-1]).T @ ones(X), d.T @ ones(H)]

    relus = {"sizes": (3, 4, 1), "activations": ["relu", "identity"], "cost": "half_squared_error"}
    report = bp.diagnose_function(function, **relus)
    assert {f.mistake for f in report.findings} == {"missing_batch_average", "missing_hidden_derivative"}
    assert report.certain


def test_the_right_program_is_right():
    assert bp.diagnose_function(TwoLayers(), sizes=(2, 3, 2), cost="half_squared_error").correct


def test_equal_readings_are_all_reported():
    report = bp.diagnose_function(program(delta_H=lambda s: s.e_H * s.H), sizes=(2, 3, 1), cost="half_squared_error")
    assert reported(report) == [{"wrong_activation_derivative": H}, {"wrong_slope": H}]  # σ is the softplus' derivative
    assert not report.certain


def test_a_slip_at_every_use_differs_from_one_at_a_single_use():
    both = program(sent_back=lambda s, e: e, of_output=lambda s, e: e.T @ ones(s.H) / s.N)
    report = bp.diagnose_function(both, sizes=(2, 3, 2), cost="half_squared_error")
    assert reported(report) == [{"missing_output_derivative": A}, {"other_cost": ()}]
    assert "only" not in report.findings[0].message


@pytest.mark.parametrize("sizes", [(2, 3, 1), (2, 2, 1)])
def test_quantities_of_fitting_shape(sizes):
    other_slope = program(delta_H=lambda s: s.e_H * slope(s.A))
    report = bp.diagnose_function(other_slope, sizes=sizes, cost="half_squared_error")
    assert [f.mistake for f in report.findings] == ["wrong_slope"]
    assert "σ′ of layer 2" in report.findings[0].message


def test_the_next_layers_outputs_as_inputs():
    report = bp.diagnose_function(
        program(of_hidden=lambda s: s.dH.T @ ones(s.H) / s.N), sizes=(2, 2, 1), cost="half_squared_error"
    )
    assert reported(report) == [{"wrong_factor": ("X1", "X2")}]


def scaled(factor):
    slip = program(delta_H=lambda s: s.e_H * slope(sigmoid(s.H)))
    return lambda weights, X, y: [factor * len(X) * G for G in slip(weights, X, y)]


CONVENTIONS = {"sign_flipped", "missing_batch_average", "derivative_of_activation"}


def test_conventions_do_not_count_against_the_slip():
    half = {"sizes": (2, 3, 2), "cost": "half_squared_error"}
    report = bp.diagnose_function(scaled(-1), **half)
    assert {f.mistake for f in report.findings} == CONVENTIONS
    assert report.certain
    report = bp.diagnose_function(scaled(-0.1), learning_rate=0.1, **half)
    assert {f.mistake for f in report.findings} == {*CONVENTIONS, "learning_rate_included"}
    assert report.certain
    assert {f.mistake for f in report.findings if f.kind == "slip"} == {"derivative_of_activation"}


def test_a_rate_that_is_not_given_is_not_certain():
    report = bp.diagnose_function(scaled(-0.1), sizes=(2, 3, 2))
    assert {*CONVENTIONS, "learning_rate_included"} <= {f.mistake for f in report.findings}
    assert not report.certain


def figures(net, gradients):
    return dict(zip(net.weight_names, np.concatenate([G.ravel() for G in gradients])))


XOR, ANSWERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
NET = bp.Network.from_weights([[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])


def test_half_of_the_sum_of_four_is_also_twice():
    summed = figures(NET, [4 * G for G in TwoLayers()(NET.weights, XOR, ANSWERS)])
    report = bp.diagnose(NET, XOR, ANSWERS, summed)
    codes = [[finding.mistake for finding in group] for group in report.alternatives]
    assert codes == [["cost_convention"], ["cost_convention", "missing_batch_average"]]
    assert not report.certain


def test_two_samples_summed_or_twice():
    g = NET.gradients(XOR[:2], ANSWERS[:2])
    report = bp.diagnose(NET, XOR[:2], ANSWERS[:2], {name: 2 * g[name] for name in NET.weight_names})
    assert {f.mistake for f in report.findings} == {"cost_convention", "missing_batch_average"}
    assert not report.certain


def test_the_error_sent_back_is_named_from_four_decimals():
    made = program(sent_back=lambda s, e: e)(NET.weights, np.array([[0.5, 1]]), np.array([[0.0]]))
    claimed = {name: f"{v:.4f}" for name, v in figures(NET, made).items()}
    report = bp.diagnose(NET, [0.5, 1], [0], claimed, cost="half_squared_error")
    assert {"missing_output_derivative": ("A1",)} in reported(report)


def crossed(weights, X, y):
    W, V = weights
    H = sigmoid(ones(X) @ W.T)
    d = sigmoid(ones(H) @ V.T) - y
    return [(d @ V[:, :-1] * slope(H)).T @ ones(X) / len(X), d.T @ ones(H) / len(X)]


def test_another_cost_is_reported_as_one():
    report = bp.diagnose_function(crossed, sizes=(2, 3, 1))
    assert reported(report)[0] == {"other_cost": ()}
    assert "binary_cross_entropy" in report.findings[0].message

    def absolute(weights, X, y):
        return program(error=lambda s: np.sign(s.A - s.y))(weights, X, y)

    report = bp.diagnose_function(absolute, sizes=(2, 3, 1))
    assert reported(report) == [{"other_cost": ()}]
    assert "absolute_error" in report.findings[0].message


def test_an_l2_term_is_right_if_it_is_meant():
    def decayed(weights, X, y):
        return [G + 0.1 * with_biases(W, 0 * W[:, -1]) for G, W in zip(crossed(weights, X, y), weights)]

    report = bp.diagnose_function(decayed, sizes=(2, 3, 1), cost="binary_cross_entropy")
    assert report.correct
    assert "0.1 × W is added to the gradient of every weight." in report.note


def unbiased(slip, weights, X, y):
    W, V = (w[:, :-1] for w in weights)
    H = sigmoid(X @ W.T)
    a = sigmoid(H @ V.T)
    d = (a - y) * slope(a) / (1 if slip else len(X))
    dH = d @ (V - 0.5 * d.T @ H if slip == "early" else V) * slope(H)
    return [np.column_stack([G, np.zeros(len(G))]) for G in (dH.T @ X, d.T @ H)]


def test_a_program_without_biases():
    half = {"sizes": (2, 2, 1), "cost": "half_squared_error"}
    report = bp.diagnose_function(lambda *a: unbiased("", *a), **half)
    assert report.correct
    assert "no biases" in report.layout
    report = bp.diagnose_function(lambda *a: unbiased("sum", *a), **half)
    assert {f.mistake for f in report.findings} == {"missing_batch_average"}
    report = bp.diagnose_function(lambda *a: unbiased("early", *a), **half)
    assert {f.mistake for f in report.findings} == {"missing_batch_average", "updated_weights_used"}


def test_figures_of_a_program_without_biases():
    report = bp.diagnose(
        NET, XOR, ANSWERS, figures(NET, unbiased("", NET.weights, XOR, ANSWERS)), cost="half_squared_error"
    )
    assert report.correct
    assert "no biases" in report.note
    report = bp.diagnose(
        NET, XOR, ANSWERS, figures(NET, unbiased("sum", NET.weights, XOR, ANSWERS)), cost="half_squared_error"
    )
    assert {f.mistake for f in report.findings} >= {"no_biases", "missing_batch_average"}


def stepped(weights, X, y, batches):
    """Updated with η = 0.5, batch after batch."""
    for batch in batches:
        weights = [W - 0.5 * G for W, G in zip(weights, TwoLayers()(weights, X[batch], y[batch]))]
    return weights


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([[0], [1], [2], [3]], "an online epoch, sample by sample in this order"),
        ([[3], [2], [1], [0]], "an online epoch in the reverse order"),
        ([[0, 1, 2, 3]] * 2, "2 steps with the whole batch"),
    ],
)
def test_weights_after_several_updates_are_right(batches, words):
    claimed = figures(NET, stepped(NET.weights, XOR, ANSWERS, batches))
    report = bp.diagnose(NET, XOR, ANSWERS, claimed_weights=claimed, learning_rate=0.5, cost="half_squared_error")
    assert report.correct
    assert words in report.note


def test_a_slip_in_every_step_of_an_online_epoch():
    weights = NET.weights
    for x, t in zip(XOR, ANSWERS):
        found = program(sent_back=lambda s, e: e)(weights, x[None], t[None])
        weights = [W - 0.5 * G for W, G in zip(weights, found)]
    report = bp.diagnose(
        NET, XOR, ANSWERS, claimed_weights=figures(NET, weights), learning_rate=0.5, cost="half_squared_error"
    )
    assert {"several_updates": (), "missing_output_derivative": ("A1",)} in reported(report)


UPDATES = {
    "set to the step": (lambda W, G: -0.5 * G, "weight_set", "is set to the step"),
    "the bias added once more": (
        lambda W, G: W - 0.5 * G + with_biases(0 * W, W[:, -1]),
        "weight_set",
        "every bias is doubled",
    ),
}


@pytest.mark.parametrize("kind", UPDATES)
def test_weights_that_are_set_in_place_of_changed(kind):
    update, code, words = UPDATES[kind]
    gradients = TwoLayers()(NET.weights, XOR, ANSWERS)
    claimed = figures(NET, [update(W, G) for W, G in zip(NET.weights, gradients)])
    report = bp.diagnose(NET, XOR, ANSWERS, claimed_weights=claimed, learning_rate=0.5, cost="half_squared_error")
    assert [f.mistake for f in report.findings] == [code]
    assert words in report.findings[0].message


def test_weight_decay_in_the_update_is_right_if_it_is_meant():
    gradients = TwoLayers()(NET.weights, XOR, ANSWERS)
    claimed = figures(NET, [W * (1 - 0.5 * 0.01) - 0.5 * G for W, G in zip(NET.weights, gradients)])
    report = bp.diagnose(NET, XOR, ANSWERS, claimed_weights=claimed, learning_rate=0.5, cost="half_squared_error")
    assert report.correct
    assert "0.01 × W" in report.note


def test_of_two_misread_weights_the_rounder_is_reported_first():
    net = bp.Network.from_weights([[[2.0, 3.0, 0.0]]])
    u = 2 * 0.4 + 4 * 0.5
    a = sigmoid(u)
    claimed = {"W11_1": f"{0.3 * a * (1 - a) * 0.4:.4f}"}
    values = {"u_A1": "2.80", "A1": f"{a:.3f}"}
    report = bp.diagnose(net, [0.4, 0.5], [a - 0.3], claimed, claimed_values=values, cost="half_squared_error")
    assert report.findings[0].message == "W12_1 is read as 4, not as 3"
    assert not report.certain
