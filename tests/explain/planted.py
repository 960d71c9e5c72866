"""Plants mistakes in gradients, prints them as a user would, and asks ``diagnose`` what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import backpath as bp
from explain.mistaken import DERIVATIVES, Array, Pass
from explain.mutations import READINGS, VARIANTS, planted

SIZES = [(2, 2, 1), (2, 3, 1), (3, 4, 4, 2), (4, 8, 3)]
OUTPUTS = {
    "squared_error": [*DERIVATIVES, "softmax"],
    "half_squared_error": [*DERIVATIVES, "softmax"],
    "binary_cross_entropy": ["sigmoid"],
    "categorical_cross_entropy": ["softmax"],
}
Mistake = tuple[str, str]  # code, variant
MISTAKES: list[Mistake] = [(code, name) for code, variants in VARIANTS.items() for name in variants]
DESCRIBED = [mistake for mistake in MISTAKES if mistake not in READINGS]
BEYOND = {  # what people report besides the catalogue's mistakes
    "cost_not_differentiated",
    "derivative_twice",
    "extra_output_derivative",
    "missing_activation",
    "missing_path",
    "net_input_in_derivative",
    "output_average",
    "softmax_diagonal",
    "wrong_target",
    "wrong_weight",
}
CATALOGUE = [mistake for mistake in DESCRIBED if mistake[0] not in BEYOND]
SCALES = {("cost_convention", "half_or_not"), ("missing_batch_average", "sum"), ("missing_batch_average", "twice")}
SCALES |= {("sign_flipped", "all")}
SAME = 1e-11  # of the layer's largest figure: less is the rounding of sums in another order


@dataclass(frozen=True)
class Scene:
    """A network and data of order 1, and how it is taught."""

    weights: list[Array]
    activations: tuple[str, ...]
    cost: str
    X: Array
    y: Array
    learning_rate: float
    seed: int

    @property
    def network(self) -> bp.Network:
        return bp.Network.from_weights(self.weights, activations=self.activations)

    def wrong(self, *mistakes: Mistake) -> Pass | None:
        return planted(
            mistakes, self.weights, self.activations, self.cost, self.X, self.y, self.learning_rate, self.seed
        )

    def gradients(self, *mistakes: Mistake) -> list[Array] | None:
        made = self.wrong(*mistakes)
        return made and made.gradients()


@dataclass(frozen=True)
class Outcome:
    """What became of one trial.

    Attributes
    ----------
    verdict : "impossible" (cannot be planted here), "same" (the figures given are the right ones), "named" or "missed"
    reported : the codes reported, sorted
    differing : how many of the figures given are not the right ones
    """

    verdict: str
    reported: tuple[str, ...] = ()
    differing: int = 0

    @property
    def counts(self) -> bool:
        return self.verdict in ("named", "missed")


def scene(sizes: Sequence[int], activations: Sequence[str], cost: str, N: int, seed: int) -> Scene:
    rng = np.random.default_rng([seed, N, *sizes])
    weights = [rng.uniform(-1, 1, (m, n + 1)) for n, m in pairwise(sizes)]
    X, y = rng.normal(size=(N, sizes[0])), rng.uniform(0.05, 0.95, (N, sizes[-1]))
    if cost == "categorical_cross_entropy":
        y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=N)]
    return Scene(weights, tuple(activations), cost, X, y, float(rng.choice([0.1, 0.5])), seed)


def special_scene(seed: int) -> Scene:
    """The exclusive or, weights of one decimal that repeat, sigmoid throughout: where mistakes look alike."""
    rng = np.random.default_rng([seed, 13])
    sizes = [(2, 2, 1), (2, 3, 1), (2, 2, 2, 1)][seed % 3]
    weights = [rng.choice([-0.5, 0.1, 0.5], (m, n + 1)) for n, m in pairwise(sizes)]
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])[rng.permutation(4)[: (1, 4)[seed // 3 % 2]]]
    y = np.abs(X[:, :1] - X[:, 1:])
    return Scene(weights, ("sigmoid",) * len(weights), "squared_error", X, y, 0.5, seed)


def figures(arrays: Sequence[Array], decimals: int | None) -> list[float | str]:
    """Every figure as a user gives it: a number, or printed with that many decimals."""
    flat = np.concatenate([a.ravel() for a in arrays]).tolist()
    return flat if decimals is None else [f"{value:.{decimals}f}" for value in flat]


def differing(given: list[float | str], other: list[float], decimals: int | None) -> int:
    """How many figures are not those others, to the digits given; a tie may be rounded either way, and digits may be
    cut off: either is right."""
    a, b = np.array(given, dtype=float), np.array(other)
    if decimals is None:
        return int((np.abs(a - b) > SAME * max(np.abs(b).max(), 1e-6)).sum())
    last = 10.0**-decimals
    rounded = np.abs(a - b) <= 0.505 * last
    cut_off = (a * b >= 0) & (np.abs(np.abs(b) - np.abs(a) - last / 2) <= 0.505 * last)
    return int((~rounded & ~cut_off).sum())


def claim(made: Pass, decimals: int | None, form: str) -> list[float | str]:
    """What that pass gives: its gradients, or the weights that it works with, updated."""
    gradients = made.gradients()
    if form == "weights":
        gradients = [W - made.learning_rate * g for W, g in zip(made.weights, gradients, strict=True)]
    return figures(gradients, decimals)


def diagnosed(of: Scene, given: dict[str, float | str], form: str = "gradients"):
    claims = {"claimed" if form == "gradients" else "claimed_weights": given}
    return bp.diagnose(of.network, of.X, of.y, **claims, cost=of.cost, learning_rate=of.learning_rate)


def plant(of: Scene, mistakes: Sequence[Mistake], decimals: int | None, form: str = "gradients"):
    """The figures given with these mistakes in them, or the verdict why there is nothing to find."""
    wrong = of.wrong(*mistakes)
    if wrong is None:
        return "impossible", 0
    given = claim(wrong, decimals, form)
    # one of two that hides behind the other cannot be found
    for fewer in [(), *((alone,) for alone in mistakes if len(mistakes) > 1)]:
        if not differing(given, claim(of.wrong(*fewer), None, form), decimals):
            return "same", 0
    return given, differing(given, claim(of.wrong(), None, form), decimals)


def looked_for(of: Scene, mistakes: Sequence[Mistake], decimals: int | None, form: str = "gradients") -> Outcome:
    """Plants the mistakes and compares what is reported."""
    given, count = plant(of, mistakes, decimals, form)
    if isinstance(given, str):
        return Outcome(given)
    report = diagnosed(of, dict(zip(of.network.weight_names, given, strict=True)), form)
    reported = tuple(sorted({finding.mistake for finding in report.findings}))
    named = {code for code, _ in mistakes} <= set(reported)
    return Outcome("named" if named else "missed", reported, count)


def trial(
    code: str,
    variant: str,
    sizes: Sequence[int],
    activations: Sequence[str],
    cost: str,
    N: int,
    decimals: int | None,
    seed: int,
    *,
    second: Mistake | None = None,
    form: str = "gradients",
) -> Outcome:
    """Plants a mistake (or two) in the gradients (or the updated weights) of a network, and has it looked for."""
    mistakes = [(code, variant)] + ([second] if second else [])
    return looked_for(scene(sizes, activations, cost, N, seed), mistakes, decimals, form)


def settings(seed: int) -> tuple[tuple[int, ...], tuple[str, ...], str, int]:
    """Sizes, activations, cost and N of a seed: each size and each N in turn, the rest at random."""
    rng = np.random.default_rng([seed, 7])
    sizes, N = SIZES[seed % len(SIZES)], (1, 5)[seed // len(SIZES) % 2]
    several = sizes[-1] > 1
    cost = str(rng.choice([name for name in OUTPUTS if several or name != "categorical_cross_entropy"]))
    output = str(rng.choice([name for name in OUTPUTS[cost] if several or name != "softmax"]))
    hidden = rng.choice(sorted(DERIVATIVES), len(sizes) - 2)
    if rng.random() < 0.5:  # as often one activation throughout, where that can be
        hidden[:] = output if output != "softmax" else hidden[0]
    return sizes, (*hidden.tolist(), output), cost, N


def trials(mistakes: Sequence[Mistake], count: int, decimals: int | None, form: str = "gradients") -> Iterator:
    """That many trials in which the mistake (or both of two) can be found: what was planted where, and the outcome."""
    (code, variant), *second = mistakes
    found, start = 0, sum(f"{mistakes}".encode())  # so that few trials of many mistakes meet all sizes
    for seed in range(start, start + 8 * count):
        where = settings(seed)
        outcome = trial(code, variant, *where, decimals, seed, second=second[0] if second else None, form=form)
        if outcome.counts:
            found += 1
            yield (mistakes, *where, seed), outcome
        if found == count:
            return


def pairs(count: int, seed: int = 0) -> list[tuple[Mistake, Mistake]]:
    """Pairs of the catalogue's mistakes, of different codes; a constant times another is one constant, so not those."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Mistake, Mistake]] = []
    while len(found) < count:
        one, other = (CATALOGUE[i] for i in rng.choice(len(CATALOGUE), 2, replace=False))
        constant = {one, other} & SCALES and ("scaled", "all") in (one, other)
        if one[0] != other[0] and not constant:
            found.append((one, other))
    return found


RIGHT = ("full", "decimals", "significant", "weights", "weights_decimals", "shortcut", "float32", "some")


def right_answer(kind: str, seed: int) -> tuple[Scene, dict[str, float | str], str]:
    """A right answer as a user may give it: the scene, the figures by weight, and whether gradients or weights."""
    rng = np.random.default_rng([seed, 11])
    sizes, activations, cost, N = settings(seed)
    if kind == "shortcut":
        cost = "categorical_cross_entropy" if sizes[-1] > 1 else "binary_cross_entropy"
        activations = (*activations[:-1], OUTPUTS[cost][0])
    of = scene(sizes, activations, cost, N, seed)
    made = of.wrong()
    if kind == "shortcut":  # δ = A - y straight away
        made.slope = lambda A, y: A - y
        made.chain[-1] = lambda u, a, dC_da: dC_da
    if kind == "float32":
        single = [W.astype("float32") for W in of.weights], *(a.astype("float32") for a in (of.X, of.y))
        made = Pass(single[0], activations, cost, *single[1:], of.learning_rate)
    form = "weights" if kind.startswith("weights") else "gradients"
    decimals = int(rng.integers(2, 9)) if kind.endswith("decimals") or kind == "shortcut" else None
    given = claim(made, decimals, form)
    if kind == "significant":
        digits = int(rng.integers(2, 9))
        given = [f"{value:.{digits}g}" for value in given]
    names = of.network.weight_names
    kept = set(rng.choice(names, int(rng.integers(1, len(names))), replace=False)) if kind == "some" else set(names)
    return of, {name: value for name, value in zip(names, given, strict=True) if name in kept}, form
