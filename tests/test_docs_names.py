"""The tables of names in the reference list every activation, cost and initialisation, with the printed formulas."""

import re

import pytest

from backpath.explain.expression import Symbol
from backpath.explain.formulas import ACTIVATION_FORMULAS, COST_FORMULAS
from backpath.explain.printers import text
from backpath.maths import activations, costs, initialisations

A, Y = Symbol("A", "A"), Symbol("y", "y")


def rows(module):
    """The rows of a module's table, by name."""
    found = re.findall(r"^\| ``(.*?)`` *\|(.*)\|(.*)\|$", module.__doc__, re.MULTILINE)
    return {name: (formula.strip(), use.strip()) for name, formula, use in found}


@pytest.mark.parametrize(
    ("module", "names", "families"),
    [
        (activations, activations.ACTIVATIONS, ["bounded(low,high)", "above(low)", "softmax(3,2)"]),
        (costs, costs.COSTS, ["quantile(0.1,0.9)", "categorical_cross_entropy(3,2)"]),
        (initialisations, initialisations.INITIALISATIONS, ["uniform:LOW,HIGH", "normal:DEVIATION"]),
    ],
)
def test_every_name_is_in_the_table(module, names, families):
    assert sorted(rows(module)) == sorted([*names, *families])
    assert all(formula and use for formula, use in rows(module).values())


def test_an_activation_has_the_formula_that_derivations_print():
    for name, (of, _) in ACTIVATION_FORMULAS.items():
        assert rows(activations)[name][0] == text.formula(of).replace("−", "-")


def test_a_cost_has_the_formula_that_derivations_print():
    for name, cost in COST_FORMULAS.items():
        assert rows(costs)[name][0] == text.formula(cost.of(A, Y)).replace("−", "-")
