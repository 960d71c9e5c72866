"""Random slips at random uses, in random networks, conventions and layouts: what ``diagnose`` says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

import backpath as bp
from explain.programs.layouts import LAYOUTS
from explain.programs.program import DERIVATIVES, Array, Impossible, Planted, Program, neurons
from explain.programs.slips import CONVENTIONS, MEANT, SLIPS

WIDEST = (4, 6, 5, 3)
OUTPUTS = {
    "squared_error": [*DERIVATIVES, "softmax"],
    "half_squared_error": [*DERIVATIVES, "softmax"],
    "binary_cross_entropy": ["sigmoid"],
    "categorical_cross_entropy": ["softmax"],
    "huber": [*DERIVATIVES],
    "absolute_error": [*DERIVATIVES],
    "poisson": ["exp"],
}
USUAL = ["sigmoid", "tanh", "relu"]  # half of the networks have these
PRINTED = "printed"  # figures and network with 4 to 6 digits
DRAWS = 6  # places at which every other slip is tried for the same figures
Digits = int | str | None  # decimals of the figures; None: all of them


@dataclass(frozen=True)
class Trial:
    """What was planted, what was given, and what the report says.

    ``equal``: of each slip, what else a report may say in its place, as it gives the same figures.
    """

    seed: int
    what: tuple[str, ...]
    planted: tuple[Planted, ...]
    program: Program
    layout: str
    report: bp.explain.diagnosis.report.Report
    equal: tuple[list[Planted], ...] = field(default=(), repr=False)

    @property
    def named(self) -> bool:
        """Whether one of the reported explanations has every slip, at its place; or another of the same figures."""
        sets = [list(self.planted)]
        for k, others in enumerate(self.equal):
            sets += [[*self.planted[:k], other, *self.planted[k + 1 :]] for other in others]
        if self.report.correct:
            return any(len(each) == 1 and any(w and w in self.report.note for w in each[0].words) for each in sets)
        return any(all(self._has(group, p) for p in each) for group in self.report.alternatives for each in sets)

    def _has(self, group: Sequence, planted: Planted) -> bool:
        return any(
            f.mistake in planted.codes and any(w in f.message for w in planted.words) and self._there(f.where, planted)
            for f in group
        )

    def _there(self, where: Sequence[str], planted: Planted) -> bool:
        if planted.layers is None or not where:
            return True
        layers = {int(n.rsplit("_", 1)[1]) for n in where if n[0] == "W"}
        layers |= {k for k in range(self.program.output + 1) if set(neurons(self.program, k)) & set(where)}
        return bool(layers & planted.layers)


def fresh(seed: int) -> Program:
    """A network with samples; sizes, activations, cost and batch by the seed."""
    rng = np.random.default_rng([seed, 29])
    widest = WIDEST if rng.random() < 0.4 else (WIDEST[0], WIDEST[1], WIDEST[3])
    sizes = [int(rng.integers(1, most + 1)) for most in widest]
    cost = str(rng.choice([c for c in OUTPUTS if sizes[-1] > 1 or c != "categorical_cross_entropy"]))
    names = USUAL if rng.random() < 0.5 else sorted(DERIVATIVES)
    able = [name for name in OUTPUTS[cost] if sizes[-1] > 1 or name != "softmax"]
    output = str(rng.choice([name for name in able if name in names] or able))
    activations = (*rng.choice(names, len(sizes) - 2).tolist(), output)
    weights = [rng.uniform(-1, 1, (m, n + 1)) for n, m in pairwise(sizes)]
    N = int(rng.integers(1, 9))
    X, y = rng.normal(size=(N, sizes[0])), rng.uniform(0.05, 0.95, (N, sizes[-1]))
    if cost == "categorical_cross_entropy":
        y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=N)]
    if cost == "poisson":
        y = np.round(3 * y)
    return Program(weights, activations, cost, X, y, float(rng.choice([0.1, 0.5])))


def made(
    seed: int, what: Sequence[str], start: Program | None = None, draw: int = 0
) -> tuple[Program, tuple[Planted, ...]]:
    program = start or fresh(seed)
    table = {**SLIPS, **CONVENTIONS, **MEANT}
    draws = [np.random.default_rng([seed, *name.encode(), *[draw] * (draw > 0)]) for name in what]
    return program, tuple(table[name](program, rng) for name, rng in zip(what, draws, strict=True))


def rounded(seed: int, digits: int) -> Program:
    """The same network and samples with this many significant digits."""

    def of(a: Array) -> Array:
        return np.array([float(f"{v:.{digits - 1}e}") for v in a.ravel()]).reshape(a.shape)

    p = fresh(seed)
    return Program([of(W) for W in p.weights], p.activations, p.cost, of(p.X), of(p.y), p.rate)


def as_printed(a: Array, digits: int) -> list[Any]:
    """Strings with this many significant digits."""
    if a.ndim == 1:
        return [np.format_float_positional(v, digits, unique=False, fractional=False) for v in a]
    return [as_printed(row, digits) for row in a]


def flat(gradients: Sequence[Array]) -> Array:
    return np.concatenate([g.ravel() for g in gradients])


@dataclass(frozen=True)
class Given:
    """How exact figures and network are: decimals of the figures, significant digits of the network."""

    decimals: int | None = None
    network: int | None = None

    @classmethod
    def of(cls, digits: Digits, seed: int) -> Given:
        rng = np.random.default_rng([seed, 41])
        return cls(*rng.integers(4, 7, 2).tolist()) if digits == PRINTED else cls(digits)

    def same(self, a: Sequence[Array], b: Sequence[Array], open_: float = 0.0) -> bool:
        """Whether nothing tells these gradients apart; ``open_``: what the digits of the network leave open."""
        first, second = flat(a), flat(b)
        allowed = 1e-9 * max(np.abs(second).max(), 1e-6) if self.decimals is None else 1.01 * 10.0**-self.decimals
        return bool((np.abs(first - second) <= allowed + open_).all())


def trial(seed: int, slips: Sequence[str], conventions: int, digits: Digits) -> Trial | None:
    """None where nothing can be found: impossible, or the figures are those without one of the slips."""
    rng, given = np.random.default_rng([seed, 31]), Given.of(digits, seed)
    chosen = [*slips, *rng.choice(sorted(CONVENTIONS), conventions, replace=False).tolist()]
    try:
        program, planted = made(seed, chosen)
        gradients = program.gradients()
        if not np.isfinite(flat(gradients)).all():
            return None
        open_ = 0.0
        if given.network:
            near = made(seed, chosen, rounded(seed, given.network))[0].gradients()
            open_ = 3 * float(np.abs(flat(near) - flat(gradients)).max())
        for left_out in slips:
            without, _ = made(seed, [name for name in chosen if name != left_out])
            if given.same(gradients, without.gradients(), open_):
                return None
    except Impossible:
        return None
    layout, report = diagnosed(seed, gradients, given)
    found = Trial(seed, tuple(chosen), planted[: len(slips)], program, layout, report)
    if found.named:
        return found
    equal = tuple(equal_slips(seed, chosen, k, gradients, given, open_) for k in range(len(slips)))
    return Trial(seed, tuple(chosen), found.planted, program, layout, report, equal)


def diagnosed(seed: int, gradients: Sequence[Array], given: Given) -> tuple[str, Any]:
    """The report on these gradients, in a random layout."""
    rng, p = np.random.default_rng([seed, 43]), fresh(seed)
    texts = [g if given.decimals is None else np.vectorize(f"{{:.{given.decimals}f}}".format)(g) for g in gradients]
    layout = str(rng.choice(list(LAYOUTS)))
    weights: Any = p.weights
    X: Any = p.X
    y: Any = p.y
    if given.network:
        weights = [as_printed(W, given.network) for W in p.weights]
        X, y = as_printed(X, given.network), as_printed(y, given.network)
    net = bp.Network.from_weights(weights, activations=p.activations)
    claimed = LAYOUTS[layout](net, [np.asarray(t, dtype=object) for t in texts])
    if rng.random() < 0.2:  # samples in columns
        X, y = np.transpose(X), np.transpose(y)
    return layout, bp.diagnose(net, X, y, claimed, cost=p.cost, learning_rate=p.rate)


def equal_slips(
    seed: int, chosen: Sequence[str], k: int, gradients: Sequence[Array], given: Given, open_: float
) -> list[Planted]:
    """The names of other slips and conventions that give the same figures instead of a chosen one."""
    found = []
    for name in {**SLIPS, **CONVENTIONS}:
        for draw in range(DRAWS):
            try:
                other, planted = made(seed, [*chosen[:k], name, *chosen[k + 1 :]], draw=draw)
                with np.errstate(all="ignore"):
                    if name not in chosen and given.same(gradients, other.gradients(), open_ / 3):
                        found.append(planted[k])
            except Impossible:
                continue
    return found


def trials(count: int, slips: int, conventions: int, digits: Digits, start: int = 0, meant: int = 0) -> Iterator[Trial]:
    """``count`` trials of random slips in which there is something to find; ``meant``: the number of intended
    changes to right gradients."""
    found, seed = 0, start
    while found < count:
        rng = np.random.default_rng([seed, 37])
        chosen = rng.choice(sorted(SLIPS), slips, replace=False).tolist()
        chosen += rng.choice(sorted(MEANT), meant, replace=False).tolist()
        several = int(rng.integers(1, conventions + 1)) if conventions else 0
        made_one = trial(seed, chosen, several, digits)
        if made_one is not None:
            found += 1
            yield made_one
        seed += 1
