"""What is shown can be recomputed from what is shown."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import backpath as bp
import oracles
from backpath.explain.digits import shown, shown_product, shown_sum
from shown import agrees, last_equation, product, summed
from strategies import HIDDEN, problems, samples, seeds

numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-12)


def exactly(factors):
    made = Decimal(1)
    for factor in factors:
        made *= Decimal(factor)
    return made


@given(st.lists(numbers, min_size=1, max_size=8))
def test_shown_factors_multiply_to_the_shown_product(factors):
    made = 1.0
    for factor in factors:
        made *= factor
    texts, result = shown_product(factors, made)
    assert agrees(exactly(texts), result)
    assert float(result) == pytest.approx(made, rel=1e-4)
    assert [float(text) for text in texts] == pytest.approx(factors, rel=1e-4)


@given(st.lists(numbers, min_size=1, max_size=8))
def test_shown_terms_add_up_to_the_shown_sum(terms):
    texts, result = shown_sum(terms, sum(terms))
    assert agrees(sum(map(Decimal, texts)), result, max(map(abs, terms)))


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 16))
def test_a_number_is_rounded_to_its_digits(value, digits):
    whole = 10**digits <= abs(value) < 1e15  # places before the point are not rounded: 123457, not 123460
    assert float(shown(value, digits)) == (round(value) if whole else float(f"{value:.{digits - 1}e}"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_with_17_digits_a_number_is_exact(value):
    assert float(shown(value, 17)) == value


def test_what_only_rounding_left_over_is_shown_as_0():
    assert shown_sum([0.1, 0.2, -0.3], 0.1 + 0.2 - 0.3) == (["0.1", "0.2", "-0.3"], "0")


@given(problems(max_samples=1, max_width=3), st.randoms())
def test_a_printed_explanation_can_be_recomputed_by_hand(problem, random):
    net, cost, X, y = problem
    weight = random.choice(net.weight_names)
    v = bp.derive(net, weight, cost).evaluate(X[0], y[0])
    sides = last_equation(str(v).split("The sum over")[0], f"∂C/∂{weight}")
    assert agrees(product(sides[-2]), sides[-1])
    assert float(sides[-1]) == pytest.approx(v.gradient, rel=1e-4)
    if "The sum over" in str(v):
        *_, terms, total = last_equation(str(v), f"∂C/∂{weight}")
        assert agrees(summed(terms), total, max(abs(path.value) for path in v.paths))


@given(st.sampled_from([(2, 1), (2, 2, 1), (1, 3, 2)]), st.sampled_from(HIDDEN), seeds)
@example((2, 1), "tanh", 3181)  # u_cost just below a half of the last digit that is shown
def test_twice_the_shown_u_cost_is_the_shown_factor(sizes, activation, seed):
    net = bp.Network(sizes, activation=activation, seed=seed)
    X, y = samples(net, "squared_error", 1, seed)
    v = bp.derive(net, f"W11_{len(sizes) - 1}").evaluate(X[0], y[0])
    *_, difference = last_equation(str(v), "u_cost" if sizes[-1] == 1 else "u_cost1")
    assert agrees(2 * Decimal(difference), shown(v.factors[0].value))


def test_the_published_example_at_the_issues_digits():
    case = oracles.worked_example("mazur")
    net = bp.Network((2, 2, 2)).replace(case["network"]["weights"])
    text = str(bp.explain_step(net, case["x"], case["y"], cost=case["cost"]))
    assert "H1 = σ(0.35·1 + 0.05·0.15 + 0.1·0.2) = σ(0.3775) = 0.59327" in text


@pytest.mark.parametrize(("small", "expected"), [(1e-11, "1e-11"), (1.5e-13, "1.5e-13"), (-3e-12, "-3e-12")])
def test_a_small_result_of_large_terms_keeps_its_digits(small, expected):
    """A float64 near 1 knows 1.1e-16: what is left of 1 - 1 + 1.5e-13 is a number, not rounding."""
    assert shown_sum([1.0, -1.0, small], small)[1] == expected


def test_what_only_rounding_has_left_is_shown_as_0():
    assert shown_sum([0.1, 0.2, -0.3], 0.1 + 0.2 - 0.3)[1] == "0"
