"""A backward pass in which each use of a quantity can be changed, and the readers of messages that change it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from backpath.maths.notation import neuron_index, weight_index
from explain.mistaken import DERIVATIVES, SLOPES, VALUES, Array
from explain.planted import Scene

Uses = tuple[str, ...]
ALL, GRADIENT = ("own", "bias", "back"), ("own", "bias")


@dataclass
class Program:
    """The parts that a message may change, by layer; layers count from 1.

    Attributes
    ----------
    weights, X, y : in the whole pass
    sums : edits of a layer's [W b] in its net inputs only
    values, slopes : σ and σ′ of u
    error, output_delta : ∂C/∂A of A and y; δ of the outputs
    deltas : layer, uses, columns and what is used instead of δ: for the gradients of the weights ("own"), of the biases
        ("bias"), and in the backward pass ("back")
    factors, gradient : edits of [a 1] and of a layer's gradient
    path : the weights in the backward pass, of a layer's gradient and its [W b]
    whole : an edit of all gradients
    """

    of: Scene
    sums: dict[int, Callable[[Array], Array]] = field(default_factory=dict)
    values: dict[int, Callable[[Array], Array]] = field(default_factory=dict)
    slopes: dict[int, Callable[[Array], Array]] = field(default_factory=dict)
    error: Callable[[Array, Array], Array] | None = None
    output_delta: Callable[[Array, Array], Array] | None = None
    deltas: list[tuple[int, Uses, slice, Callable[[Program, int], Array]]] = field(default_factory=list)
    factors: dict[int, Callable[[Program, Array], Array]] = field(default_factory=dict)
    path: dict[int, Callable[[Array, Array], Array]] = field(default_factory=dict)
    gradient: dict[int, Callable[[Program, int, Array], Array]] = field(default_factory=dict)
    whole: Callable[[list[Array]], None] | None = None

    def __post_init__(self) -> None:
        self.X, self.y = self.of.X.copy(), self.of.y.copy()
        self.weights = [W.copy() for W in self.of.weights]
        self.layers = range(1, len(self.weights) + 1)
        self.sizes = self.of.network.sizes

    def slope(self, layer: int) -> Array:
        return self.slopes.get(layer, DERIVATIVES[self.of.activations[layer - 1]])(self.u[layer])

    def run(self) -> list[Array]:
        """∂C/∂W by layer."""
        self.u: list[Array] = [self.X]
        self.a: list[Array] = [self.X]
        with np.errstate(all="ignore"):
            for layer in self.layers:
                W = self.weights[layer - 1]
                W = self.sums[layer](W) if layer in self.sums else W
                self.u.append(self.a[-1] @ W[:, :-1].T + W[:, -1])
                self.a.append(self.values.get(layer, VALUES[self.of.activations[layer - 1]])(self.u[-1]))
            found = self._backward()
        if self.whole:
            self.whole(found)
        return found

    def _backward(self) -> list[Array]:
        last = self.layers[-1]
        self.delta: dict[int, Array] = {}
        self.errors = {last: (self.error or SLOPES[self.of.cost])(self.a[-1], self.y)}
        found: list[Array] = []
        for layer in reversed(self.layers):
            self.delta[layer] = self.errors[layer] * self.slope(layer)
            if layer == last and self.output_delta:
                self.delta[layer] = self.output_delta(self.a[-1], self.y)
            found.insert(0, self._of_layer(layer))
        return found

    def _of_layer(self, layer: int) -> Array:
        use = dict.fromkeys(ALL, self.delta[layer])
        for where, uses, columns, change in self.deltas:
            if where == layer:
                new = change(self, layer)
                for name in uses:
                    use[name] = use[name].copy()
                    use[name][:, columns] = new[:, columns]
        if all(np.array_equal(use["own"], other) for other in use.values()):
            self.delta[layer] = use["own"]
        F = with_ones(self.a[layer - 1])
        F = self.factors[layer](self, F) if layer in self.factors else F
        G = np.column_stack([use["own"].T @ F[:, :-1], use["bias"].T @ F[:, -1:]]) / len(self.X)
        G = self.gradient[layer](self, layer, G) if layer in self.gradient else G
        W = self.weights[layer - 1]
        self.errors[layer - 1] = use["back"] @ (self.path[layer](G, W) if layer in self.path else W[:, :-1])
        return G


def with_ones(a: Array) -> Array:
    return np.column_stack([a, np.ones(len(a))])


def like(values: Array, other: Array) -> Array:
    return np.broadcast_to(values, other.shape)


def turned(W: Array) -> Array:
    """[W b] with W transposed; a program with the wrong shapes reshapes it."""
    M = W[:, :-1]
    M = M.T if M.shape[0] == M.shape[1] else np.reshape(M, M.shape[::-1]).T
    return np.column_stack([M, W[:, -1]])


def numbers(text: str) -> list[int]:
    """The layers in "1, 2 and 3"."""
    return [int(number) for number in re.findall(r"\d+", text)]


def place(name: str, sizes: tuple[int, ...]) -> tuple[int, int, int]:
    """Layer, row and column of a weight; -1 for the bias."""
    layer, j, i = weight_index(name, sizes)
    return layer, j - 1, -1 if i is None else i - 1


def neuron(name: str, sizes: tuple[int, ...]) -> tuple[int, int]:
    """Layer and column of a neuron."""
    layer, j = neuron_index(name, sizes)
    return layer, j - 1


Reader = Callable[[Program, re.Match], Iterable[Program] | None]
READERS: list[tuple[str, Reader]] = []


def reads(pattern: str) -> Callable[[Reader], Reader]:
    """A reader of messages of that pattern: it changes a program, or returns the programs that a message may mean."""

    def add(reader: Reader) -> Reader:
        READERS.append((pattern, reader))
        return reader

    return add


def programs(of: Scene, message: str) -> list[Program]:
    """The programs that a message describes: several if it leaves a choice, such as which derivative is used."""
    for pattern, reader in READERS:
        if found := re.fullmatch(pattern, message):
            program = Program(of)
            made = reader(program, found)
            return [program] if made is None else list(made)
    return []
