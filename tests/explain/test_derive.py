"""The chain rule of one weight: the notes' derivation, and numbers that are the gradient."""

import math
import re

import mpmath as mp
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import backpath as bp
import oracles
from backpath.maths.costs import own_cost
from strategies import problems

NOTES = bp.Network.from_weights([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]])

# the notes' expanded products, with their slips corrected (docs/notes.md)
EXPANDED = {
    "W1~_2": "2 × u_cost × σ′(u_A1)",
    "W11_2": "2 × u_cost × σ′(u_A1) × H1",
    "W12_2": "2 × u_cost × σ′(u_A1) × H2",
    "W11_1": "2 × u_cost × σ′(u_A1) × W11_2 × σ′(u_H1) × X1",
    "W12_1": "2 × u_cost × σ′(u_A1) × W11_2 × σ′(u_H1) × X2",
    "W1~_1": "2 × u_cost × σ′(u_A1) × W11_2 × σ′(u_H1)",
    "W21_1": "2 × u_cost × σ′(u_A1) × W12_2 × σ′(u_H2) × X1",
    "W22_1": "2 × u_cost × σ′(u_A1) × W12_2 × σ′(u_H2) × X2",
    "W2~_1": "2 × u_cost × σ′(u_A1) × W12_2 × σ′(u_H2)",
}


def formulas(text):
    """The equations of a text with single spaces, wrapped lines joined."""
    joined = re.sub(r"\n +(?=[=×+−] )", " ", text)
    return [re.sub(r" +", " ", line.strip()) for line in joined.splitlines() if " = " in line]


def in_order(wanted, lines):
    place = 0
    for line in wanted:
        assert line in lines[place:], line
        place = lines.index(line, place) + 1


@pytest.mark.parametrize("weight", EXPANDED)
def test_each_of_the_nine_is_the_notes_product(weight):
    d = bp.derive(NOTES, weight)
    chain = " × ".join(factor.symbol for factor in d.factors)
    assert formulas(str(d))[-3].endswith(f" = {chain} = {EXPANDED[weight]}")  # the last but σ and σ′
    assert product_text(d.factors) == EXPANDED[weight]


def product_text(factors):
    return " × ".join(factor.expanded for factor in factors if factor.expanded != "1")


def test_a_hidden_weight_step_by_step_as_in_the_notes():
    wanted = [
        "∂C/∂W11_1 = ∂C/∂H1 × ∂H1/∂W11_1",
        "∂C/∂H1 = ∂C/∂A1 × ∂A1/∂u_A1 × ∂u_A1/∂H1",
        "C = (A1 − y)²",
        "u_cost = A1 − y",
        "C = (u_cost)²",
        "∂C/∂u_cost = 2 × u_cost",
        "∂u_cost/∂A1 = 1",
        "∂C/∂A1 = ∂C/∂u_cost × ∂u_cost/∂A1 = 2 × u_cost",
        "∂A1/∂u_A1 = ∂σ(u_A1)/∂u_A1 = σ′(u_A1)",
        "∂u_A1/∂H1 = W11_2",
        "A1 = σ(W1~_2 × 1 + H1 × W11_2 + H2 × W12_2)",
        "A1 = σ(u_A1)",
        "u_A1 = W1~_2 × 1 + H1 × W11_2 + H2 × W12_2",
        "∂H1/∂W11_1 = ∂H1/∂u_H1 × ∂u_H1/∂W11_1",
        "∂H1/∂u_H1 = ∂σ(u_H1)/∂u_H1 = σ′(u_H1)",
        "∂u_H1/∂W11_1 = X1",
        "H1 = σ(W1~_1 × 1 + X1 × W11_1 + X2 × W12_1)",
        "H1 = σ(u_H1)",
        "u_H1 = W1~_1 × 1 + X1 × W11_1 + X2 × W12_1",
    ]
    in_order(wanted, formulas(str(bp.derive(NOTES, "W11_1"))))


def test_an_output_weight_step_by_step_as_in_the_notes():
    wanted = [
        "∂C/∂W11_2 = ∂C/∂A1 × ∂A1/∂W11_2",
        "C = (A1 − y)²",
        "u_cost = A1 − y",
        "C = (u_cost)²",
        "∂C/∂u_cost = 2 × u_cost",
        "∂u_cost/∂A1 = 1",
        "A1 = σ(W1~_2 × 1 + H1 × W11_2 + H2 × W12_2)",
        "A1 = σ(u_A1)",
        "u_A1 = W1~_2 × 1 + H1 × W11_2 + H2 × W12_2",
        "∂A1/∂W11_2 = ∂A1/∂u_A1 × ∂u_A1/∂W11_2",
        "∂A1/∂u_A1 = ∂σ(u_A1)/∂u_A1 = σ′(u_A1)",
        "∂u_A1/∂W11_2 = H1",
        "∂A1/∂W11_2 = ∂A1/∂u_A1 × ∂u_A1/∂W11_2 = σ′(u_A1) × H1",
    ]
    in_order(wanted, formulas(str(bp.derive(NOTES, "W11_2"))))


def test_a_factor_says_what_it_is():
    factor = bp.derive(NOTES, "W11_1", labels={"X1": "petal length"}).factors
    assert factor[1].symbol == "∂A1/∂u_A1"
    assert factor[1].latex == r"\frac{\partial A1}{\partial u_{A1}}"
    assert factor[1].expanded == "σ′(u_A1)"
    assert factor[1].meaning == "the slope of σ at A1"
    assert factor[4].meaning == "the input X1 (petal length)"


@pytest.fixture(scope="module")
def notes_cost():
    """The notes' cost as SymPy takes it, and the symbols' numbers."""
    names = [n.replace("~", "b") for n in NOTES.weight_names]
    w = {n: sympy.Symbol(n) for n in names}
    x1, x2, y = sympy.symbols("X1 X2 y")
    sigma = lambda u: 1 / (1 + sympy.exp(-u))  # noqa: E731 - the notes' σ
    h1 = sigma(w["W1b_1"] + x1 * w["W11_1"] + x2 * w["W12_1"])
    h2 = sigma(w["W2b_1"] + x1 * w["W21_1"] + x2 * w["W22_1"])
    a1 = sigma(w["W1b_2"] + h1 * w["W11_2"] + h2 * w["W12_2"])
    return (a1 - y) ** 2, w, (x1, x2, y)


@pytest.mark.parametrize("weight", NOTES.weight_names)
def test_the_numbers_are_sympys_derivatives(weight, notes_cost):
    cost, w, (x1, x2, y) = notes_cost
    numbers = {w[name.replace("~", "b")]: sympy.Float(repr(NOTES[name]), 40) for name in NOTES.weight_names}
    numbers |= {x1: sympy.Float("0.35", 40), x2: sympy.Float("-0.9", 40), y: sympy.Float("0.25", 40)}
    wanted = float(sympy.diff(cost, w[weight.replace("~", "b")]).evalf(30, subs=numbers))
    v = bp.derive(NOTES, weight).evaluate([0.35, -0.9], [0.25])
    assert v.gradient == pytest.approx(wanted, rel=1e-13)
    assert math.prod(f.value for f in v.factors) == pytest.approx(wanted, rel=1e-13)
    assert [path.value for path in v.paths] == [pytest.approx(wanted, rel=1e-13)]


def test_mazurs_published_gradients():
    case = oracles.worked_example("mazur")
    net = bp.Network((2, 2, 2)).replace(case["network"]["weights"])
    for name, printed in case["claimed"]["gradients"].items():
        v = bp.derive(net, name, cost=case["cost"]).evaluate(case["x"], case["y"])
        assert f"{v.gradient:.9f}" == printed
    assert [path.neurons for path in v.paths] == [("A1", "H1", "X1"), ("A2", "H1", "X1")]


def relative(made, wanted, scale):
    return abs(made - wanted) <= 1e-13 * scale + 1e-15


def test_the_first_operand_of_a_cost_that_is_no_function_of_the_error():
    """Of a quantile loss with identity outputs, where ∂C/∂u is not A − y."""
    net = bp.Network((1, 2), "identity", seed=1)
    text = str(bp.derive(net, "W21_1", cost="quantile(0.1,0.9)").evaluate([0.5], [1, 0]))
    first = text.partition("1st operand")[2].partition("2nd operand")[0]
    assert "∂C/∂A2 = [A2 > y2] − 0.9" in " ".join(first.split())
    assert "A2 × (1 − A2)" not in text
    assert "= A2 − y2\n" not in first


def test_the_outputs_take_turns_with_the_quantiles():
    net = bp.Network((1, 4), "identity", seed=1)
    found = bp.derive(net, "W41_1", cost="quantile(0.1,0.9)").evaluate([0.5], [1, 0, 1, 0])
    lines = str(found).splitlines()
    assert "  C      = Σ(k = 1…4) (τk − [Ak > yk]) × (yk − Ak)" in lines
    assert "  ∂C/∂A4 = [A4 > y4] − 0.9" in lines
    A = net.predict([0.5])
    assert A[3] > 0 and found.gradient == pytest.approx((1 - 0.9) * 0.5)
    errors = np.array([1, 0, 1, 0]) - A
    cost = sum(max(tau * e, (tau - 1) * e) for tau, e in zip((0.1, 0.9, 0.1, 0.9), errors, strict=True))
    assert f"= {cost:.5f}" in str(bp.explain_step(net, [[0.5]], [[1, 0, 1, 0]], cost="quantile(0.1,0.9)"))


def test_each_output_of_a_softmax_has_its_own_quantile():
    text = str(bp.derive(bp.Network((1, 2), "softmax", seed=1), "W21_1", cost="quantile(0.1,0.9)"))
    assert "= A2 × ([A2 > y2] − 0.9 − Σ(k = 1…2) ([Ak > yk] − τk) × Ak)" in text


def test_the_first_operand_of_a_users_cost():
    def cubed(A, y):
        return np.abs(A - y) ** 3

    cost = own_cost(cubed, lambda A, y: 3 * (A - y) * np.abs(A - y))
    net = bp.Network((1, 1), seed=0)
    found = bp.derive(net, "W11_1", cost=cost).evaluate([0.5], [1])
    assert "1st operand\n\n  C      = cubed(A1, y)\n  ∂C/∂A1 = cubed′(A1, y)\n\n2nd operand" in str(found)
    A = net.predict([0.5])[0]
    assert found.gradient == pytest.approx(-3 * (A - 1) ** 2 * A * (1 - A) * 0.5)


@given(problems(max_samples=3), st.randoms())
def test_factors_multiply_and_paths_sum_to_the_gradient(problem, random):
    net, cost, X, y = problem
    gradients = net.gradients(X, y, cost)
    for weight in random.sample(net.weight_names, min(4, len(net.weight_names))):
        v = bp.derive(net, weight, cost).evaluate(X, y)
        assert v.gradient == gradients[weight]
        for sample, x, t in zip(v.samples, X, y):
            alone = net.gradients(x, t, cost)[weight]
            assert math.prod(f.value for f in sample.factors) == pytest.approx(alone, rel=1e-13, abs=1e-15)
            if len(sample.paths) == sample.paths.total:
                scale = sum(abs(path.value) for path in sample.paths)
                assert relative(math.fsum(path.value for path in sample.paths), alone, scale)
            for path in sample.paths:
                assert math.prod(f.value for f in path.factors) == pytest.approx(path.value, rel=1e-13, abs=1e-300)
        if v.derivation.path_count <= 64:
            scale = max(abs(s.gradient) for s in v.samples) + sum(abs(p.value) for p in v.paths)
            assert relative(math.fsum(path.value for path in v.paths), v.gradient, scale)


@given(problems(max_samples=2, max_width=3, max_layers=3))
def test_the_numbers_are_the_textbooks_at_60_digits(problem):
    net, cost, X, y = problem
    wanted = oracles.gradients(net.weights, net.activations, cost, X, y)
    v = bp.derive(net, "W11_1", cost).evaluate(X, y)
    largest = max(float(mp.fabs(g)) for W in wanted for row in W for g in row)
    near = max(1e-12 * largest, 1e-50)  # what cancels is 0 except for the rounding of 60 digits
    assert v.gradient == pytest.approx(float(wanted[0][0][0]), rel=1e-10, abs=near)


def test_a_batch_is_the_mean_of_its_samples():
    X, y = [[0, 1], [1, 1], [0.5, -1]], [1, 0, 1]
    v = bp.derive(NOTES, "W11_1").evaluate(X, y)
    assert len(v.samples) == 3
    assert v.gradient == pytest.approx(np.mean([s.gradient for s in v.samples]), rel=1e-13)
    assert [s.gradient for s in v.samples] == [NOTES.gradients(a, [b])["W11_1"] for a, b in zip(X, y)]
    assert v.paths[0].factors[4].value.tolist() == [0, 1, 0.5]


def test_without_hidden_layers():
    net = bp.Network((2, 1), seed=3)
    v = bp.derive(net, "W12_1").evaluate([0.5, -2], [1])
    assert [f.expanded for f in v.factors] == ["2 × u_cost", "σ′(u_A1)", "X2"]
    assert [path.neurons for path in v.paths] == [("A1", "X2")]
    assert math.prod(f.value for f in v.factors) == pytest.approx(v.gradient, rel=1e-13)


def test_the_bias_neuron_is_on_the_path_of_a_bias():
    assert bp.derive(NOTES, "W1~_1").evaluate([1, 1], [0]).paths[0].neurons == ("A1", "H1", "1")


def test_cross_entropies_have_the_two_derivatives_as_one_factor():
    d = bp.derive(NOTES, "W11_1", cost="binary_cross_entropy")
    assert [f.symbol for f in d.factors][:2] == ["∂C/∂u_A1", "∂u_A1/∂H1"]
    assert d.factors[0].expanded == "A1 − y"
    assert "∂C/∂A1 × ∂A1/∂u_A1 = A1 − y" in str(d)
    saturated = NOTES.replace({"W1~_2": 800.0})  # ∂C/∂A1 is infinite there, its product with σ′ is 1
    v = bp.derive(saturated, "W11_2", cost="binary_cross_entropy").evaluate([0, 1], [0])
    assert v.factors[0].value == 1.0


def test_float32_networks_are_explained_in_float64():
    net = bp.Network((2, 3, 1), dtype="float32", seed=1)
    v = bp.derive(net, "W21_1").evaluate([0.1, 0.2], [1])
    assert v.gradient == pytest.approx(net.gradients([0.1, 0.2], [1])["W21_1"], rel=1e-5)
    assert math.prod(f.value for f in v.factors) == pytest.approx(v.gradient, rel=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bp.derive(NOTES, "W13_1"), "no weight 'W13_1'; did you mean"),
        (lambda: bp.derive(NOTES, "W11_1", cost="mse"), "unknown cost 'mse'"),
        (lambda: bp.derive(NOTES, "W11_1", labels={"H1": "x"}), "labels are for the inputs X1…X2"),
        (lambda: bp.derive(NOTES.thresholded(), "W11_1"), "step"),
        (lambda: bp.derive(NOTES, "W11_1").evaluate([0, 1, 2], [1]), "expected 2 numbers"),
        (lambda: bp.derive(NOTES, "W11_1").evaluate([0, math.nan], [1]), "must be finite"),
        (lambda: bp.derive(NOTES, "W11_1").evaluate([0, 1], [1, 2]), "y must have shape"),
        (lambda: bp.derive(NOTES, "W11_1").evaluate([0, 1], [1]).paths(top=0), "top must be a whole number"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(bp.InputError, match=re.escape(message)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_numbers_that_overflow_are_refused():
    net = bp.Network((1, 1), activation="identity").replace({"W11_1": 1e300})
    with pytest.raises(bp.InputError, match="the net input of A1 is not finite"):
        bp.derive(net, "W11_1").evaluate([1e300], [0])


def test_every_factor_says_where_its_number_comes_from():
    """In the notes' network the places are the neurons and the weight on the way from the cost to W21_1."""
    d = bp.derive(bp.Network((2, 2, 1)), "W21_1")
    assert [factor.places for factor in d.factors] == [("A1",), ("A1",), ("W12_2",), ("H2",), ("X1",)]
    assert bp.derive(bp.Network((2, 2, 1)), "W2~_1").factors[-1].places == ("1",)
    deep = bp.derive(bp.Network((2, 2, 2, 1)), "W21_1").evaluate([0, 1], [1])
    assert [f.places for f in deep.paths[1].factors if f.places[0].startswith("W")] == [("W12_3",), ("W22_2",)]


@pytest.mark.parametrize(("inputs", "shortened"), [(5, False), (6, False), (7, True), (20, True)])
def test_up_to_six_inputs_of_a_neuron_are_written_out(inputs, shortened):
    text = str(bp.derive(bp.Network((inputs, 1)), "W11_1"))
    written = [f"X{k}·W" in text.replace(" × ", "·") for k in range(1, inputs + 1)]
    assert ("…" in text) == shortened
    assert written == ([True] * inputs if not shortened else [True] * 2 + [False] * (inputs - 3) + [True])
