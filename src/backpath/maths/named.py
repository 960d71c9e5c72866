"""Arrays by the notes' names: the values of a forward pass, and the gradients of all weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.maths.arrays import Array
from backpath.maths.notation import neuron_index, weight_index
from backpath.maths.values import Value


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def aligned(array: Array) -> Array:
    """The array, contiguous and at a multiple of 16 bytes, like every array that NumPy allocates; a copy if needed.

    Some versions of OpenBLAS round sums over other arrays, such as parts of a larger one, differently.
    """
    found = np.ascontiguousarray(array)
    return found if found.__array_interface__["data"][0] % 16 == 0 else found.copy()


def have_biases(layers: Sequence[Array], sizes: Sequence[int]) -> bool:
    """Whether arrays of the weights' shapes have a bias column."""
    return layers[0].shape[1] > sizes[0]


def weight_value(layers: Sequence[Array], sizes: Sequence[int], name: str) -> float:
    """The number for a weight's name in arrays of the weights' shapes."""
    layer, neuron, i = weight_index(name, sizes, have_biases(layers, sizes))
    return float(layers[layer - 1][neuron - 1, -1 if i is None else i - 1])


class ForwardPass(Value):
    """Every value of a forward pass, by name: ``run["H1"]``, ``run["u_A1"]``, ``run["X2"]``.

    A value is a float for a single input, an array of shape (N,) for a batch.

    Attributes
    ----------
    sizes : tuple of int
        Neurons by layer.
    single : bool
        Whether it is for one sample, not for a batch.
    net_inputs : tuple of arrays (N, neurons)
        u by layer, from layer 1.
    activations : tuple of arrays (N, neurons)
        a by layer, from the inputs (layer 0).
    output : array
        (outputs,) for a single input, (N, outputs) for a batch.
    """

    def __init__(self, sizes: tuple[int, ...], u: Sequence[Array], a: Sequence[Array], single: bool):
        self.sizes, self.single = sizes, single
        self.net_inputs = tuple(map(read_only, u))
        self.activations = tuple(map(read_only, (a[0].copy(), *a[1:])))  # a[0] may be the caller's

    def _parts(self) -> tuple[object, ...]:
        return self.sizes, self.net_inputs, self.activations, self.single

    @property
    def output(self) -> Array:
        """The outputs A, of shape (outputs,) for one sample and (N, outputs) for a batch."""
        return self.activations[-1][0] if self.single else self.activations[-1]

    def __getitem__(self, name: str) -> float | Array:
        """A value by its name.

        Parameters
        ----------
        name : str
            A neuron's for its output, as in ``run["H1"]``, and ``run["u_H1"]`` for its net input.

        Returns
        -------
        float or array
            A float for one sample, (N,) for a batch.

        Raises
        ------
        InputError
            If there is no such neuron.
        """
        net_input = isinstance(name, str) and name.startswith("u_") and not name.startswith("u_X")
        layer, neuron = neuron_index(name[2:] if net_input else name, self.sizes)
        values = self.net_inputs[layer - 1] if net_input else self.activations[layer]
        column: Array = values[:, neuron - 1]
        return float(column[0]) if self.single else column

    def __repr__(self) -> str:
        return f"ForwardPass({'-'.join(map(str, self.sizes))}, output={self.output.tolist()})"


class Gradients(Value):
    """∂C/∂W of every weight, by name: ``grad["W21_1"]``.

    Attributes
    ----------
    sizes : tuple of int
        Neurons by layer.
    layers : tuple of arrays
        The gradients by layer, in the weights' shapes: (neurons, inputs + 1), bias last; without biases
        (neurons, inputs).
    """

    def __init__(self, sizes: tuple[int, ...], layers: Sequence[Array]):
        self.sizes = sizes
        self.layers = tuple(map(read_only, layers))

    def _parts(self) -> tuple[object, ...]:
        return self.sizes, self.layers

    def __getitem__(self, name: str) -> float:
        """The gradient of a weight.

        Parameters
        ----------
        name : str
            The weight's name, as in ``grad["W21_1"]``.

        Returns
        -------
        float
            ∂C/∂W; for a batch, of the average cost.

        Raises
        ------
        InputError
            If there is no such weight.
        """
        return weight_value(self.layers, self.sizes, name)

    def __repr__(self) -> str:
        return f"Gradients({'-'.join(map(str, self.sizes))})"
