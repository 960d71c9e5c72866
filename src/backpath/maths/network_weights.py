"""The immutable part of a network: sizes, activations and weights, and networks derived from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backpath.errors import InputError
from backpath.maths.activations import activation as activation_row
from backpath.maths.arrays import Array
from backpath.maths.checks import check_activations, check_sizes, finite_number, weight_array
from backpath.maths.given_layers import read_layers
from backpath.maths.named import aligned, have_biases, read_only, weight_value
from backpath.maths.notation import weight_index, weight_names


class NetworkWeights:
    """The layers of a network, without what it computes (see ``backpath.maths.network``)."""

    __slots__ = ("_activations", "_printed", "_sizes", "_weights")
    _sizes: tuple[int, ...]
    _activations: tuple[str, ...]
    _weights: tuple[Array, ...]
    _printed: tuple[Array, ...] | None

    def _set(self, sizes: tuple[int, ...], activations: tuple[str, ...], weights: Iterable[Array]) -> None:
        self._sizes, self._activations = sizes, activations
        self._weights = tuple(map(read_only, weights))
        self._printed = None

    @classmethod
    def from_weights(
        cls,
        weights: Sequence[ArrayLike],
        activations: str | Sequence[str] = "sigmoid",
        dtype: DTypeLike | None = None,
        biases: bool | None = None,
    ) -> Self:
        """A network with these weights.

        Parameters
        ----------
        weights : sequence of array_like
            One array of shape (neurons, inputs + 1) per layer, the bias last; without biases (neurons, inputs). A
            weight may be a printed string, "0.150"; ``diagnose`` then uses its precision.
        activations : str or sequence of str
            One name for all layers, or one per layer.
        dtype : "float64" or "float32", optional
            By default float32 if all the arrays are, else float64.
        biases : bool, optional
            Whether the arrays have a bias column. By default the shapes decide; a single layer has one.

        Returns
        -------
        Network
            With copies of the arrays.

        Raises
        ------
        InputError
            If the arrays do not fit each other, or a weight is not a finite number.

        Examples
        --------
        >>> from backpath import Network
        >>> net = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]], activations="sigmoid")
        >>> net["W21_1"], net["W1~_2"]
        (0.4, 0.9)
        """
        arrays, units, biases = read_layers(weights, dtype, biases)
        sizes = (arrays[0].shape[1] - biases, *(len(W) for W in arrays))
        found = cls._of(check_sizes(sizes), check_activations(activations, sizes), arrays)
        found._printed = units
        return found

    @classmethod
    def _of(cls, sizes: tuple[int, ...], activations: tuple[str, ...], weights: Iterable[Array]) -> Self:
        network = cls.__new__(cls)
        network._set(sizes, activations, weights)
        return network

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons by layer, from the inputs to the outputs."""
        return self._sizes

    @property
    def activations(self) -> tuple[str, ...]:
        """σ of each layer, the hidden layers first."""
        return self._activations

    @property
    def weights(self) -> tuple[Array, ...]:
        """Read-only arrays of shape (neurons, inputs + 1), bias last, by layer; without biases (neurons, inputs)."""
        return self._weights

    @property
    def printed(self) -> tuple[Array, ...] | None:
        """One unit of the last digit of each weight given as a string (0 for the others); None if there are none."""
        return self._printed

    @property
    def biases(self) -> bool:
        """Whether there are bias neurons."""
        return have_biases(self._weights, self._sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the weights, float64 or float32."""
        return self._weights[0].dtype

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Every weight's name, in the order of the arrays."""
        return weight_names(self.sizes, self.biases)

    def __getitem__(self, name: str) -> float:
        """A weight by its name.

        Parameters
        ----------
        name : str
            ``net["W21_1"]`` is the weight of layer 1 to neuron 2 from input 1, ``net["W2~_1"]`` that from the bias
            neuron. Indices of two digits have a comma, as in ``net["W12,3_1"]``.

        Returns
        -------
        float
            The weight.

        Raises
        ------
        InputError
            If there is no such weight.
        """
        return weight_value(self.weights, self.sizes, name)

    def replace(self, weights: Mapping[str, float]) -> Self:
        """The same network with some weights changed.

        Parameters
        ----------
        weights : mapping of str to float
            New values by weight name.

        Returns
        -------
        Network
            A new network; this one does not change.

        Raises
        ------
        InputError
            If there is no such weight, or a value is not a finite number.

        Examples
        --------
        >>> from backpath import Network
        >>> Network((2, 2, 1)).replace({"W21_1": 0.25})["W21_1"]
        0.25
        """
        if not isinstance(weights, Mapping):
            raise InputError(f"replace takes weights by name, as in {{'W11_1': 0.1}}, but got {type(weights).__name__}")
        arrays = [W.copy() for W in self.weights]
        for name, value in weights.items():
            layer, neuron, i = weight_index(name, self.sizes, self.biases)
            arrays[layer - 1][neuron - 1, -1 if i is None else i - 1] = finite_number(value, name, self.dtype)
        return self.with_weights(arrays)

    def with_weights(self, weights: Sequence[Array]) -> Self:
        """The same sizes and activations with other weights.

        Parameters
        ----------
        weights : sequence of arrays
            In the shapes of ``self.weights``; they are copied.

        Returns
        -------
        Network
            A new network; this one does not change.

        Raises
        ------
        InputError
            If the shapes differ, or a weight is not finite.
        """
        arrays = [weight_array(W, layer, self.dtype, self.biases) for layer, W in enumerate(weights, 1)]
        if [W.shape for W in arrays] != [W.shape for W in self.weights]:
            raise InputError(
                f"weights must have the shapes {[W.shape for W in self.weights]}, not {[W.shape for W in arrays]}"
            )
        return self._of(self.sizes, self.activations, arrays)

    def with_finite(self, weights: Iterable[Array]) -> Self:
        """`with_weights` for arrays that are known to be finite and of the network's shapes and dtype.

        Parameters
        ----------
        weights : iterable of arrays
            They are used without a check, and without a copy if they are aligned; do not write to them afterwards.

        Returns
        -------
        Network
            A new one.
        """
        return self._of(self.sizes, self.activations, map(aligned, weights))

    def with_zero_biases(self) -> Self:
        """The same network with bias neurons whose weights are 0, if it has none.

        Returns
        -------
        Network
            This network itself if it has bias neurons.

        Examples
        --------
        >>> from backpath import Network
        >>> Network((2, 2, 1), biases=False).with_zero_biases()["W1~_1"]
        0.0
        """
        if self.biases:
            return self
        wide = [np.column_stack([W, np.zeros(len(W), self.dtype)]) for W in self.weights]
        return self._of(self.sizes, self.activations, wide)

    def without_biases(self) -> Self:
        """The same network without its bias neurons, regardless of their weights.

        Returns
        -------
        Network
            A new one.
        """
        narrow = [W[:, :n].copy() for W, n in zip(self.weights, self.sizes, strict=False)]
        return self._of(self.sizes, self.activations, narrow)

    def thresholded(self) -> Self:
        """The same network made of threshold logic units: every sigmoid becomes a step (σ(u) ≥ ½ just where u ≥ 0).

        Returns
        -------
        Network
            A new one.

        Raises
        ------
        InputError
            If a neuron is neither a sigmoid nor a step.

        Examples
        --------
        >>> from backpath import Network
        >>> Network((2, 2, 1)).thresholded().activations
        ('step', 'step')
        """
        other = sorted(set(self.activations) - {"sigmoid", "step"})
        if other:
            raise InputError(f"only sigmoid neurons can become threshold logic units, but the network has {other[0]}")
        return self._of(self.sizes, ("step",) * len(self.activations), self.weights)

    def check_trainable(self) -> None:
        """Check that every activation has a derivative.

        Raises
        ------
        InputError
            If one does not, such as the step of a threshold logic unit.
        """
        for layer, name in enumerate(self.activations, 1):
            if activation_row(name).no_derivative:
                raise InputError(f"layer {layer} cannot be trained: {activation_row(name).no_derivative}")

    def free_weights(self, frozen: str | Iterable[str] = ()) -> list[NDArray[np.bool_]]:
        """Masks of the weights that training may change.

        Parameters
        ----------
        frozen : str or iterable of str
            Names of weights that are not updated; "biases" means all biases.

        Returns
        -------
        list of bool arrays
            In the weights' shapes: False where a weight is frozen.

        Raises
        ------
        InputError
            If there is no such weight.
        """
        masks = [np.ones(W.shape, dtype=bool) for W in self.weights]
        if not isinstance(frozen, Iterable):
            raise InputError(f"frozen must be weight names, or 'biases', but is {frozen!r}")
        for name in (frozen,) if isinstance(frozen, str) else frozen:
            if name == "biases":
                for mask, inputs in zip(masks, self.sizes, strict=False):
                    mask[:, inputs:] = False
            else:
                layer, neuron, i = weight_index(name, self.sizes, self.biases)
                masks[layer - 1][neuron - 1, -1 if i is None else i - 1] = False
        return masks

    def __repr__(self) -> str:
        kinds = self.activations[0] if len(set(self.activations)) == 1 else ", ".join(self.activations)
        count = sum(W.size for W in self.weights)
        bare = "" if self.biases else ", no biases"
        return f"{type(self).__name__}({'-'.join(map(str, self.sizes))}, {kinds}, {count} weights{bare}, {self.dtype})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkWeights):
            return NotImplemented
        return ((self.sizes, self.activations, self.dtype) == (other.sizes, other.activations, other.dtype)) and all(
            np.array_equal(mine, theirs) for mine, theirs in zip(self.weights, other.weights, strict=True)
        )

    def __hash__(self) -> int:
        return hash(
            (self.sizes, self.activations, *((W + 0.0).tobytes() for W in self.weights))
        )  # -0 as 0, because they are equal

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_weights, (self.weights, self.activations, self.dtype.name, self.biases)
