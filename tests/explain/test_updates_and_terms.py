"""Right gradients with other update rules, clipping, penalties or smoothed targets: the report names them."""

import itertools

import numpy as np
import pytest

import backpath as bp

XOR, ANSWERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
NET = bp.Network.from_weights([[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])
ETA = 0.1
HALF = {"cost": "half_squared_error"}


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def ones(a):
    return np.column_stack([a, np.ones(len(a))])


def backprop(weights, X, y, hidden_slope=lambda a: a * (1 - a)):
    """Of a sigmoid network with one hidden layer, for half_squared_error."""
    W, V = weights
    H = sigmoid(ones(X) @ W.T)
    A = sigmoid(ones(H) @ V.T)
    dA = (A - y) * A * (1 - A) / len(X)
    dH = dA @ V[:, :-1] * hidden_slope(H)
    return [dH.T @ ones(X), dA.T @ ones(H)]


# a rule: (W, g, state, t) -> W, state
def adam(epsilon, corrected=True):
    def rule(W, g, state, t):
        m, v = state or (0, 0)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        first, second = (m / (1 - 0.9**t), v / (1 - 0.999**t)) if corrected else (m, v)
        return W - ETA * first / (np.sqrt(second) + epsilon), (m, v)

    return rule


def rmsprop(W, g, v, t):
    v = 0.9 * (0 if v is None else v) + 0.1 * g**2
    return W - ETA * g / (np.sqrt(v) + 1e-8), v


def adagrad(W, g, v, t):
    v = (0 if v is None else v) + g**2
    return W - ETA * g / (np.sqrt(v) + 1e-8), v


def nesterov(W, g, v, t):
    """As Keras writes it."""
    v = 0.9 * (0 if v is None else v) - ETA * g
    return W + 0.9 * v - ETA * g, v


def mean_momentum(W, g, v, t):
    v = 0.9 * (0 if v is None else v) + 0.1 * g
    return W - ETA * v, v


def after(rule, batches, slope=lambda a: a * (1 - a)):
    weights, states = list(NET.weights), [None, None]
    for t, batch in enumerate(batches, 1):
        gradients = backprop(weights, XOR[batch], ANSWERS[batch], slope)
        made = [rule(W, g, s, t) for W, g, s in zip(weights, gradients, states)]
        weights, states = [W for W, _ in made], [s for _, s in made]
    return weights


RULES = {
    "by Adam (β₁ = 0.9, β₂ = 0.999, ε = 1e-08)": adam(1e-8),
    "by Adam (β₁ = 0.9, β₂ = 0.999, ε = 1e-07)": adam(1e-7),
    "by RMSProp (ρ = 0.9, ε = 1e-08)": rmsprop,
    "by AdaGrad (ε = 1e-08)": adagrad,
    "by Nesterov's momentum 0.9": nesterov,
    "by a running mean of the gradients": mean_momentum,
}
COURSES = {
    "one step with the whole batch": [[0, 1, 2, 3]],
    "3 steps with the whole batch": [[0, 1, 2, 3]] * 3,
    "an online epoch in this order": [[0], [1], [2], [3]],
}


def judged(weights, **options):
    return bp.diagnose(NET, XOR, ANSWERS, claimed_weights=weights, learning_rate=ETA, **HALF, **options)


@pytest.mark.parametrize(
    ("words", "course"),
    [
        (words, course)
        for words, course in itertools.product(RULES, COURSES)
        if not ("running mean" in words and "one step" in course)  # equal to a tenth of the learning rate
    ],
)
def test_weights_updated_by_another_rule_are_right(words, course):
    report = judged(after(RULES[words], COURSES[course]))
    assert report.correct
    assert f"{course} {words}" in report.note


def test_nesterov_with_the_gradient_taken_ahead():
    weights, velocity = list(NET.weights), [0, 0]
    for _ in range(3):
        gradients = backprop([W + 0.9 * v for W, v in zip(weights, velocity)], XOR, ANSWERS)
        velocity = [0.9 * v - ETA * g for v, g in zip(velocity, gradients)]
        weights = [W + v for W, v in zip(weights, velocity)]
    report = judged(weights)
    assert report.correct
    assert "with the gradient at the look-ahead weights" in report.note


def test_adam_without_its_correction_is_not_right():
    report = judged(after(adam(1e-8, corrected=False), COURSES["3 steps with the whole batch"]))
    assert [f.mistake for f in report.findings] == ["several_updates"]
    assert "without bias correction" in report.findings[0].message


def test_a_slip_within_adam_is_not_called_right():
    assert not judged(after(adam(1e-8), [[0, 1, 2, 3]] * 3, slope=lambda a: 1 + 0 * a)).correct


def length(arrays):
    return np.sqrt(sum((g**2).sum() for g in arrays))


def cut(limit):
    return lambda g: g * min(1, limit / np.linalg.norm(g))


def with_bias_apart(g, edit):
    return np.column_stack([edit(g[:, :-1]), edit(g[:, -1:])])


AFTER = {
    "each gradient is clipped to the range from −0.02 to 0.02": lambda g: [np.clip(a, -0.02, 0.02) for a in g],
    "the whole gradient is clipped to the norm 0.05": lambda g: [a * min(1, 0.05 / length(g)) for a in g],
    "the gradient of each layer is clipped to the norm 0.05": lambda g: [cut(0.05)(a) for a in g],
    "weights and biases separately, is clipped to the norm 0.03": lambda g: [with_bias_apart(a, cut(0.03)) for a in g],
    "the whole gradient is divided by its norm": lambda g: [a / length(g) for a in g],
    "only the sign of each gradient is left: 1 or −1": lambda g: [np.sign(a) for a in g],
}


def function(edit, **options):
    return lambda weights, X, y: edit(backprop(weights, X, y, **options))


@pytest.mark.parametrize("words", AFTER)
def test_gradients_that_are_clipped_or_scaled_are_right_if_it_is_meant(words):
    report = bp.diagnose_function(function(AFTER[words]), sizes=(3, 4, 2), **HALF)
    assert report.correct
    assert words.replace("clipped to the norm", "") in report.note.replace("clipped to the norm", "").replace(
        "scaled to the norm", ""
    )


def test_a_slip_before_clipping_is_named():
    wrong = function(AFTER["each gradient is clipped to the range from −0.02 to 0.02"], hidden_slope=lambda a: 1)
    report = bp.diagnose_function(wrong, sizes=(3, 4, 2), **HALF)
    assert [f.mistake for f in report.findings] == ["gradient_clipped", "missing_hidden_derivative"]
    wrong = function(AFTER["the whole gradient is divided by its norm"], hidden_slope=lambda a: a)
    report = bp.diagnose_function(wrong, sizes=(3, 4, 2), **HALF)
    assert {"gradient_clipped", "wrong_slope"} <= {f.mistake for f in report.findings}


def test_figures_that_are_cut_off_at_no_round_number_are_not_called_clipped():
    g = [np.clip(a, -0.0212345, 0.0212345) for a in backprop(NET.weights, XOR, ANSWERS)]
    report = bp.diagnose(NET, XOR, ANSWERS, g, **HALF)
    assert not report.correct
    assert not report.certain


def test_clipped_updates_are_right():
    g = AFTER["each gradient is clipped to the range from −0.02 to 0.02"](backprop(NET.weights, XOR, ANSWERS))
    report = judged([W - ETA * a for W, a in zip(NET.weights, g)])
    assert report.correct
    assert "from −0.02 to 0.02" in report.note


@pytest.mark.parametrize("digits", [None, 5])
@pytest.mark.parametrize(
    ("weights_only", "words"),
    [
        (True, "an L1 term 0.01 × sign(W) is added to the gradient of every weight."),
        (False, "an L1 term 0.01 × sign(W) is added to the gradient of every weight and bias."),
    ],
)
def test_an_l1_term_is_right_if_it_is_meant(weights_only, words, digits):
    claimed = []
    for W, g in zip(NET.weights, backprop(NET.weights, XOR, ANSWERS)):
        term = 0.01 * np.sign(W)
        if weights_only:
            term[:, -1] = 0
        claimed.append([[v if digits is None else f"{v:.{digits}f}" for v in row] for row in g + term])
    report = bp.diagnose(NET, XOR, ANSWERS, claimed, **HALF)
    assert report.correct
    assert words in report.note


def test_a_gradient_scaled_to_a_length_beside_a_slip():
    wrong = backprop(NET.weights, XOR, ANSWERS, lambda a: 1 + 0 * a)
    report = bp.diagnose(NET, XOR, ANSWERS, [g / length(wrong) for g in wrong], **HALF)
    assert {f.mistake: f.kind for f in report.findings} == {
        "gradient_clipped": "convention",
        "missing_hidden_derivative": "slip",
    }


def test_an_l2_term_beside_a_slip():
    wrong = backprop(NET.weights, XOR, ANSWERS, lambda a: 1 + 0 * a)
    report = bp.diagnose(NET, XOR, ANSWERS, [g + 0.01 * W for W, g in zip(NET.weights, wrong)], **HALF)
    assert {f.mistake for f in report.findings} == {"weight_decay", "missing_hidden_derivative"}
    assert report.certain


@pytest.mark.parametrize("rate", [1, -0.1])
def test_updated_weights_among_the_gradients_are_no_l2_term(rate):
    claimed = [W + rate * g for W, g in zip(NET.weights, backprop(NET.weights, XOR, ANSWERS))]
    report = bp.diagnose(NET, XOR, ANSWERS, claimed, **HALF)
    assert [f.mistake for f in report.findings] == ["unknown"]


def test_an_l1_term_that_is_subtracted_is_wrong():
    g = [g - 0.01 * np.sign(W) for W, g in zip(NET.weights, backprop(NET.weights, XOR, ANSWERS))]
    report = bp.diagnose(NET, XOR, ANSWERS, g, **HALF)
    assert [f.mistake for f in report.findings] == ["weight_decay"]
    assert "subtracted" in report.findings[0].message


def classes(weights, X, y, targets=lambda y: y):
    """Of a network with softmax, for categorical_cross_entropy."""
    W, V = weights
    H = sigmoid(ones(X) @ W.T)
    e = np.exp(ones(H) @ V.T)
    dA = (e / e.sum(axis=1, keepdims=True) - targets(y)) / len(X)
    return [(dA @ V[:, :-1] * H * (1 - H)).T @ ones(X), dA.T @ ones(H)]


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (lambda y: 0.9 * y + 0.1 / 3, "smoothed by 0.1"),
        (lambda y: 0.95 * y + 0.05 / 3, "smoothed by 0.05"),
        (lambda y: np.where(y == 1, 0.9, 0.05), "which the other classes share"),
    ],
)
def test_smoothed_targets_are_right_if_they_are_meant(targets, words):
    report = bp.diagnose_function(
        lambda weights, X, y: classes(weights, X, y, targets),
        sizes=(2, 4, 3),
        activations=["sigmoid", "softmax"],
        cost="categorical_cross_entropy",
    )
    assert report.correct
    assert words in report.note


def test_smoothing_of_two_classes_has_one_meaning():
    """With two, the other classes' share is only another name for twice the smoothing."""
    report = bp.diagnose_function(
        lambda weights, X, y: classes(weights, X, y, lambda y: 0.9 * y + 0.1 / 2),
        sizes=(2, 4, 2),
        activations=["sigmoid", "softmax"],
        cost="categorical_cross_entropy",
    )
    assert report.correct
    assert "smoothed by 0.1: 0.9 y + 0.05" in report.note
    assert "share" not in report.note


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (0.5, "half of each gradient"),
        (2, "twice each gradient"),
        (-1, "each step added, not subtracted"),
        (4, "gradients summed over the samples"),
    ],
)
def test_several_updates_with_another_scale_of_the_gradients(scale, words):
    report = judged(after(lambda W, g, state, t: (W - ETA * scale * g, None), COURSES["3 steps with the whole batch"]))
    assert report.findings[0].mistake == "several_updates"
    assert report.findings[0].message.endswith(f"3 steps with the whole batch, with {words}")


def with_slope(slope, back=None):
    def function(weights, X, y):
        W, V = weights
        u = ones(X) @ W.T
        H = np.where(u > 0, u, slope * u)
        dA = (ones(H) @ V.T - y) / len(X)
        dH = dA @ V[:, :-1] * np.where(u > 0, 1, slope if back is None else back)
        return [dH.T @ ones(X), dA.T @ ones(H)]

    return function


def test_leaky_relus_of_other_slopes():
    leaky = {"sizes": (3, 4, 2), "activations": ["leaky_relu", "identity"], **HALF}
    report = bp.diagnose_function(with_slope(0.2), **leaky)
    assert report.correct
    assert "slope below 0 is 0.2, not 0.01" in report.note
    report = bp.diagnose_function(with_slope(0.01, 0.1), **leaky)
    assert [f.mistake for f in report.findings] == ["wrong_activation_derivative"]
    report = bp.diagnose_function(with_slope(0.2), **{**leaky, "activations": ["relu", "identity"]})
    assert [f.mistake for f in report.findings] == ["wrong_activation"]
    assert not report.correct


TERMS = {
    "−y/A": (lambda A, y: -y / A, "term with 1 − y of the cross-entropy is left out"),
    "(1 − y)/(1 − A)": (lambda A, y: (1 - y) / (1 - A), "term with y of the cross-entropy is left out"),
    "−": (lambda A, y: -y / A - (1 - y) / (1 - A), "second term is subtracted"),
}


@pytest.mark.parametrize("kind", TERMS)
def test_terms_of_the_cross_entropy(kind):
    slope, words = TERMS[kind]

    def function(weights, X, y):
        W, V = weights
        H = sigmoid(ones(X) @ W.T)
        A = sigmoid(ones(H) @ V.T)
        dA = slope(A, y) * A * (1 - A) / len(X)
        return [(dA @ V[:, :-1] * H * (1 - H)).T @ ones(X), dA.T @ ones(H)]

    report = bp.diagnose_function(function, sizes=(2, 3, 1), cost="binary_cross_entropy")
    assert [f.mistake for f in report.findings] == ["wrong_error"]
    assert words in report.findings[0].message
    assert report.certain


def test_a_function_that_goes_through_the_samples_one_by_one_and_returns_weights():
    def online(weights, X, y):
        for x, t in zip(X, y):
            weights = [W - ETA * g for W, g in zip(weights, backprop(weights, x[None], t[None]))]
        return weights

    report = bp.diagnose_function(online, sizes=(2, 3, 1), learning_rate=ETA, **HALF)
    assert report.correct
    assert "an online epoch, sample by sample in this order" in report.note


def test_weights_that_a_function_changes_in_place():
    def changed(weights, X, y):
        for W, g in zip(weights, backprop(weights, X, y)):
            W -= ETA * g

    report = bp.diagnose_function(changed, sizes=(2, 3, 1), learning_rate=ETA, **HALF)
    assert report.correct
    assert "taken as updated weights" in report.layout
