"""Predictions with the native kernels: one row in the calling thread, or many rows on all cores."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.families import NOT_COMPILED
from backpath.maths.network import Network
from backpath.maths.samples import as_inputs
from backpath.training.engines.layout import lay_out_prediction
from backpath.training.job import with_bias_columns
from backpath.training.native.calls import STEP_BYTES, CPlan, CTraining
from backpath.training.native.library import address, buffer, kernels, why_no_kernels
from backpath.training.threads import shared, team_of, threads_for

_BLOCK = 1024  # rows that a thread processes at a time
SHARED_ROWS = 200_000  # products; with more, sharing the rows is faster


def predict(net: Network, X: ArrayLike, *, threads: int | None = None) -> Array:
    """The outputs A of a network, computed by the native kernels; the last digits may differ from `Network.predict`.

    Parameters
    ----------
    net : Network
        The network that predicts.
    X : array_like
        One sample (inputs,) or a batch (N, inputs).
    threads : int | None
        The maximum number of threads (see `train`).

    Returns
    -------
    array
        (outputs,) for one sample, (N, outputs) for a batch.

    Raises
    ------
    InputError
        If ``net`` is no Network, X does not fit it or is not finite, or ``threads`` is not valid.

    Examples
    --------
    >>> net = Network((2, 2, 1), seed=0)
    >>> X = [[0, 1], [1, 1]]
    >>> predict(net, X).shape, bool(np.allclose(predict(net, X), net.predict(X), rtol=1e-14))
    ((2, 1), True)
    """
    if not isinstance(net, Network):
        raise InputError(f"net must be a Network, but is of type {type(net).__name__}")
    known = Predictor.of(net)
    return net.predict(X) if known is None else known(X, threads)


def outputs(weights: Sequence[Array], activations: Sequence[str], X: Array) -> tuple[Array, Array]:
    """The net inputs and the activations (N, neurons) of the output layer, by the kernels where they can.

    Unlike BLAS, they give the same bits on every machine, and leave no thread that spins after the call.
    """
    has_biases = weights[0].shape[1] > X.shape[1]
    if not (has_biases and isinstance(X, np.ndarray) and _has_kernels(activations[:-1])):
        u, a = backprop.forward(weights, activations, X)
        return u[-1], a[-1]
    net_inputs = Predictor(weights, (*activations[:-1], "identity"))(X)
    return net_inputs, activation(activations[-1]).value(net_inputs)


def _has_kernels(activations: Sequence[str]) -> bool:
    rows = map(activation, activations)
    return not why_no_kernels() and all(not row.no_derivative and row.code != NOT_COMPILED for row in rows)


def largest_output(net: Network, largest_input: float) -> float:
    """An upper bound of the outputs for inputs up to that size, in exact arithmetic; infinite if there is none.

    >>> net = Network.from_weights([[[2.0, -1.0, 0.5]]], "identity")
    >>> largest_output(net, 10), abs(float(net.predict([10, -10])[0]))
    (31.5, 30.5)
    """
    largest = largest_input
    for W, name in zip(net.weights, net.activations, strict=True):
        inputs, bias = (W[:, :-1], W[:, -1]) if net.biases else (W, np.zeros(len(W)))
        with np.errstate(over="ignore", invalid="ignore"):
            u = float((np.abs(inputs).sum(axis=1, dtype=np.float64) * largest + np.abs(bias)).max())
        bounded = name in ("sigmoid", "tanh", "softmax", "step")
        largest = 1.0 if bounded else math.exp(min(u, 709.0)) if name == "exp" else u + 1
    return largest


class Predictor:
    """A network laid out for the kernels."""

    _last: tuple[Network, Predictor] | None = None

    @classmethod
    def of(cls, net: Network) -> Predictor | None:
        """The layout of a network, cached until another network's is needed; None if NumPy must be used."""
        last = cls._last
        if last is not None and last[0] is net:
            return last[1]
        if not _has_kernels(net.activations):
            return None
        found = cls(with_bias_columns(net, None)[0].weights, net.activations)
        cls._last = net, found
        return found

    def __init__(self, weights: Sequence[Array], activations: Sequence[str]):
        self.inputs, self.outputs, self.dtype = weights[0].shape[1] - 1, len(weights[-1]), weights[0].dtype
        layout = lay_out_prediction((self.inputs, *map(len, weights)), activations, self.dtype.itemsize)
        self._kernels = kernels(self.dtype)
        self._flat = layout.flat(weights, self.dtype)
        self._layers, self._plan = layout.layers, CPlan.from_buffer_copy(layout.plan)
        self._plan.block = _BLOCK
        self._weights = address(self._flat, self.dtype, layout.weights)
        self._products = layout.weights / (STEP_BYTES // self.dtype.itemsize)  # products per row, in vectors
        self.slot = self._plan.slot
        self.places = ctypes.addressof(self._plan), None, address(self._layers, np.int64, self._layers.size)
        self._workspaces: list[Workspace] = []  # the unused ones

    def __call__(self, X: ArrayLike, threads: int | None = None) -> Array:
        rows, single = as_inputs(X, self.inputs, self.dtype)
        rows = np.ascontiguousarray(rows)
        count = len(rows)
        A = np.empty((count, self.outputs), self.dtype)
        members = 1
        if threads is not None or count * self._products >= SHARED_ROWS:
            members = min(threads_for(threads), -(-count // _BLOCK))
        workspace = self._workspaces.pop() if members <= 1 and self._workspaces else Workspace(self, members)
        workspace.training.X = rows.__array_interface__["data"][0]
        outputs, at = A.__array_interface__["data"][0], workspace.place
        if members <= 1:
            self._kernels.predict(at, self._weights, count, outputs, None)
            self._workspaces.append(workspace)
        else:
            team = team_of(members)
            kept = self, rows, A, workspace, team
            work = partial(self._share, at, count, outputs, ctypes.addressof(team), kept)
            shared(partial(self._kernels.begin_predicting, at, count, ctypes.addressof(team)), work, members)
        return A[0] if single else A

    def _share(self, training: int, count: int, outputs: int, team: int, kept: object) -> None:
        """One thread's share of the rows; ``kept`` stays alive until the last thread has finished."""
        self._kernels.predict(training, self._weights, count, outputs, team)


class Workspace:
    """The working memory of one call, and the kernels' arguments."""

    def __init__(self, of: Predictor, members: int):
        self._memory = buffer(members * of.slot, of.dtype)
        self.training = CTraining(*of.places, address(self._memory, of.dtype, members * of.slot))
        self.place = ctypes.addressof(self.training)
