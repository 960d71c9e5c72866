"""``diagnose`` and ``diagnose_function`` as their users meet them; test_planted plants mistakes by the thousand."""

import gc
import html.parser
import json
import re
import warnings

import numpy as np
import pytest

import backpath as bp
import oracles
from backpath.explain.diagnosis.mistakes import CODES
from backpath.explain.diagnosis.problem import Problem

NET = bp.Network.from_weights([[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])
X, Y = np.array([[0.5, 1.0]]), np.array([[0.0]])


def gradients(net=NET, x=X, y=Y, cost="squared_error"):
    g = net.gradients(x, y, cost)
    return {name: g[name] for name in net.weight_names}


def codes(report):
    return [finding.mistake for finding in report.findings]


@pytest.mark.parametrize("case", ["mazur", "han_kamber"])
def test_published_figures_are_right(case):
    c = oracles.worked_example(case)
    net = bp.Network(c["network"]["sizes"]).replace(c["network"]["weights"])
    claimed = c["claimed"]
    report = bp.diagnose(
        net,
        c["x"],
        c["y"],
        claimed.get("gradients"),
        claimed_weights=claimed["weights"],
        claimed_values=claimed["values"],
        cost=c["cost"],
        learning_rate=c["learning_rate"],
        frozen=c["frozen"],
    )
    assert report.correct
    assert report.findings == ()
    assert report.certain


@pytest.mark.parametrize("digits", range(2, 9))
def test_a_right_answer_is_right_with_any_digits_rounded_or_cut_off(digits):
    for write in (lambda v: f"{v:.{digits}f}", lambda v: f"{v:.{digits + 1}f}"[:-1], lambda v: f"{v:.{digits}e}"):
        assert bp.diagnose(NET, X, Y, {name: write(v) for name, v in gradients().items()}).correct


def test_a_figure_is_judged_by_its_own_digits():
    g = gradients()["W11_2"]  # 0.15617…
    assert bp.diagnose(NET, X, Y, {"W11_2": "0.156"}).correct
    assert not bp.diagnose(NET, X, Y, {"W11_2": "0.1560"}).correct
    assert not bp.diagnose(NET, X, Y, {"W11_2": 0.157}).correct
    assert bp.diagnose(NET, X, Y, {"W11_2": g}).correct


def test_a_zero_without_digits_is_zero():
    printed = {name: f"{v:.4f}" for name, v in gradients().items()}
    report = bp.diagnose(NET, X, Y, {**printed, "W1~_1": "0", "W2~_1": "0", "W1~_2": "0"})
    assert codes(report) == ["bias_not_updated"]
    assert report.findings[0].formulas[1].endswith("× σ′(u_H1) × «0»")


def test_rounded_numbers_are_right_with_a_note():
    report = bp.diagnose(NET, X, Y, {name: round(v, 4) for name, v in gradients().items()})
    assert report.correct
    assert report.certain
    assert codes(report) == ["rounded"]
    assert '"0.0123"' in report.note
    assert all(row.is_right for row in report.figures)
    assert "not right" not in str(report)
    assert not bp.diagnose(NET, X, Y, {"W11_2": 0.2}).certain  # 0.15617…: one digit tells hardly anything
    halved = bp.diagnose(NET, X, Y, {name: round(v / 2, 5) for name, v in gradients().items()})
    assert codes(halved) == ["cost_convention"]


@pytest.mark.parametrize("step", [1e-4, 1e-6])
def test_numerical_derivatives_are_right(step):
    def derivative(name):
        up, down = NET.replace({name: NET[name] + step}), NET.replace({name: NET[name] - step})
        return (up.cost(X, Y) - down.cost(X, Y)) / (2 * step)

    report = bp.diagnose(NET, X, Y, {name: derivative(name) for name in NET.weight_names})
    assert report.correct


def test_float32_gradients_are_right():
    narrow = bp.Network.from_weights(NET.weights, dtype="float32").gradients(X, Y)
    claimed = {name: np.float32(narrow[name]) for name in NET.weight_names}
    assert bp.diagnose(NET, X, Y, claimed).correct


def test_a_cross_entropy_with_the_short_delta_is_right():
    H = 1 / (1 + np.exp(-(np.column_stack([X, [1.0]]) @ NET.weights[0].T)))
    A = 1 / (1 + np.exp(-(np.column_stack([H, [1.0]]) @ NET.weights[1].T)))
    short = (A - Y).T @ np.column_stack([H, [1.0]])
    claimed = dict(zip(["W11_2", "W12_2", "W1~_2"], short[0].tolist()))
    assert bp.diagnose(NET, X, Y, claimed, cost="binary_cross_entropy").correct
    wrong = bp.diagnose(NET, X, Y, claimed, cost="squared_error")
    assert not wrong.correct


def test_updated_weights_and_gradients_are_judged_together():
    stepped = NET.step(X, Y, learning_rate=0.5)
    added = {name: NET[name] + 0.5 * v for name, v in gradients().items()}
    report = bp.diagnose(NET, X, Y, gradients(), claimed_weights=added, learning_rate=0.5)
    assert not report.correct
    assert {row.kind for row in report.figures if not row.is_right} == {"weight"}
    right = {name: stepped[name] for name in NET.weight_names}
    assert bp.diagnose(NET, X, Y, gradients(), claimed_weights=right, learning_rate=0.5).correct
    assert codes(bp.diagnose(NET, X, Y, claimed_weights=added, learning_rate=0.5)) == ["sign_flipped"]


def test_frozen_weights_stay():
    stepped = NET.step(X, Y, learning_rate=0.5, frozen="biases")
    claimed = {name: stepped[name] for name in NET.weight_names}
    assert bp.diagnose(NET, X, Y, claimed_weights=claimed, learning_rate=0.5, frozen="biases").correct
    assert codes(bp.diagnose(NET, X, Y, claimed_weights=claimed, learning_rate=0.5)) == ["bias_not_updated"]


def test_a_finding_says_where_what_it_explains_and_marks_the_formula():
    claimed = oracles.worked_example("missing_derivative")["claimed"]["gradients"]
    (finding,) = bp.diagnose(NET, X, Y, claimed).findings
    assert finding.mistake == "missing_hidden_derivative"
    assert finding.where == ("H1", "H2")
    assert finding.explains == NET.weight_names[:6]
    right, yours = finding.formulas
    assert right == "∂C/∂W11_1 = 2 × u_cost × σ′(u_A1) × W11_2 × «σ′(u_H1)» × X1"
    assert yours == "∂C/∂W11_1 = 2 × u_cost × σ′(u_A1) × W11_2 × X1"


def test_a_misread_input_is_named_with_the_number_that_was_read():
    misread = gradients(x=np.array([[0.05, 1.0]]))
    (finding,) = bp.diagnose(NET, X, Y, misread).findings
    assert (finding.mistake, finding.where) == ("wrong_input", ("X1",))
    assert "read as 0.05, not as 0.5" in finding.message


@pytest.mark.parametrize("inputs", [6, 7])
def test_a_sum_of_more_than_six_inputs_is_shortened(inputs):
    net = bp.Network((inputs, 2, 1), seed=1)
    x, y = np.random.default_rng(0).normal(size=(1, inputs)), np.array([[0.3]])
    other = x.copy()
    other[0, 4] = 0.5
    gradients = net.gradients(other, y)
    (finding,) = bp.diagnose(net, x, y, {name: gradients[name] for name in net.weight_names}).findings
    middle = "X3 × W13_1 + X4 × W14_1 + " if inputs == 6 else ""
    rest = "X6 × W16_1" if inputs == 6 else "…"
    for formula, read in zip(finding.formulas, ("X5", "0.5")):
        assert formula == (f"u_H1 = W1~_1 × 1 + X1 × W11_1 + X2 × W12_1 + {middle}«{read} × W15_1» + {rest}")


def test_two_mistakes_at_once():
    x, y = np.array([[0.5, 1.0], [1.0, -1.0], [0.2, 0.3], [2.0, 0.7], [-1.0, 0.2]]), np.ones((5, 1)) * 0.3
    claimed = {name: 5 / 2 * v for name, v in gradients(x=x, y=y).items()}  # ½, and the sum of five
    report = bp.diagnose(NET, x, y, claimed)
    assert sorted(codes(report)) == ["cost_convention", "missing_batch_average"]
    assert report.certain


def test_two_readings_of_one_constant_are_both_reported():
    x, y = np.array([[0.5, 1.0], [1.0, -1.0], [0.2, 0.3]]), np.array([[0.0], [1.0], [0.5]])
    claimed = {name: 3 / 2 * v for name, v in gradients(x=x, y=y).items()}  # ½ × the sum of 3, or divided by 3 - 1
    report = bp.diagnose(NET, x, y, claimed)
    found = [{finding.mistake for finding in group} for group in report.alternatives]
    assert found == [{"cost_convention", "missing_batch_average"}, {"wrong_reduction"}]
    assert not report.certain


def test_a_round_number_is_a_reason_and_another_constant_is_not():
    error = float(NET.predict(X)[0, 0])  # of the target 0; that of 0.3 multiplies every gradient by a constant
    claimed = {name: (error - 0.3) / error * v for name, v in gradients().items()}
    report = bp.diagnose(NET, X, Y, claimed)
    assert codes(report) == ["wrong_target"]
    assert "read as 0.3" in report.findings[0].message
    found = bp.diagnose(NET, X, Y, {name: 1.7 * v for name, v in gradients().items()})
    assert codes(found) == ["scaled"]
    assert not found.certain
    assert "1.7 times the right one" in found.findings[0].message


def test_unexplained_figures_are_unknown_and_the_nearest_mistake_is_reported():
    rng = np.random.default_rng(0)
    noise = {name: v + rng.normal() for name, v in gradients().items()}
    assert codes(bp.diagnose(NET, X, Y, noise)) == ["unknown"]
    half = {name: v / 2 for name, v in gradients().items()}
    odd = {**half, "W11_1": 9.0, "W22_1": 7.0, "W12_2": 5.0}
    (finding,) = bp.diagnose(NET, X, Y, odd).findings
    assert finding.mistake == "unknown"
    assert "which gives all but W11_1, W22_1, W12_2" in finding.message


def test_few_digits_are_not_explained_by_far_fetched_pairs():
    (finding,) = bp.diagnose(NET, X, Y, {"W11_1": "0.1", "W12_1": "0.2", "W11_2": "0.9"}).findings
    assert finding.mistake == "unknown"
    assert "more figures or digits are needed" in finding.message


def test_no_warning_reaches_the_user_whatever_the_activations():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for output, cost in (("softmax", "categorical_cross_entropy"), ("relu", "squared_error")):
            net = bp.Network((3, 4, 2), activations=("gelu", output), init="uniform:-3,3", seed=1)
            g = gradients(net, np.full((2, 3), 40.0), np.array([[1.0, 0], [0, 1.0]]), cost)
            bp.diagnose(net, np.full((2, 3), 40.0), [[1, 0], [0, 1]], {k: v + 0.1 for k, v in g.items()}, cost=cost)


BAD = [
    ({"claimed": {"W11_3": 1}}, {}, "the network 2-2-1 has no weight 'W11_3'; did you mean W11_2"),
    ({"claimed": {"W11_1": float("nan")}}, {}, "the gradient of W11_1 must be a finite number"),
    (
        {"claimed": {"W11_1": "0,012"}},
        {},
        "must be a finite number, or one in quotes as it was printed, but is '0,012'",
    ),
    ({"claimed": {"W11_1": "1e999"}}, {}, "must be a finite number"),
    ({"claimed": {"W11_1": "1_0"}}, {}, "must be a finite number"),
    ({"claimed": {"W11_1": None}}, {}, "must be a finite number"),
    ({"claimed": {"W11_1": True}}, {}, "must be a finite number"),
    ({"claimed": {"W11_1": 1, "W1,1_1": 1}}, {}, "W11_1 is claimed twice"),
    ({"claimed": {}}, {}, "there is no figure to check; give at least one"),
    (
        {"claimed": [1, 2]},
        {},
        "claimed must be figures by weight name, or arrays of the weights' shapes [(2, 3), (1, 3)]",
    ),
    ({}, {"claimed_weights": {"W11_1": 1}}, "claimed_weights needs the learning rate"),
    ({}, {"claimed_weights": {"W11_1": 1}, "learning_rate": 0}, "learning_rate must be a number above 0"),
    ({}, {"claimed_values": {"H3": 1}}, "the network has no value 'H3'; expected one of u_H1, u_H2, u_A1, X1"),
    ({"claimed": {"W11_1": 1}}, {"cost": "hinge"}, "unknown cost 'hinge'"),
]


@pytest.mark.parametrize(("positional", "named", "message"), BAD, ids=[message[:40] for *_, message in BAD])
def test_bad_claims_get_one_plain_line(positional, named, message):
    with pytest.raises(bp.InputError, match=r"^[^\n]*$") as caught:
        bp.diagnose(NET, X, Y, **positional, **named)
    assert message in str(caught.value)


def test_wrong_lengths_are_refused():
    with pytest.raises(bp.InputError, match="expected 2 numbers for one input"):
        bp.diagnose(NET, [1, 2, 3], [0], {"W11_1": 1})
    with pytest.raises(bp.InputError, match="values of the forward pass are for one sample, but there are 2"):
        bp.diagnose(NET, [[0, 1], [1, 0]], [0, 1], claimed_values={"H1": 1})


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def right_backprop(weights, X, y):
    a = [X]
    for W in weights:
        a.append(sigmoid(np.column_stack([a[-1], np.ones(len(X))]) @ W.T))
    delta = 2 * (a[-1] - y) * a[-1] * (1 - a[-1])
    found = []
    for layer in range(len(weights) - 1, -1, -1):
        found.insert(0, delta.T @ np.column_stack([a[layer], np.ones(len(X))]) / len(X))
        delta = delta @ weights[layer][:, :-1] * a[layer] * (1 - a[layer])
    return found


@pytest.mark.parametrize("sizes", [(1, 1), (2, 2, 1), (3, 4, 4, 2)])
def test_a_right_function_is_right(sizes):
    assert bp.diagnose_function(right_backprop, sizes=sizes).correct


def test_a_function_that_sums_is_found_on_batches_though_single_samples_are_right():
    report = bp.diagnose_function(lambda weights, X, y: [len(X) * G for G in right_backprop(weights, X, y)])
    assert codes(report) == ["missing_batch_average"]
    assert report.certain


def test_a_function_cannot_change_the_network_it_is_given():
    def updates_in_place(weights, X, y):
        found = right_backprop(weights, X, y)
        for W, G in zip(weights, found):
            W -= G
        return found

    assert bp.diagnose_function(updates_in_place).correct


def fails(weights, X, y):
    raise KeyError("W")


FUNCTIONS = [
    (fails, "the function raised KeyError: 'W'"),
    (lambda weights, X, y: weights[:1], r"arrays of the weights' shapes \[\(2, 3\), \(1, 3\)\]"),
    (lambda weights, X, y: [W * np.nan for W in weights], "must return finite gradients, but some are not"),
    (lambda weights, X, y: None, "must return gradients by layer, but returned NoneType"),
]


@pytest.mark.parametrize(("function", "message"), FUNCTIONS, ids=[message[:30] for _, message in FUNCTIONS])
def test_a_function_that_cannot_be_judged_gets_one_plain_line(function, message):
    with pytest.raises(bp.InputError, match=message):
        bp.diagnose_function(function)


class _Parser(html.parser.HTMLParser):
    def error(self, message):
        raise AssertionError(message)


def test_a_report_prints_in_every_format():
    report = bp.diagnose(NET, X, Y, oracles.worked_example("missing_derivative")["claimed"]["gradients"])
    assert all(len(line) <= 80 for line in str(report).splitlines())
    found = json.loads(report.json())
    assert found["correct"] is False
    assert found["alternatives"][0][0]["mistake"] == "missing_hidden_derivative"
    assert r"\boxed{\sigma'(u_{H1})}" in report.latex()
    assert 'class="marked"' in report.mathml()
    _Parser().feed(report.html())
    assert "«" not in report.html()
    assert r"\boxed" in report.markdown()


def test_the_docs_list_the_whole_catalogue():
    page = (oracles.CASES.parents[1] / "docs" / "diagnose.md").read_text("utf-8")
    for code, what in CODES.items():
        assert f"| `{code}` | {what} |" in page


@pytest.mark.parametrize(
    ("name", "ours"), [("mse", "squared_error"), ("MSE", "squared_error"), ("bce", "binary_cross_entropy")]
)
def test_other_libraries_names_of_costs_are_understood_and_said(name, ours):
    report = bp.diagnose(NET, X, Y, gradients(cost=ours), cost=name)
    assert report.correct
    assert f"{name!r} is read as {ours}." in report.note


def test_other_libraries_names_of_activations_are_understood_and_said():
    def linear(weights, X, y):
        (W,) = weights
        with_bias = np.column_stack([X, np.ones(len(X))])
        return [2 * (with_bias @ W.T - y).T @ with_bias / len(X)]

    report = bp.diagnose_function(linear, sizes=(2, 1), activation="linear", cost="mse")
    assert report.correct
    assert report.note == "'linear' is read as identity. 'mse' is read as squared_error."


def differences(net, step, kind):
    found = []
    for layer, W in enumerate(net.weights):
        G = np.zeros(W.shape)
        for place in np.ndindex(W.shape):
            costs = []
            for by in {"forward": (step, 0.0), "backward": (0.0, -step), "central": (step, -step)}[kind]:
                moved = [w.copy() for w in net.weights]
                moved[layer][place] += by
                costs.append(net.with_weights(moved).cost(MANY, ANSWERS))
            G[place] = (costs[0] - costs[1]) / ((2 if kind == "central" else 1) * step)
        found.append(G)
    return found


MANY, ANSWERS = np.array([[0.5, 1.0], [-1.0, 0.3], [0.2, -0.7]]), np.array([[0.0], [1.0], [0.4]])


@pytest.mark.parametrize("kind", ["forward", "backward", "central"])
@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4, 1e-5, 1e-7])
def test_differences_of_the_cost_are_right_and_named(kind, step):
    report = bp.diagnose(NET, MANY, ANSWERS, differences(NET, step, kind))
    assert report.correct
    if kind != "central" and step >= 1e-4:
        assert f"{kind} differences with h ≈ {step:g}" in report.note
    else:  # those that are nearer to the right ones may be right to all digits
        assert not report.note or "numerical derivatives can be" in report.note or f"{kind} diff" in report.note


def test_gradients_that_are_off_by_as_much_are_not_taken_for_differences():
    claimed = differences(NET, 1e-3, "forward")
    claimed[0][0, 0] += 1e-4
    assert not bp.diagnose(NET, MANY, ANSWERS, claimed).correct
    assert not bp.diagnose(NET, MANY, ANSWERS, [1.001 * G for G in NET.gradients(MANY, ANSWERS).layers]).correct


def test_a_function_that_takes_differences_is_right():
    def cost(weights, X, y):
        a = X
        for W in weights:
            a = 1 / (1 + np.exp(-(a @ W[:, :-1].T + W[:, -1])))
        return ((a - y) ** 2).sum(axis=1).mean()

    def function(weights, X, y):
        here = cost(weights, X, y)
        found = [np.zeros_like(W) for W in weights]
        for W, G in zip(weights, found, strict=True):
            for place in np.ndindex(W.shape):
                W[place] += 1e-4
                G[place] = (cost(weights, X, y) - here) / 1e-4
                W[place] -= 1e-4
        return found

    report = bp.diagnose_function(function)
    assert report.correct
    assert "forward differences with h ≈ 0.0001" in report.note


def test_a_step_of_another_rate_or_that_is_added_is_named():
    G = NET.gradients(MANY, ANSWERS).layers

    def said(rate):
        updated = [W - rate * g for W, g in zip(NET.weights, G, strict=True)]
        report = bp.diagnose(NET, MANY, ANSWERS, claimed_weights=updated, learning_rate=0.5)
        return [finding.message for group in report.alternatives for finding in group]

    assert any("a learning rate of 0.1, not 0.5" in message for message in said(0.1))
    assert said(-0.5) == ["every gradient is of the opposite sign: the step is added, not subtracted"]


def test_softmax_that_divides_by_the_sum_of_all_is_named():
    rng = np.random.default_rng(0)
    net = bp.Network((3, 4, 3), activation=["sigmoid", "softmax"], seed=4)
    inputs, targets = rng.normal(size=(5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]
    V, W = net.weights
    ones = np.ones((5, 1))
    H = 1 / (1 + np.exp(-np.hstack([inputs, ones]) @ V.T))
    E = np.exp(np.hstack([H, ones]) @ W.T)
    error = E / E.sum() - targets
    back = error @ W[:, :-1] * H * (1 - H)
    claimed = [back.T @ np.hstack([inputs, ones]) / 5, error.T @ np.hstack([H, ones]) / 5]
    report = bp.diagnose(net, inputs, targets, claimed, cost="categorical_cross_entropy")
    assert codes(report) == ["wrong_activation"]
    assert "over all samples and outputs" in report.findings[0].message
    assert report.certain


def test_weights_that_begin_like_a_name_are_suggested_first():
    with pytest.raises(bp.InputError, match=r"did you mean W11_1 or W11_2\b"):
        bp.diagnose(NET, X, Y, {"W11": 1.0})


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: bp.train(NET, X, Y, cost="msee"), "huber, absolute_error, poisson; did you mean 'squared_error'?"),
        (lambda: bp.train(NET, X, Y, cost="mse"), "; did you mean 'squared_error'?"),
        (
            lambda: bp.train(NET, X, Y, solver="adan"),
            "unknown solver 'adan'; expected one of gd, momentum, adam, lm; did you mean 'adam'?",
        ),
        (lambda: bp.Network((2, 2, 1), activation="relux"), "; did you mean 'relu'?"),
        (lambda: bp.Network((2, 2, 1), activation="logistic"), "did you mean 'sigmoid'?"),
        (lambda: bp.Network((2, 2, 1), activation="qqq"), "unknown activation 'qqq'; expected one of sigmoid"),
    ],
)
def test_names_that_do_not_exist_have_the_nearest_suggested(call, meant):
    with pytest.raises(bp.InputError) as caught:
        call()
    assert meant in str(caught.value)


@pytest.mark.parametrize("count", [2, 3])
def test_output_weights_that_an_online_epoch_updates_too_early_are_named(count):
    V, W = (np.array(layer) for layer in NET.weights)
    for x, y in zip(MANY[:count], ANSWERS[:count], strict=True):
        with_bias = np.append(x, 1)
        h = 1 / (1 + np.exp(-V @ with_bias))
        a = 1 / (1 + np.exp(-W @ np.append(h, 1)))
        delta = 2 * (a - y) * a * (1 - a)
        W = W - 0.5 * np.outer(delta, np.append(h, 1))
        V = V - 0.5 * np.outer(W[:, :-1].T @ delta * h * (1 - h), with_bias)  # W is new already
    report = bp.diagnose(NET, MANY[:count], ANSWERS[:count], claimed_weights=[V, W], learning_rate=0.5)
    assert codes(report) == ["several_updates", "updated_weights_used"]
    assert report.certain


def test_memory_is_freed_after_a_diagnosis():
    """One server of the explorer checks thousands of answers."""

    def problems():
        gc.collect()
        return sum(type(one) is Problem for one in gc.get_objects())

    before = problems()
    weights = {
        name: 0.9 * value for name, value in zip(NET.weight_names, np.concatenate([W.ravel() for W in NET.weights]))
    }
    for claimed in ({"claimed": {"W11_1": 0.3}}, {"claimed_weights": weights, "learning_rate": 0.1}):
        assert not bp.diagnose(NET, X, Y, **claimed).correct
    assert problems() <= before


def test_wrong_figures_are_listed_first():
    net = bp.Network((2, 2, 1), seed=3)
    g = net.gradients([0.5, 1], [0])
    claimed = {name: g[name] for name in net.weight_names} | {"W12_2": 0.5, "W21_1": 0.7}
    text = str(bp.diagnose(net, [0.5, 1], [0], claimed)).partition("Figures")[2]
    names = re.findall(r"∂C/∂(\S+)", text)
    assert names[:2] == ["W21_1", "W12_2"]
    assert names[2:] == [name for name in net.weight_names if name not in names[:2]]
    assert text.count("not right") == 2


@pytest.mark.parametrize(("sizes", "more"), [((2, 2, 2), ""), ((3, 2, 2), " and 2 more")])
def test_up_to_twelve_weights_are_named(sizes, more):
    """Networks of 12 and of 14 weights."""
    net = bp.Network(sizes, seed=3)
    x, target = np.linspace(0.5, 1, sizes[0]), [0, 1]
    g = net.gradients(x, target)
    text = " ".join(str(bp.diagnose(net, x, target, {n: -g[n] for n in net.weight_names})).split())
    assert f"It explains {', '.join(net.weight_names[:12])}{more}." in text
    assert ("12 of 14 figures." in text) == bool(more)
