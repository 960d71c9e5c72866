"""A backward pass in which each use of a quantity can be wrong separately, in plain NumPy with textbook formulas.

It shares no code with the search: what a slip does is written here again, as a user's program would do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain import mistaken
from explain.mistaken import SLOPES

Array = np.ndarray
VALUES = {**mistaken.VALUES, "exp": np.exp}
DERIVATIVES = {**mistaken.DERIVATIVES, "exp": np.exp}
USES = ("own", "bias", "back")


def through(name: str, u: Array, dC_da: Array) -> Array:
    """∂C/∂u from ∂C/∂a."""
    return dC_da * np.exp(u) if name == "exp" else mistaken.through(name, u, dC_da)


class Impossible(Exception):
    """That slip cannot be made in this network, or not together with the one before."""


def need(condition: object) -> None:
    if not condition:
        raise Impossible


@dataclass(frozen=True)
class Planted:
    """What a report should say: one of these codes, at these layers (None: anywhere), with one of these words; where
    figures are right if it is meant, those in the note."""

    codes: frozenset[str]
    layers: frozenset[int] | None = None
    words: tuple[str, ...] = ("",)


@dataclass
class Program:
    """Layers count from 1. A part of the pass is a function that a slip replaces.

    ``slope[layer, use]``: δ from (pass, ∂C/∂a); ``delta[layer, use]``: what is made of it; ``back[layer]``: the weights
    in the backward pass from (pass, W); ``inputs[layer]``: what δ is multiplied by; ``weights_sum``, ``bias_sum``: over
    the samples; ``after[layer]``: what is made of a layer's gradient; ``finish``: of all gradients.
    """

    weights: list[Array]
    activations: tuple[str, ...]
    cost: str
    X: Array
    y: Array
    rate: float
    taken: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.layers = range(1, len(self.weights) + 1)
        self.output = len(self.weights)
        self.sizes = (self.X.shape[1], *(len(W) for W in self.weights))
        self.weights = [np.array(W) for W in self.weights]
        self.X, self.y = np.array(self.X), np.array(self.y)
        self.value: dict[int, Callable] = {k: VALUES[self.activations[k - 1]] for k in self.layers}
        self.sums: dict[int, Callable] = {k: lambda a, W: a @ W[:, :-1].T + W[:, -1] for k in self.layers}
        self.outputs: dict[int, Callable] = {k: lambda a: a for k in self.layers}
        self.error: Callable = lambda p, A, y: SLOPES[self.cost](A, y)
        self.slope: dict[tuple[int, str], Callable] = {}
        self.delta: dict[tuple[int, str], Callable] = {}
        self.back: dict[int, Callable] = {k: lambda p, W: W[:, :-1] for k in self.layers}
        self.inputs: dict[int, Callable] = {k: lambda p, k=k: p.a[k - 1] for k in self.layers}
        self.weights_sum: dict[int, Callable] = {k: lambda d, F: d.T @ F / len(F) for k in self.layers}
        self.bias_sum: dict[int, Callable] = {k: lambda d: d.mean(axis=0) for k in self.layers}
        self.after: dict[int, Callable] = {k: lambda p, G, W: G for k in self.layers}
        self.finish: Callable = lambda found: found
        self.early = False
        self.scale: dict[int, float] = dict.fromkeys(self.layers, 1.0)
        self.u: dict[int, Array] = {}
        self.a: dict[int, Array] = {}
        self.e: dict[int, Array] = {}
        for k in self.layers:
            for use in USES:
                name = self.activations[k - 1]
                self.slope[k, use] = lambda p, e, k=k, name=name: through(name, p.u[k], e)
                self.delta[k, use] = lambda p, d: d

    def take(self, *keys: object) -> None:
        """Claims a part of the pass for one slip: a second cannot get the same part wrong."""
        need(not self.taken & set(keys))
        self.taken |= set(keys)

    def gradients(self) -> list[Array]:
        """∂C/∂W by layer, as the slips make them."""
        with np.errstate(all="ignore"):  # what overflows is for the caller to see
            return self._gradients()

    def _gradients(self) -> list[Array]:
        self.a[0] = self.X
        for k, W in zip(self.layers, self.weights, strict=True):
            self.u[k] = self.sums[k](self.a[k - 1], W)
            self.a[k] = self.outputs[k](self.value[k](self.u[k]))
        self.e[self.output] = self.error(self, self.a[self.output], self.y)
        found: list[Array] = []
        for k in reversed(self.layers):
            own, bias, back = (self.delta[k, use](self, self.slope[k, use](self, self.e[k])) for use in USES)
            G = np.column_stack([self.weights_sum[k](own, self.inputs[k](self)), self.bias_sum[k](bias)])
            G = self.after[k](self, G, self.weights[k - 1]) * self.scale[k]
            found.insert(0, G)
            W = self.weights[k - 1] - (self.rate * G if self.early else 0)
            self.e[k - 1] = back @ self.back[k](self, W)
        return self.finish(found)


def neurons(p: Program, layer: int) -> tuple[str, ...]:
    letter = "X" if layer == 0 else "A" if layer == p.output else "H"
    suffix = f"_{layer}" if letter == "H" and p.output > 2 else ""
    return tuple(f"{letter}{j + 1}{suffix}" for j in range(p.sizes[layer]))


def derivative(p: Program, k: int) -> Array:
    """σ′(u) of a layer; of softmax the diagonal."""
    if p.activations[k - 1] == "softmax":
        return p.a[k] * (1 - p.a[k])
    return DERIVATIVES[p.activations[k - 1]](p.u[k])


def one_of(rng: np.random.Generator, things: Sequence[Any]) -> Any:
    need(len(things))
    return things[int(rng.integers(len(things)))]
