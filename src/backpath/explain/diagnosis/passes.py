"""Back-propagation with mistakes in it: many passes at once, each with its own.

The arrays of ``maths.backprop`` with an axis more, one entry per pass. A mistake is one or more edits; an edit changes
the arrays of some passes at a stage: before the forward pass, before its sums, before the backward pass, or at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.problem import Problem
from backpath.maths.activations import activation
from backpath.maths.costs import cost_function

Array = NDArray[np.floating]


class Stage(IntEnum):
    START = 0  # W, X, y, times, share, scale, rate, updated, misread
    SUMS = 1  # U
    BACKWARD = 2  # delta[-1], slopes, F
    WAY_BACK = 3  # P of the layer ``at``, once for each layer, from the outputs down
    GRADIENTS = 4  # G


Index = NDArray[np.intp]
Edit = tuple[Stage, Callable[["Passes", Index], None]]
Run = tuple[Sequence[Edit], Index]  # edits, and the passes in which they are made


class Passes:
    """Forward and backward passes over the same samples; lists are by layer (entry 0 stands for the inputs).

    Attributes
    ----------
    W : weights of the pass, (passes, neurons, inputs + 1); U : those of its weighted sums
    X, y : (passes, N, inputs), (passes, N, outputs)
    times : how often a layer's activation is applied, (passes, layers + 1)
    misread : (passes, layer, sample, neuron, values) of outputs that are taken as another number
    share : how much each sample counts, (passes, N); scale : a constant on each layer's gradients
    rate : η of the update, (passes,)
    updated : η with which a layer's weights were already updated when the layer before it is computed, 0 if they were
        not, (passes, layers + 1)
    u, a, delta : net inputs, activations, δ, (passes, N, neurons)
    slopes : σ′(u) of the hidden layers
    at : the layer from which the way back is taken; then : its weights, as they are by then
    P : what is used of them, without the biases, (passes, neurons, neurons before)
    F : what the weights multiply, (passes, N, inputs + 1)
    G : the gradients, in the weights' shapes
    """

    def __init__(self, q: Problem, count: int, runs: Sequence[Run]):
        self.q, self.count = q, count
        self._runs = runs
        with np.errstate(all="ignore"):
            self._start()
            self._forward()
            self._backward()

    def _apply(self, stage: Stage) -> None:
        for edits, h in self._runs:
            for when, edit in edits:
                if when == stage:
                    edit(self, h)

    def _repeated(self, array: Array) -> Array:
        return np.repeat(array[None], self.count, axis=0)

    def _start(self) -> None:
        q, H = self.q, self.count
        self.W: list[Array] = [np.empty(0), *(self._repeated(W) for W in q.net.weights)]
        self.X, self.y = self._repeated(q.X), self._repeated(q.y)
        self.times = np.ones((H, q.layers + 1), dtype=np.int8)
        self.share = np.full((H, q.samples), 1.0)
        self.scale = np.ones((H, q.layers + 1))
        self.rate = np.full(H, self.q.learning_rate or 0.0)
        self.updated = np.zeros((H, q.layers + 1))
        self.misread: list[tuple[Index, int, int, int, float | Array]] = []
        self._apply(Stage.START)
        self.U = [W.copy() for W in self.W]
        self._apply(Stage.SUMS)

    def _forward(self) -> None:
        self.u: list[Array] = [self.X]
        self.a: list[Array] = [self.X]
        for layer, name in enumerate(self.q.net.activations, 1):
            U, value = self.U[layer], activation(name).value
            u = self.a[-1] @ U[:, :, :-1].transpose(0, 2, 1) + U[:, None, :, -1]
            a = value(u)
            twice, never = self.times[:, layer] == 2, self.times[:, layer] == 0
            a[twice] = value(a[twice])
            a[never] = u[never]
            for h, where, sample, j, numbers in self.misread:
                if where == layer:
                    a[h, sample, j - 1] = numbers
            self.u.append(u)
            self.a.append(a)

    def _backward(self) -> None:
        q = self.q
        names = q.net.activations
        self.delta: list[Array] = [np.empty(0)] * q.layers
        self.delta.append(cost_function(q.cost).output_delta(names[-1], self.u[-1], self.a[-1], self.y))
        self.slopes: list[Array] = [np.empty(0), *(activation(names[k - 1]).derivative(self.u[k]) for k in q.hidden)]
        self.F: list[Array] = [np.empty(0)]
        for a in self.a[:-1]:
            F = np.ones((*a.shape[:2], a.shape[2] + 1))
            F[:, :, :-1] = a
            self.F.append(F)
        self._apply(Stage.BACKWARD)
        self.G: list[Array] = [np.empty(0)] * (q.layers + 1)
        counted = self.share[:, :, None] / q.samples
        for layer in range(q.layers, 0, -1):
            delta = self.delta[layer]
            G = (delta * counted).transpose(0, 2, 1) @ self.F[layer]
            self.G[layer] = G * self.scale[:, layer, None, None]
            if layer > 1:
                moved = self.updated[:, layer, None, None] * self.G[layer] * q.free[layer - 1]
                self.at, self.then = layer, self.W[layer] - moved
                self.P = self.then[:, :, :-1].copy()
                self._apply(Stage.WAY_BACK)
                self.delta[layer - 1] = (delta @ self.P) * self.slopes[layer - 1]
        self._apply(Stage.GRADIENTS)

    def figures(self) -> Array:
        """All that may be claimed, (passes, figures): the gradients; if they are, the updated weights W - η ∂C/∂W; of
        one sample u, then a of every neuron, and the cost."""
        gradients = self._flat(self.G)
        parts = [gradients]
        if self.q.updates:
            free = np.concatenate([mask.ravel() for mask in self.q.free])
            parts.append(self._flat(self.W) - self.rate[:, None] * gradients * free)
        if self.q.samples == 1:
            parts += [u[:, 0] for u in self.u[1:]]
            parts += [a[:, 0] for a in self.a]
            costs = cost_function(self.q.cost).value(self.u[-1], self.a[-1], self.y).sum(axis=2)
            parts.append(costs.mean(axis=1, keepdims=True))
        return np.concatenate(parts, axis=1)

    def _flat(self, by_layer: Sequence[Array]) -> Array:
        return np.concatenate([array.reshape(self.count, -1) for array in by_layer[1:]], axis=1)
