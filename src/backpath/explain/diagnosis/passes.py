"""Backpropagation with mistakes: many passes at once, each with its own.

The arrays are those of ``maths.backprop`` with a further axis for the passes. A mistake is one or more edits; an edit
changes the arrays of some passes at a stage. Every *use* of a quantity has a separate array: a layer's δ is used in the
gradient of its weights (``own``), in the gradient of its biases (``bias``), and in the backward pass (``back``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.problem import Problem
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function

Index = NDArray[np.intp]
Use = Literal["own", "bias", "back"]


class Stage(IntEnum):
    """The stage of an edit; stages marked (l) occur once per layer, which is then ``Passes.at``."""

    START = 0  # W, X, y, share, rate, updated, scale
    SUMS = 1  # U
    FORWARD = 2  # a[at] (l), from the first layer on
    ERROR = 3  # dC_da[-1]; ``changed_error`` says in which passes
    BACKWARD = 4  # delta[-1], slopes, F
    DELTA = 5  # delta[at] (l), from the outputs down
    USES = 6  # own, bias, back of the layer ``at`` (l)
    SAMPLES = 7  # the same, for changes to the sums over the samples
    GRADIENT = 8  # G[at] (l), before the weights of this layer are used
    WAY_BACK = 9  # P of the layer ``at`` (l)
    GRADIENTS = 10  # G


Edit = tuple[Stage, Callable[["Passes", Index], None]]
PassEdits = tuple[Sequence[Edit], Index]  # edits, and their passes


class Passes:
    """Forward and backward passes over the same samples; lists are by layer (entry 0: the inputs).

    Attributes
    ----------
    W : the weights, (passes, neurons, inputs + 1); U : the weights in the weighted sums
    X, y : (passes, N, inputs), (passes, N, outputs)
    share : the weight of each sample, (passes, N)
    rate : η of the update, (passes,)
    scale : the constant on the error from conventions, for mistakes that depend on its size, (passes,)
    updated : η of an update of a layer's weights before the layer below it is computed, 0 if there is none,
        (passes, layers + 1)
    u, a : net inputs, activations, (passes, N, neurons)
    dC_da, delta : ∂C/∂a and δ = ∂C/∂u, (passes, N, neurons)
    slopes : σ′(u) of the hidden layers
    at : the current layer; own, bias, back : its δ in each use
    then : the weights of ``at`` at that time; P : the weights used, (passes, neurons, neurons before)
    F : the quantities that the weights multiply, (passes, N, inputs + 1)
    G : the gradients, in the weights' shapes
    """

    own: Array
    bias: Array
    back: Array
    P: Array

    def __init__(self, q: Problem, count: int, runs: Sequence[PassEdits], weights: Sequence[Array] | None = None):
        self.q, self.count, self.at = q, count, 0
        self._edits: list[list[tuple[Callable[[Passes, Index], None], Index]]] = [[] for _ in Stage]
        for edits, h in runs:
            for stage, edit in edits:
                self._edits[stage].append((edit, h))
        with np.errstate(all="ignore"):
            self._start(weights)
            self._forward()
            self._errors()
            self._backward()

    def _apply(self, stage: Stage) -> None:
        for edit, h in self._edits[stage]:
            edit(self, h)

    def _repeated(self, array: Array) -> Array:
        return np.repeat(array[None], self.count, axis=0)

    def _start(self, weights: Sequence[Array] | None) -> None:
        q, H = self.q, self.count
        given = weights or [self._repeated(W) for W in q.net.weights]
        self.W: list[Array] = [np.empty(0), *(W.copy() for W in given)]
        self.X, self.y = self._repeated(q.X), self._repeated(q.y)
        self.share = np.full((H, q.samples), 1.0)
        self.rate = np.full(H, q.learning_rate or 0.0)
        self.scale = np.ones(H)
        self.updated = np.zeros((H, q.layers + 1))
        self._apply(Stage.START)
        self.U = [W.copy() for W in self.W] if self._edits[Stage.SUMS] else self.W
        self._apply(Stage.SUMS)

    def _forward(self) -> None:
        self.u: list[Array] = [self.X]
        self.a: list[Array] = [self.X]
        for layer, name in enumerate(self.q.net.activations, 1):
            U = self.U[layer]
            u = self.a[-1] @ U[:, :, :-1].transpose(0, 2, 1) + U[:, None, :, -1]
            self.u.append(u)
            self.a.append(activation(name).value(u))
            if self.a[-1] is u:  # identity; an edit must change only one of the two
                self.a[-1] = u.copy()
            self.at = layer
            self._apply(Stage.FORWARD)

    def _errors(self) -> None:
        q = self.q
        output, cost = activation(q.net.activations[-1]), cost_function(q.cost)
        u, a = self.u[-1], self.a[-1]
        self.dC_da: list[Array] = [np.empty(0)] * q.layers
        self.dC_da.append(cost_slope(q.cost, a, self.y))
        self.delta: list[Array] = [np.empty(0)] * q.layers
        self.delta.append(cost.output_delta(output.name, u, a, self.y))
        self.changed_error = np.zeros(self.count, dtype=bool)
        self._apply(Stage.ERROR)
        if self.changed_error.any():
            h = np.flatnonzero(self.changed_error)
            self.delta[-1][h] = output.chain(u[h], self.dC_da[-1][h])

    def _backward(self) -> None:
        q = self.q
        self.slopes: list[Array] = [
            np.empty(0),
            *(activation(q.net.activations[k - 1]).derivative(self.u[k]) for k in q.hidden),
        ]
        self.F: list[Array] = [np.empty(0)]
        for a in self.a[:-1]:
            F = np.ones((*a.shape[:2], a.shape[2] + 1))
            F[:, :, :-1] = a
            self.F.append(F)
        self._apply(Stage.BACKWARD)
        self.G: list[Array] = [np.empty(0)] * (q.layers + 1)
        counted = self.share[:, :, None] / q.samples
        for layer in range(q.layers, 0, -1):
            self.at = layer
            self._apply(Stage.DELTA)
            self.own = self.bias = self.back = self.delta[layer]
            self._apply(Stage.USES)
            self._apply(Stage.SAMPLES)
            self.G[layer] = self._gradient(layer, counted)
            self._apply(Stage.GRADIENT)
            if layer > 1:
                moved = self.updated[:, layer, None, None] * self.G[layer] * q.free[layer - 1]
                self.then = self.W[layer] - moved
                self.P = self.then[:, :, :-1].copy()
                self._apply(Stage.WAY_BACK)
                self.dC_da[layer - 1] = self.back @ self.P
                self.delta[layer - 1] = self.dC_da[layer - 1] * self.slopes[layer - 1]
        self._apply(Stage.GRADIENTS)

    def _gradient(self, layer: int, counted: Array) -> Array:
        """1/N Σ δ × [X1 X2 1]"""
        F, own = self.F[layer], self.own * counted
        if self.bias is self.own:
            return own.transpose(0, 2, 1) @ F
        G: Array = np.empty((self.count, own.shape[2], F.shape[2]))
        G[:, :, :-1] = own.transpose(0, 2, 1) @ F[:, :, :-1]
        G[:, :, -1] = (self.bias * counted * F[:, :, -1:]).sum(axis=1)
        return G

    def by_size(self, values: Array, h: Index, change: Callable[[Array], Array]) -> Array:
        """Applies a change to errors with the constant from conventions, and removes the constant again."""
        scale = self.scale[h, None, None]
        return change(scale * values) / scale

    def put(self, use: Use, h: Index, values: Array, columns: slice = slice(None)) -> None:
        """Sets one use of the δ of the layer ``at``, without changing its other uses."""
        array = getattr(self, use)
        if array is self.delta[self.at] or any(
            getattr(self, other) is array for other in ("own", "bias", "back") if other != use
        ):
            array = array.copy()
            setattr(self, use, array)
        array[h, :, columns] = values

    def figures(self) -> Array:
        """All figures that may be claimed, (passes, figures): the gradients; if claimed, the updated weights
        W - η ∂C/∂W; for one sample u and a of every neuron, and the cost."""
        gradients = self._flat(self.G)
        parts = [gradients]
        if self.q.updates:
            free = np.concatenate([mask.ravel() for mask in self.q.free])
            parts.append(self._flat(self.W) - self.rate[:, None] * gradients * free)
        if self.q.samples == 1:
            parts += [u[:, 0] for u in self.u[1:]]
            parts += [a[:, 0] for a in self.a]
            with np.errstate(all="ignore"):  # edits may overflow
                costs = cost_function(self.q.cost).value(self.u[-1], self.a[-1], self.y).sum(axis=2)
            parts.append(costs.mean(axis=1, keepdims=True))
        return np.concatenate(parts, axis=1)

    def _flat(self, by_layer: Sequence[Array]) -> Array:
        return np.concatenate([array.reshape(self.count, -1) for array in by_layer[1:]], axis=1)


def cost_slope(cost: str, A: Array, y: Array) -> Array:
    """∂C/∂A from A alone, with the textbook formula."""
    if cost == "binary_cross_entropy":
        return (1 - y) / (1 - A) - y / A
    if cost == "categorical_cross_entropy":
        return -y / A
    return cost_function(cost).derivative(np.log(A) if cost == "poisson" else A, A, y)
