"""All numbers of an explanation, computed once by ``maths.backprop`` for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function
from backpath.maths.network import Network
from backpath.maths.notation import neuron_name
from backpath.maths.values import Value


@dataclass(frozen=True, eq=False)
class Backward(Value):
    """A forward and a backward pass; lists are by layer, and arrays have one row per sample.

    Attributes
    ----------
    x, y : (N, inputs), (N, outputs)
    costs : C of every output, (N, outputs)
    u, slopes, delta : u, σ′(u) and ∂C/∂u, from layer 1
    a : the activations, from the inputs (layer 0)
    dC_da : ∂C/∂a, from layer 1; for the outputs ∂C/∂A, which is used only if it is a factor
    gradients : ∂C/∂W averaged over the batch, in the weights' shapes, from layer 1
    """

    x: Array
    y: Array
    costs: Array
    u: Sequence[Array]
    a: Sequence[Array]
    slopes: Sequence[Array]
    delta: Sequence[Array]
    dC_da: Sequence[Array]
    gradients: Sequence[Array]


def in_float64(net: Network) -> Network:
    """The same network in float64, the number type of all explanations."""
    return net if net.dtype == np.float64 else Network.from_weights(net.weights, net.activations, "float64", net.biases)


def backward(net: Network, x: ArrayLike, y: ArrayLike, cost: str) -> Backward:
    """Both passes for one sample or a batch; InputError if anything in them is not finite."""
    net.check_trainable()
    inputs, targets = net.samples(x, y, cost)
    with np.errstate(all="ignore"):
        u, a = backprop.forward(net.weights, net.activations, inputs)
        _check_finite(net, "the forward pass overflows: the net input of", u)
        _check_finite(net, "the forward pass overflows:", a[1:])
        costs = cost_function(cost).value(u[-1], a[-1], targets)
        if not np.isfinite(costs.sum()):
            raise InputError("the cost is not finite; use smaller inputs, weights or targets")
        delta = backprop.deltas(net.weights, net.activations, cost, u, a, targets)
        dC_da: list[Array] = [d @ W[:, :n] for d, W, n in zip(delta[1:], net.weights[1:], net.sizes[1:], strict=False)]
        dC_da.append(cost_function(cost).derivative(u[-1], a[-1], targets))
        gradients = backprop.gradients(delta, a, net.biases)
        slopes = [activation(name).derivative(values) for name, values in zip(net.activations, u, strict=True)]
    _check_finite(net, "backpropagation overflows: the δ of", delta)
    _check_finite(net, "backpropagation overflows: the gradients of", [g.T for g in gradients])
    return Backward(inputs, targets, costs, u, a, slopes, delta, dC_da, gradients)


def _check_finite(net: Network, what: str, values: Sequence[Array]) -> None:
    for layer, array in enumerate(values, 1):
        if not np.isfinite(array).all():
            neuron = int(np.argwhere(~np.isfinite(array))[0][-1]) + 1
            name = neuron_name(layer, neuron, len(net.sizes) - 1)
            raise InputError(f"{what} {name} is not finite; use smaller inputs or weights")
