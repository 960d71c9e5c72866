"""Compares Levenberg-Marquardt with other solvers, to the same error from the same starts: docs/levenberg-marquardt.md.

A first run counts the epochs (iterations) that a contender needs to reach the goal. A second run with this number is
timed, so that checking the goal is not included. Times are processor times on one core, so that other work on the
machine does not count.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

import backpath as bp
from bench.lm_sets import SETS, Array, Set
from bench.machine import load, machine

SEEDS = 20
PAGE = Path(__file__).parents[1] / "docs" / "levenberg-marquardt.md"
Train = Callable[[int], object]


@dataclass(frozen=True)
class Problem:
    """A set with initial weights."""

    set: Set
    X: Array
    y: Array
    network: bp.Network

    def epochs_of(self, costs: Array) -> int | None:
        """The epochs to the goal, from the costs before each epoch."""
        below = np.flatnonzero(costs <= self.set.goal)
        return int(below[0]) if len(below) else None


def lm(problem: Problem) -> tuple[int | None, Train]:
    return backpath(problem, solver="lm", most=500)


def adam(problem: Problem) -> tuple[int | None, Train]:
    return backpath(problem, solver="adam", learning_rate=0.03, engine="compiled", most=10_000)


def backpath(problem: Problem, most: int, **settings: object) -> tuple[int | None, Train]:
    def train(epochs: int) -> bp.training.TrainingResult:
        return bp.train(problem.network, problem.X, problem.y, epochs=epochs, **settings)

    return problem.epochs_of(train(most).history.cost), train


def lbfgs(problem: Problem, most: int = 2048) -> tuple[int | None, Train]:
    """scikit-learn from the problem's start; its cost falls monotonically, so bisection finds the epochs to 2%."""
    y = problem.y if problem.y.shape[1] > 1 else problem.y.ravel()
    model = MLPRegressor(
        hidden_layer_sizes=(problem.set.hidden,), activation="tanh", solver="lbfgs", alpha=0, tol=1e-14, max_iter=1
    )
    model.set_params(max_fun=10**7, warm_start=True).fit(problem.X, y)

    def train(epochs: int) -> MLPRegressor:
        model.coefs_ = [W[:, :-1].T.copy() for W in problem.network.weights]
        model.intercepts_ = [W[:, -1].copy() for W in problem.network.weights]
        return model.set_params(max_iter=epochs).fit(problem.X, y)

    def reaches(epochs: int) -> bool:
        error = train(epochs).predict(problem.X).reshape(problem.y.shape) - problem.y
        return float((error**2).sum(axis=1).mean()) <= problem.set.goal

    high = 64
    while not reaches(high):
        if high == most:
            return None, train
        high = min(2 * high, most)
    low = 0 if high == 64 else high // 2
    while high - low > max(1, 0.02 * high):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high, train


def jax_adam(problem: Problem, most: int = 10_000) -> tuple[int | None, Train]:
    """The whole run as one compiled loop; compilation is not timed."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    jnp = jax.numpy
    X, y = jnp.asarray(problem.X, "float32"), jnp.asarray(problem.y, "float32")
    start = [jnp.asarray(W, "float32") for W in problem.network.weights]

    def cost(weights: list) -> jax.Array:
        (W, V) = weights
        return ((jnp.tanh(X @ W[:, :-1].T + W[:, -1]) @ V[:, :-1].T + V[:, -1] - y) ** 2).sum(axis=1).mean()

    def epoch(state: tuple, _: object = None) -> tuple:
        weights, m, v, t = state
        value, g = jax.value_and_grad(cost)(weights)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 0.03 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = jax.tree.map(lambda W, m, v: W - rate * m / (jnp.sqrt(v) + 1e-8), weights, m, v)
        return (weights, m, v, t + 1), value

    zeros = jax.tree.map(jnp.zeros_like, start)
    first = (start, zeros, zeros, 1.0)
    costs = np.asarray(jax.jit(lambda s: jax.lax.scan(epoch, s, None, most)[1])(first))
    run = jax.jit(lambda s, epochs: jax.lax.fori_loop(0, epochs, lambda _, s: epoch(s)[0], s))
    jax.block_until_ready(run(first, 1))
    return problem.epochs_of(costs), lambda epochs: jax.block_until_ready(run(first, epochs))


CONTENDERS = {"backpath, lm": lm, "backpath, adam": adam, "scikit-learn, lbfgs": lbfgs, "JAX, Adam": jax_adam}


@dataclass(frozen=True)
class Outcome:
    """One contender on one set: epochs and seconds for the starts from which it reached the goal."""

    epochs: list[int]
    seconds: list[float]

    def shown(self, quickest: float) -> str:
        if not self.seconds:
            return f"0/{SEEDS} | — | — | —"
        median = statistics.median(self.seconds)
        low, high = min(self.seconds), max(self.seconds)
        epochs, span = statistics.median(self.epochs), f"{1e3 * low:.3g} to {1e3 * high:.3g}"
        return f"{len(self.seconds)}/{SEEDS} | {epochs:,.0f} | {1e3 * median:.3g} ({span}) | {median / quickest:.1f}"


def measure(which: Set) -> dict[str, Outcome]:
    X, y = which.data()
    outcomes = {name: Outcome([], []) for name in CONTENDERS if name != "JAX, Adam" or which.name == "friedman1"}
    for seed in range(SEEDS):
        sizes = (X.shape[1], which.hidden, y.shape[1])
        problem = Problem(which, X, y, bp.Network(sizes, activations=("tanh", "identity"), seed=seed))
        ready = {name: CONTENDERS[name](problem) for name in outcomes}
        for name, (epochs, train) in ready.items():  # in turns, start after start
            if epochs:
                start = time.process_time()
                train(epochs)
                outcomes[name].seconds.append(time.process_time() - start)
                outcomes[name].epochs.append(epochs)
    return outcomes


def rows(which: Set, outcomes: dict[str, Outcome]) -> list[str]:
    X, y = which.data()
    first = f"**{which.name}**, {len(X):,} × {X.shape[1]}, {X.shape[1]}-{which.hidden}-{y.shape[1]}, {which.goal:g}"
    own = outcomes["backpath, lm"].seconds
    quickest = statistics.median(own) if own else float("nan")
    cells = [f"{name} | {outcome.shown(quickest)}" for name, outcome in outcomes.items()]
    return [f"| {first if k == 0 else ''} | {cell} |" for k, cell in enumerate(cells)]


def main() -> int:
    warnings.simplefilter("ignore", ConvergenceWarning)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    facts = [*machine(), f"{load()} at the start", f"{SEEDS} starts"]
    lines = [
        "| set, samples × inputs, network, goal | solver | reached | epochs | ms to the goal | × lm |",
        "|---|---|--:|--:|--:|--:|",
    ]
    wanted = sys.argv[1:] or [s.name for s in SETS]
    for which in SETS:
        if which.name in wanted:
            found = rows(which, measure(which))
            print("\n".join(found), file=sys.stderr, flush=True)
            lines += found
    if not sys.argv[1:]:
        before, after = PAGE.read_text("utf-8").split("<!-- figures -->")[::2]
        table = "\n".join(lines)
        block = f"<!-- figures -->\n{table}\n\n{'; '.join(facts)}.\n<!-- figures -->"
        PAGE.write_text(before + block + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
