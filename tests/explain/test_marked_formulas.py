"""The formula that a report calls yours gives your figures, and the right formula the right ones.

Both are read as they are printed and computed with the numbers of an independent forward pass.
"""

import re

import numpy as np
import pytest

from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.marked_formulas import formulas
from backpath.explain.diagnosis.passes import Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.printers import text
from explain.mistaken import COSTS, DERIVATIVES, SLOPES, VALUES, Pass
from explain.planted import MISTAKES, Scene, diagnosed, scene

SCENES = [
    scene((2, 3, 1), ("tanh", "sigmoid"), "squared_error", 1, 3),
    scene((3, 2, 1), ("softplus", "identity"), "half_squared_error", 1, 4),
    scene((2, 3, 1), ("leaky_relu", "sigmoid"), "binary_cross_entropy", 1, 5),
    scene((1, 1, 1), ("sigmoid", "tanh"), "squared_error", 1, 6),
]


def numbers(of: Scene) -> dict[str, float]:
    """The name of each number in a formula, for a network with a hidden layer, one output and one sample."""
    V, W = of.weights
    u_H = of.X @ V[:, :-1].T + V[:, -1]
    H = VALUES[of.activations[0]](u_H)
    u_A = H @ W[:, :-1].T + W[:, -1]
    A, y = VALUES[of.activations[1]](u_A), of.y
    dC_dA = SLOPES[of.cost](A, y)
    dC_dH = dC_dA * DERIVATIVES[of.activations[1]](u_A) * W[:, :-1]
    found = {"u_cost": A - y, "C": COSTS[of.cost](A, y), "η": of.learning_rate, "y": y, "∂C/∂A1": dC_dA}
    found |= {f"X{i}": x for i, x in enumerate(of.X[0], 1)}
    for layer, us, outputs, errors, biases in (("H", u_H, H, dC_dH, V[:, -1]), ("A", u_A, A, dC_dA, W[:, -1])):
        for j, (u, a, e, b) in enumerate(zip(us[0], outputs[0], errors[0], biases, strict=True), 1):
            name = f"{layer}{j}"
            found |= {name: a, f"u_{name}": u, f"e_{name}": e, f"b_{name}": b, f"(X·W)_{name}": u - b}
    for name, weight, gradient in zip(of.network.weight_names, flat(of.weights), flat(of.gradients()), strict=True):
        found |= {name: weight, f"∂C/∂{name}": gradient}
    return {name: float(np.squeeze(value)) for name, value in found.items()}


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays]).tolist()


FUNCTIONS = {"abs": abs, "max": max, "min": min, "step": lambda u: float(u > 0)}
FUNCTIONS |= {name: lambda u, f=f: float(f(np.array([u]))[0]) for name, f in VALUES.items() if name != "softmax"}
FUNCTIONS |= {f"slope_{name}": lambda u, f=f: float(f(np.array([u]))[0]) for name, f in DERIVATIVES.items()}
FUNCTIONS |= {"exp": np.exp, "slope_exp": np.exp}
SIGNS = {"«": "(", "»": ")", "²": "**2", "³": "**3", "×": "*", "−": "-", "[": "float(", "]": ")", "≥": ">=", "½": "0.5"}


def computed(formula: str, of: Scene, **others: float) -> float:
    """The value of a printed formula."""
    values = numbers(of) | others
    names = "|".join(sorted(map(re.escape, values), key=len, reverse=True))
    code = formula.translate(str.maketrans(SIGNS))
    # σ is the activation of the layer whose neuron follows
    code = re.sub(r"σ(?=[σ′(]*(?:[ueb]_|X·W\)_)?([AH]))", lambda m: of.activations["HA".index(m[1])], code)
    code = re.sub(r"([a-z_]+)′\(", r"slope_\1(", code)
    code = re.sub(rf"(?<!\w)(?:{names})(?![\w~(])", lambda m: f"({values[m[0]]!r})", code)
    return eval(code, FUNCTIONS)


def figures_of_forward(net_inputs, outputs) -> dict[str, float]:
    """The net inputs and outputs of the hidden and the output layer, by name."""
    found = {f"u_{layer}{j}": u for layer, us in zip("HA", net_inputs, strict=True) for j, u in enumerate(us[0], 1)}
    return found | {f"{layer}{j}": a for layer, row in zip("HA", outputs, strict=True) for j, a in enumerate(row[0], 1)}


def of_pass(of: Scene, made: Pass) -> dict[str, float]:
    found = dict(zip(of.network.weight_names, flat(made.gradients()), strict=True))
    return found | figures_of_forward(made.u, made.a[1:])


@pytest.mark.parametrize(("of", "least"), [*zip(SCENES[:3], (45, 38, 30), strict=True)])
def test_the_formulas_of_a_report_give_the_figures(of, least):
    compared = 0
    for planted in MISTAKES:
        made, right = of.wrong(planted), of.wrong()
        if made is None:
            continue
        wrong, unchanged = of_pass(of, made), of_pass(of, right)
        claimed = {name: wrong[name] for name in of.network.weight_names}
        found = [finding.formulas for finding in diagnosed(of, claimed).findings]
        if len(found) != 1 or not found[0]:  # the formulas of two mistakes have one of them each
            continue
        print(planted, *found[0], sep="\n")
        for formula, figures in zip(found[0], (unchanged, wrong), strict=True):
            name, side = formula.removeprefix("∂C/∂").split(" = ", 1)
            assert computed(side, of) == pytest.approx(figures[name], rel=1e-4)
        compared += 1
    assert compared >= least


@pytest.mark.parametrize(("of", "least"), [*zip(SCENES, (450, 370, 400, 300), strict=True)])
def test_the_formula_of_each_mistake_in_the_catalogue_gives_its_figures(of, least):
    net, compared = of.network, 0
    q = Problem(net, of.X, of.y, of.cost, of.learning_rate, [np.ones(W.shape, bool) for W in net.weights])
    mistakes = every_mistake(q)
    passes = Passes(q, len(mistakes), [(mistake.edits, np.array([k])) for k, mistake in enumerate(mistakes)])
    right = dict(zip(net.weight_names, flat(of.gradients()), strict=True))
    for k, mistake in enumerate(mistakes):
        wrong = dict(zip(net.weight_names, flat(G[k] for G in passes.G[1:]), strict=True))
        affected = [name for name in net.weight_names if wrong[name] != pytest.approx(right[name], rel=1e-12)]
        pair = formulas(net, of.cost, mistake.change, affected)
        if pair is None or "weight is used instead" in mistake.message:  # W stands for different weights
            continue
        wrong |= figures_of_forward([u[k] for u in passes.u[1:]], [a[k] for a in passes.a[1:]])
        name, side = (text.formula(part) for part in pair[1].sides)
        name = name.removeprefix("∂C/∂")
        if "e_H1" in side and "e_A1" in side and "own gradients" not in mistake.message:
            continue  # the wrong δ_A1 also changes the error of H1
        rate = re.search(r"\(η = ([\d.]+)", mistake.message)
        print(mistake.message, name, side, sep="\n")
        assert computed(side, of, **({"η": float(rate[1])} if rate else {})) == pytest.approx(wrong[name], rel=1e-4)
        compared += 1
    assert compared >= least
