"""Update rules: momentum, Nesterov, Adam, RMSProp, AdaGrad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from backpath.maths.arrays import Array

State = tuple[Array | float, Array | float]  # kept from step to step, initially 0
UpdateStep = Callable[[Array, State, int], tuple[Array, State]]  # (gradient, state, number of the step from 1)


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """One rule.

    ``ahead``: the multiple of the state by which the weights move before the gradient is computed; ``alone``: whether a
    single step differs from gradient descent; ``is_right``: whether the rule is correct.
    """

    words: str
    step: UpdateStep
    ahead: float = 0.0
    alone: bool = True
    is_right: bool = True


def momentum(mu: float) -> UpdateRule:
    """v = μ v + g"""

    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        v = mu * state[0] + g
        return v, (v, 0.0)

    return UpdateRule(f"momentum {mu:g}", step, alone=False)


def _mean_momentum(mu: float) -> UpdateRule:
    """v = μ v + (1 − μ) g"""

    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        v = mu * state[0] + (1 - mu) * g
        return v, (v, 0.0)

    return UpdateRule(f"a running mean of the gradients (v = {mu:g} v + {1 - mu:g} ∂C/∂W)", step)


def _nesterov(mu: float) -> Iterator[UpdateRule]:
    """v = μ v + g, with the step g + μ v; or with g computed at the weights moved ahead."""

    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        v = mu * state[0] + g
        return g + mu * v, (v, 0.0)

    yield UpdateRule(f"Nesterov's momentum {mu:g}", step)
    words = f"Nesterov's momentum {mu:g}, with the gradient at the look-ahead weights"
    yield UpdateRule(words, momentum(mu).step, ahead=mu, alone=False)


def _adam(epsilon: float, corrected: bool) -> UpdateRule:
    first, second = 0.9, 0.999

    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        m, v = first * state[0] + (1 - first) * g, second * state[1] + (1 - second) * g * g
        by = (1 - first**t, 1 - second**t) if corrected else (1.0, 1.0)
        return m / by[0] / (np.sqrt(v / by[1]) + epsilon), (m, v)

    words = f"Adam (β₁ = {first}, β₂ = {second}, ε = {epsilon:.0e})"
    return UpdateRule(
        words if corrected else f"{words} without bias correction of its moments", step, is_right=corrected
    )


def _rmsprop(rho: float, epsilon: float) -> UpdateRule:
    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        v = rho * state[1] + (1 - rho) * g * g
        return g / (np.sqrt(v) + epsilon), (0.0, v)

    return UpdateRule(f"RMSProp (ρ = {rho:g}, ε = {epsilon:.0e})", step)


def _adagrad(epsilon: float) -> UpdateRule:
    def step(g: Array, state: State, t: int) -> tuple[Array, State]:
        v = state[1] + g * g
        return g / (np.sqrt(v) + epsilon), (0.0, v)

    return UpdateRule(f"AdaGrad (ε = {epsilon:.0e})", step)


def other_rules() -> Iterator[UpdateRule]:
    """The usual rules with the default numbers of libraries."""
    yield from (_adam(epsilon, True) for epsilon in (1e-8, 1e-7))
    yield from (_rmsprop(rho, epsilon) for rho in (0.9, 0.99) for epsilon in (1e-8, 1e-7))
    yield from (_adagrad(epsilon) for epsilon in (1e-8, 1e-7, 1e-10))
    yield from _nesterov(0.9)
    yield _mean_momentum(0.9)
    yield _adam(1e-8, False)
