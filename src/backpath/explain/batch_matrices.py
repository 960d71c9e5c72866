"""The notes' batch matrix form: five matrices whose product is a layer's gradient."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.explain.backward import Backward
from backpath.maths.arrays import Array
from backpath.maths.backprop import with_bias
from backpath.maths.network import Network


@dataclass(frozen=True)
class BatchMatrices:
    """A layer's gradient as a product of matrices, which have one row per sample, except W and the gradient.

    ∂C/∂W = 1/N ((D W) ∘ S)ᵀ X; for the output layer ∂C/∂W = 1/N Dᵀ X.

    Attributes
    ----------
    layer : int
        The number of the layer, from 1.
    D : array (N, neurons of the layer above), for the output layer (N, outputs)
        ∂C/∂u; for the outputs 2 × u_cost × σ′(u_A1).
    W : array (neurons above, neurons) or None
        The weights above without the bias column, because no hidden neuron feeds a bias. The notes repeat its row for
        every sample. None for the output layer.
    S : array (N, neurons) or None
        σ′(u_H1), σ′(u_H2). None for the output layer.
    X : array (N, inputs + 1)
        The inputs of the layer, and the bias neuron's 1 if there is one.
    gradient : array (neurons, inputs + 1)
        ∂C/∂W from backpropagation.
    """

    layer: int
    D: Array
    W: Array | None
    S: Array | None
    X: Array
    gradient: Array

    def product(self) -> Array:
        """∂C/∂W from the matrices.

        Returns
        -------
        array
            Equal to ``gradient`` except for rounding.
        """
        return gradient_product(self.D, self.W, self.S, self.X)


def gradient_product(D: Array, W: Array | None, S: Array | None, X: Array) -> Array:
    delta = D if W is None or S is None else (D @ W) * S
    return delta.T @ X / len(X)


def batch_matrices(net: Network, numbers: Backward) -> tuple[BatchMatrices, ...]:
    """The matrices of every layer, layer 1 first."""
    last = len(net.weights)
    found = []
    for layer in range(1, last + 1):
        output = layer == last
        found.append(
            BatchMatrices(
                layer,
                numbers.delta[layer - 1 if output else layer],
                None if output else net.weights[layer][:, : net.sizes[layer]],
                None if output else numbers.slopes[layer - 1],
                with_bias(numbers.a[layer - 1]) if net.biases else numbers.a[layer - 1],
                numbers.gradients[layer - 1],
            )
        )
    return tuple(found)
