"""Carefully written NumPy: no allocations, because every operation writes into an existing array."""

from __future__ import annotations

import itertools

import numpy as np

from bench.contenders import LeftOut
from bench.rows import Array, Row, Train

NAME = "NumPy"
COST = "squared_error"


def versions() -> str:
    return f"NumPy {np.__version__}"


def forms(row: Row) -> dict[str, Train]:
    if row.networks is not None:
        return {"matmul over the networks": population(row)}
    if row.samples % (row.batch or row.samples):
        raise LeftOut("NumPy's arrays here are for batches of one size")
    return {"dot(…, out=…)": single(row)}


class Step:
    """One update of weights W (inputs, neurons) and biases b, with all necessary arrays."""

    def __init__(self, row: Row):
        dtype, samples = np.dtype(row.dtype), row.batch or row.samples
        self.rate = dtype.type(2 * row.learning_rate / samples)  # with the 2 of (A - y)² and the batch's 1/N
        self.a = [np.empty((samples, n), dtype) for n in row.sizes]
        self.d = [np.empty_like(a) for a in self.a]
        self.slope = [np.empty_like(a) for a in self.a]
        self.dW = [np.empty(shape, dtype) for shape in itertools.pairwise(row.sizes)]
        self.db = [np.empty(n, dtype) for n in row.sizes[1:]]
        self.ones = np.ones(samples, dtype)

    def __call__(self, W: list[Array], b: list[Array], X: Array, y: Array) -> None:
        a, d, last = self.a, self.d, len(W)
        a[0] = X
        for q in range(last):
            u = np.dot(a[q], W[q], out=a[q + 1])
            u += b[q]
            np.negative(u, out=u)
            np.exp(u, out=u)
            u += 1
            np.reciprocal(u, out=u)
        np.subtract(a[last], y, out=d[last])
        for q in range(last, 0, -1):
            slope = np.subtract(1, a[q], out=self.slope[q])
            slope *= a[q]
            d[q] *= slope
            if q > 1:
                np.dot(d[q], W[q - 1].T, out=d[q - 1])
        for q in range(last):
            dW, db = np.dot(a[q].T, d[q + 1], out=self.dW[q]), np.dot(self.ones, d[q + 1], out=self.db[q])
            dW *= self.rate
            db *= self.rate
            W[q] -= dW
            b[q] -= db


def single(row: Row) -> Train:
    (X, y), start, step = row.data(), row.start(), Step(row)
    batches = [(X[i : i + len(step.ones)], y[i : i + len(step.ones)]) for i in range(0, len(X), len(step.ones))]

    def run(epochs: int) -> list[Array]:
        W, b = [np.ascontiguousarray(w[:, :-1].T) for w in start], [w[:, -1].copy() for w in start]
        for _ in range(epochs):
            for Xb, yb in batches:
                step(W, b, Xb, yb)
        return [np.column_stack([w.T, c]) for w, c in zip(W, b, strict=True)]

    return run


def population(row: Row) -> Train:
    """Arrays of shape (networks, neurons, samples)."""
    (X, y), start = row.data(), row.start()
    rate = np.dtype(row.dtype).type(2 * row.learning_rate / row.samples)
    inputs, targets = np.ascontiguousarray(X.T)[None], np.ascontiguousarray(y.T)[None]

    def run(epochs: int) -> list[Array]:
        W, b = [w[:, :, :-1].copy() for w in start], [w[:, :, -1:].copy() for w in start]
        for _ in range(epochs):
            a = [inputs]
            for w, c in zip(W, b, strict=True):
                u = w @ a[-1]
                u += c
                np.negative(u, out=u)
                np.exp(u, out=u)
                u += 1
                a.append(np.reciprocal(u, out=u))
            d = (a[-1] - targets) * a[-1] * (1 - a[-1])
            for q in range(len(W) - 1, -1, -1):
                dW, db = d @ a[q].transpose(0, 2, 1), d.sum(axis=2, keepdims=True)
                if q:
                    d = (W[q].transpose(0, 2, 1) @ d) * a[q] * (1 - a[q])
                W[q] -= rate * dW
                b[q] -= rate * db
        return [np.concatenate([w, c], axis=2) for w, c in zip(W, b, strict=True)]

    return run
