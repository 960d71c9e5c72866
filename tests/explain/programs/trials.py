"""Random slips at random uses, in random networks with random conventions: what ``diagnose`` says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import backpath as bp
from explain.mistaken import DERIVATIVES
from explain.programs.program import Array, Impossible, Planted, Program, neurons
from explain.programs.slips import CONVENTIONS, SLIPS

SIZES = [(1, 1), (1, 1, 1), (2, 2, 1), (2, 3, 1), (2, 3, 2), (3, 4, 2), (2, 2, 2, 1), (3, 3, 3), (4, 6, 5, 3)]
OUTPUTS = {
    "squared_error": [*DERIVATIVES, "softmax"],
    "half_squared_error": [*DERIVATIVES, "softmax"],
    "binary_cross_entropy": ["sigmoid"],
    "categorical_cross_entropy": ["softmax"],
    "huber": [*DERIVATIVES],
    "absolute_error": [*DERIVATIVES],
}
USUAL = ["sigmoid", "tanh", "relu"]  # half of the networks have these


@dataclass(frozen=True)
class Trial:
    """What was planted, what was given, and what the report says."""

    seed: int
    what: tuple[str, ...]
    planted: tuple[Planted, ...]
    program: Program
    report: bp.explain.diagnosis.report.Report

    @property
    def named(self) -> bool:
        """Whether one of the explanations told has every slip, at its place."""
        return any(all(self._has(group, p) for p in self.planted) for group in self.report.alternatives)

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
    sizes = SIZES[int(rng.integers(len(SIZES)))]
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
    return Program(weights, activations, cost, X, y, float(rng.choice([0.1, 0.5])))


def made(seed: int, what: Sequence[str]) -> tuple[Program, tuple[Planted, ...]]:
    program = fresh(seed)
    table = {**SLIPS, **CONVENTIONS}
    return program, tuple(table[name](program, np.random.default_rng([seed, *name.encode()])) for name in what)


def _figures(gradients: Sequence[Array], digits: int | None) -> list[float | str]:
    flat = np.concatenate([g.ravel() for g in gradients]).tolist()
    return flat if digits is None else [f"{v:.{digits}f}" for v in flat]


def same(given: Sequence[float | str], other: Sequence[float | str], digits: int | None) -> bool:
    a, b = np.array(given, dtype=float), np.array(other, dtype=float)
    return bool(
        (np.abs(a - b) <= (1e-9 * max(np.abs(b).max(), 1e-6) if digits is None else 1.01 * 10.0**-digits)).all()
    )


def trial(seed: int, slips: Sequence[str], conventions: int, digits: int | None) -> Trial | None:
    """None where nothing can be found: impossible, or the figures are those without one of the slips."""
    rng = np.random.default_rng([seed, 31])
    chosen = [*slips, *rng.choice(sorted(CONVENTIONS), conventions, replace=False).tolist()]
    try:
        program, planted = made(seed, chosen)
        given = _figures(program.gradients(), digits)
        if not np.isfinite(np.array(given, dtype=float)).all():
            return None
        for left_out in slips:
            without, _ = made(seed, [name for name in chosen if name != left_out])
            if same(given, _figures(without.gradients(), digits), digits):
                return None
    except Impossible:
        return None
    start = fresh(seed)
    net = bp.Network.from_weights(start.weights, activations=start.activations)
    claimed = dict(zip(net.weight_names, given, strict=True))
    report = bp.diagnose(net, start.X, start.y, claimed, cost=start.cost, learning_rate=start.rate)
    return Trial(seed, tuple(chosen), planted[: len(slips)], program, report)


def trials(count: int, slips: int, conventions: int, digits: int | None, start: int = 0) -> Iterator[Trial]:
    """So many trials of random slips in which there is something to find."""
    found, seed = 0, start
    while found < count:
        rng = np.random.default_rng([seed, 37])
        chosen = rng.choice(sorted(SLIPS), slips, replace=False).tolist()
        several = int(rng.integers(1, conventions + 1)) if conventions else 0
        made_one = trial(seed, chosen, several, digits)
        if made_one is not None:
            found += 1
            yield made_one
        seed += 1
