"""The formula that a report calls yours gives your figures, and the right formula the right ones.

Both are read as they are printed and computed with the numbers of an independent forward pass.
"""

import re

import numpy as np
import pytest

from explain.mistaken import DERIVATIVES, SLOPES, VALUES, Pass
from explain.planted import MISTAKES, Scene, diagnosed, scene

COSTS = {
    "squared_error": lambda A, y: (A - y) ** 2,
    "half_squared_error": lambda A, y: (A - y) ** 2 / 2,
    "binary_cross_entropy": lambda A, y: -(y * np.log(A) + (1 - y) * np.log(1 - A)),
}
SCENES = [
    scene((2, 3, 1), ("tanh", "sigmoid"), "squared_error", 1, 3),
    scene((3, 2, 1), ("softplus", "identity"), "half_squared_error", 1, 4),
    scene((2, 3, 1), ("leaky_relu", "sigmoid"), "binary_cross_entropy", 1, 5),
]


def numbers(of: Scene) -> dict[str, float]:
    """The name of each number in a formula, for a network with a hidden layer, one output and one sample."""
    V, W = of.weights
    u_H = of.X @ V[:, :-1].T + V[:, -1]
    H = VALUES[of.activations[0]](u_H)
    u_A = H @ W[:, :-1].T + W[:, -1]
    A, y = VALUES[of.activations[1]](u_A), of.y
    found = {"u_cost": A - y, "C": COSTS[of.cost](A, y), "η": of.learning_rate, "u_A1": u_A, "A1": A, "y": y}
    found |= {f"X{i}": x for i, x in enumerate(of.X[0], 1)}
    found |= {f"u_H{j}": u for j, u in enumerate(u_H[0], 1)} | {f"H{j}": a for j, a in enumerate(H[0], 1)}
    right = of.gradients()
    for name, weight, gradient in zip(of.network.weight_names, flat(of.weights), flat(right), strict=True):
        found |= {name: weight, f"∂C/∂{name}": gradient}
    delta = SLOPES[of.cost](A, y) * DERIVATIVES[of.activations[1]](u_A)
    found["δ_A1"] = delta
    slopes = DERIVATIVES[of.activations[0]](u_H)
    found |= {f"δ_H{j}": (delta * W[0, j - 1] * slopes[0, j - 1]) for j in range(1, H.shape[1] + 1)}
    return {name: float(np.squeeze(value)) for name, value in found.items()}


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays]).tolist()


def computed(formula: str, of: Scene) -> float:
    """The value of a printed formula."""
    values = numbers(of)
    names = "|".join(sorted(map(re.escape, values), key=len, reverse=True))
    code = formula.replace("«", "(").replace("»", ")").replace("²", "**2").replace("×", "*").replace("−", "-")
    # σ is the activation of the layer whose neuron follows
    code = re.sub(r"σ(?=[σ′(]*(?:u_)?([AH]))", lambda m: of.activations["HA".index(m[1])], code)
    code = re.sub(r"([a-z_]+)′\(", r"slope_\1(", code)
    code = re.sub(rf"(?<!\w){'(?:' + names + ')'}(?![\w~(])", lambda m: f"({values[m[0]]!r})", code)
    functions = {f"slope_{name}": lambda u, f=f: float(f(np.array([u]))[0]) for name, f in DERIVATIVES.items()}
    functions |= {name: lambda u, f=f: float(f(np.array([u]))[0]) for name, f in VALUES.items() if name in DERIVATIVES}
    return eval(code, functions)


def figures_of_forward(of: Scene, made: Pass) -> dict[str, float]:
    """The net inputs and outputs in a pass that has run."""
    found = {f"u_{name}{j}": u for name, us in zip("HA", made.u, strict=True) for j, u in enumerate(us[0], 1)}
    return found | {
        f"{name}{j}": a for name, row in zip("HA", made.a[1:], strict=True) for j, a in enumerate(row[0], 1)
    }


@pytest.mark.parametrize(("of", "least"), [*zip(SCENES, (45, 38, 30), strict=True)])
def test_the_formulas_give_the_figures(of, least):
    names, compared = of.network.weight_names, 0
    for planted in MISTAKES:
        made, right = of.wrong(planted), of.wrong()
        if made is None:
            continue
        wrong, unchanged = (dict(zip(names, flat(p.gradients()), strict=True)) for p in (made, right))
        formulas = [finding.formulas for finding in diagnosed(of, wrong).findings]
        if len(formulas) != 1 or not formulas[0]:  # the formulas of two mistakes have one of them each
            continue
        print(planted, *formulas[0], sep="\n")
        wrong |= figures_of_forward(of, made)
        unchanged |= figures_of_forward(of, right)
        for formula, figures in zip(formulas[0], (unchanged, wrong), strict=True):
            name, side = formula.removeprefix("∂C/∂").split(" = ", 1)
            assert computed(side, of) == pytest.approx(figures[name], rel=1e-4)
        compared += 1
    assert compared >= least
