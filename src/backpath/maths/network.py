"""The network: sizes, activations and weights, which never change in place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backpath.errors import DivergenceError, InputError
from backpath.maths import backprop
from backpath.maths.activations import activation as activation_row
from backpath.maths.arrays import Array
from backpath.maths.checks import (
    check_activations,
    check_learning_rate,
    check_memory,
    check_seed,
    check_sizes,
    finite_number,
    float_type,
    weight_array,
)
from backpath.maths.costs import check_cost_fits, check_targets
from backpath.maths.given_layers import read_layers
from backpath.maths.initialisations import initialisation
from backpath.maths.named import ForwardPass, Gradients, have_biases, read_only, weight_value
from backpath.maths.notation import weight_index, weight_names
from backpath.maths.samples import as_inputs, as_targets, large_parts

PREDICT_ROWS = 10_000  # samples that ``predict`` takes through the network at a time


class Network:
    """A fully connected network of any sizes, with a bias neuron in every layer but the last, or without any.

    a₀ = X,  u_l = W_l [a_(l-1) 1]ᵀ,  a_l = σ_l(u_l); the notes' network is ``Network((2, 2, 1))``.

    Parameters
    ----------
    sizes : sequence of int
        Neurons by layer, from the inputs to the outputs.
    activation : str
        σ of every layer.
    activations : str or sequence of str, optional
        σ of each layer, the hidden layers first; takes the place of ``activation``.
    init : str
        How the weights are drawn (see ``backpath.maths.initialisations``).
    seed : int | None
        Which weights are drawn: the same for the same seed. None draws others each time.
    biases : bool
        False leaves out the bias neurons: u_l = W_l a_(l-1)ᵀ, and there is no weight W1~_1.
    dtype : "float64" or "float32"
        The type of the weights, and of all that is computed with them.

    Attributes
    ----------
    sizes : tuple of int
        Neurons by layer.
    activations : tuple of str
        σ by layer, without the inputs.
    weights : tuple of arrays
        Read-only, (neurons, inputs + 1) by layer, the bias last.
    weight_names : tuple of str
        The names of all weights in the order of the arrays; ``net["W11_1"]`` gives a weight's value.

    Raises
    ------
    InputError
        If the sizes, activations, initialisation, seed or dtype are not valid.

    Examples
    --------
    >>> net = Network((2, 2, 1), seed=0)
    >>> net.sizes, net.activations
    ((2, 2, 1), ('sigmoid', 'sigmoid'))
    >>> net.predict([[0, 1], [1, 1]]).shape
    (2, 1)
    >>> Network((2, 2, 1), biases=False).weight_names
    ('W11_1', 'W12_1', 'W21_1', 'W22_1', 'W11_2', 'W12_2')
    """

    __slots__ = ("_activations", "_printed", "_sizes", "_weights")
    _sizes: tuple[int, ...]
    _activations: tuple[str, ...]
    _weights: tuple[Array, ...]
    _printed: tuple[Array, ...] | None

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "sigmoid",
        *,
        activations: str | Sequence[str] | None = None,
        init: str = "glorot_uniform",
        seed: int | None = 0,
        biases: bool = True,
        dtype: DTypeLike = "float64",
    ):
        sizes, number = check_sizes(sizes), float_type(dtype)
        names = check_activations(activation if activations is None else activations, sizes)
        check_memory(sizes, number)
        check_seed(seed)
        draw, rng = initialisation(init), np.random.default_rng(seed)
        weights = [
            weight_array(draw(rng, (n_out, n_in + bool(biases)), n_in, n_out), layer, number, biases)
            for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), 1)
        ]
        self._set(sizes, names, weights)

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
    ) -> Network:
        """A network with these weights.

        Parameters
        ----------
        weights : sequence of array_like
            One array of shape (neurons, inputs + 1) per layer, the bias last; without biases (neurons, inputs). A
            weight may be a string as it was printed, "0.150": ``diagnose`` then knows how exact it is.
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
    def _of(cls, sizes: tuple[int, ...], activations: tuple[str, ...], weights: Iterable[Array]) -> Network:
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
        """Of weights that were given as strings, one unit of the last digit (0 of the others); None if none was."""
        return self._printed

    @property
    def biases(self) -> bool:
        """Whether there are bias neurons."""
        return have_biases(self._weights, self._sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the weights: float64 or float32."""
        return self._weights[0].dtype

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Every weight's name, in the order of the arrays."""
        return weight_names(self.sizes, self.biases)

    def __getitem__(self, name: str) -> float:
        return weight_value(self.weights, self.sizes, name)

    def explore(self, X: ArrayLike | None = None, y: ArrayLike | None = None, **options: Any) -> Any:
        """Open the network in the explorer; in a notebook the page is shown in the cell.

        Parameters
        ----------
        X, y : array_like, optional
            Samples, (N, inputs) and (N, outputs).
        **options : Any
            See ``backpath.explore``.

        Returns
        -------
        Exploration
            ``network`` is the network as the page has it now; ``close()`` ends it.

        Raises
        ------
        InputError
            If the samples do not fit the network.
        """
        import importlib  # the page is above this floor, and comes with the extra `explorer`

        return importlib.import_module("backpath.explorer.notebook").explore(self, X, y, **options)

    def replace(self, weights: Mapping[str, float]) -> Network:
        """The same network with some weights changed.

        Parameters
        ----------
        weights : mapping of str to float
            New values by weight name.

        Returns
        -------
        Network
            A new one; this one does not change.

        Raises
        ------
        InputError
            If there is no such weight, or a value is not a finite number.

        Examples
        --------
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

    def with_weights(self, weights: Sequence[Array]) -> Network:
        """The same sizes and activations with other weights.

        Parameters
        ----------
        weights : sequence of arrays
            In the shapes of ``self.weights``; they are copied.

        Returns
        -------
        Network
            A new one; this one does not change.

        Raises
        ------
        InputError
            If the shapes are others, or a weight is not finite.
        """
        arrays = [weight_array(W, layer, self.dtype, self.biases) for layer, W in enumerate(weights, 1)]
        if [W.shape for W in arrays] != [W.shape for W in self.weights]:
            raise InputError(
                f"weights must have the shapes {[W.shape for W in self.weights]}, not {[W.shape for W in arrays]}"
            )
        return self._of(self.sizes, self.activations, arrays)

    def with_finite(self, weights: Iterable[Array]) -> Network:
        """`with_weights` for arrays that are known to be finite and of the network's shapes and dtype.

        Parameters
        ----------
        weights : iterable of arrays
            They become the network's, and are not checked: nothing may write to them any more.

        Returns
        -------
        Network
            A new one.
        """
        return self._of(self.sizes, self.activations, map(np.ascontiguousarray, weights))

    def with_zero_biases(self) -> Network:
        """The same network with bias neurons whose weights are 0, if it has none.

        Returns
        -------
        Network
            This one, if it has bias neurons.

        Examples
        --------
        >>> Network((2, 2, 1), biases=False).with_zero_biases()["W1~_1"]
        0.0
        """
        if self.biases:
            return self
        wide = [np.column_stack([W, np.zeros(len(W), self.dtype)]) for W in self.weights]
        return self._of(self.sizes, self.activations, wide)

    def without_biases(self) -> Network:
        """The same network without its bias neurons, whatever their weights are.

        Returns
        -------
        Network
            A new one.
        """
        narrow = [W[:, :n].copy() for W, n in zip(self.weights, self.sizes, strict=False)]
        return self._of(self.sizes, self.activations, narrow)

    def thresholded(self) -> Network:
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
            If one has none, as the step of a threshold logic unit.
        """
        for layer, name in enumerate(self.activations, 1):
            if activation_row(name).no_derivative:
                raise InputError(f"layer {layer} cannot be trained: {activation_row(name).no_derivative}")

    def forward(self, X: ArrayLike) -> ForwardPass:
        """The forward pass: every net input and every output of a neuron, by name.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs).

        Returns
        -------
        ForwardPass
            ``run["u_H1"]``, ``run["H1"]``, ``run.output``.

        Raises
        ------
        InputError
            If X does not fit the network, or a number is not finite.

        Examples
        --------
        >>> run = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]]).forward([0, 1])
        >>> run["u_H1"], round(run["H1"], 6), run.output.shape
        (0.5, 0.622459, (1,))
        """
        inputs, single = as_inputs(X, self.sizes[0], self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            u, a = backprop.forward(self.weights, self.activations, inputs)
        return ForwardPass(self.sizes, u, a, single)

    def predict(self, X: ArrayLike) -> Array:
        """The outputs A.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs). A long batch goes through in blocks, so that it takes little
            more memory than its outputs.

        Returns
        -------
        array
            (outputs,) for one sample, (N, outputs) for a batch.

        Raises
        ------
        InputError
            If X does not fit the network, or a number is not finite.
        """
        inputs, single = as_inputs(X, self.sizes[0], self.dtype)
        A = np.empty((len(inputs), self.sizes[-1]), dtype=self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(inputs), PREDICT_ROWS):
                block = slice(start, start + PREDICT_ROWS)
                A[block] = backprop.forward(self.weights, self.activations, inputs[block])[1][-1]
        return A[0] if single else A

    def samples(self, X: ArrayLike, y: ArrayLike, cost: str) -> tuple[Array, Array]:
        """X and y as arrays, checked against the network and the cost.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs).
        y : array_like
            Its targets, (outputs,) or (N, outputs); for one output a number or (N,).
        cost : str
            One of the costs that ``train`` knows.

        Returns
        -------
        X, y : arrays
            (N, inputs) and (N, outputs), in the network's dtype.

        Raises
        ------
        InputError
            If they do not fit the network, or the targets do not fit the cost.
        """
        check_cost_fits(cost, self.activations[-1])
        inputs, single = as_inputs(X, self.sizes[0], self.dtype)
        targets = as_targets(y, len(inputs), self.sizes[-1], single, self.dtype)
        check_targets(cost, targets)
        return inputs, targets

    def cost(self, X: ArrayLike, y: ArrayLike, cost: str = "squared_error") -> float:
        """Avg Cost = 1/N Σ C: averaged over the samples, summed over the outputs.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs).
        y : array_like
            Its targets, (outputs,) or (N, outputs); for one output a number or (N,).
        cost : str
            One of the costs that ``train`` knows.

        Returns
        -------
        float
            The cost.

        Raises
        ------
        InputError
            If the samples do not fit the network, or the targets do not fit the cost.

        Examples
        --------
        >>> Network((2, 2, 1), seed=0).cost([[0, 1], [1, 1]], [[1], [0]]) > 0
        True
        """
        inputs, targets = self.samples(X, y, cost)
        with np.errstate(over="ignore", invalid="ignore"):
            u, a = backprop.forward(self.weights, self.activations, inputs)
            return backprop.batch_cost(cost, u[-1], a[-1], targets)

    def gradients(self, X: ArrayLike, y: ArrayLike, cost: str = "squared_error") -> Gradients:
        """∂C/∂W of every weight, for the average cost of the batch.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs).
        y : array_like
            Its targets, (outputs,) or (N, outputs); for one output a number or (N,).
        cost : str
            One of the costs that ``train`` knows.

        Returns
        -------
        Gradients
            ``grad["W11_1"]`` by name, ``grad.layers`` as arrays of the weights' shapes.

        Raises
        ------
        InputError
            If the samples do not fit the network or the cost, or an activation has no derivative.

        Examples
        --------
        >>> grad = Network((2, 2, 1), seed=0).gradients([0, 1], [1])
        >>> grad["W11_1"], grad.layers[0].shape
        (0.0, (2, 3))
        """
        self.check_trainable()
        inputs, targets = self.samples(X, y, cost)
        with np.errstate(over="ignore", invalid="ignore"):
            u, a = backprop.forward(self.weights, self.activations, inputs)
            delta = backprop.deltas(self.weights, self.activations, cost, u, a, targets)
            return Gradients(self.sizes, backprop.gradients(delta, a, self.biases))

    def step(
        self,
        X: ArrayLike,
        y: ArrayLike,
        learning_rate: float = 0.5,
        cost: str = "squared_error",
        frozen: str | Iterable[str] = (),
    ) -> Network:
        """One update of every weight that is not frozen: W = W - η ∂C/∂W.

        Parameters
        ----------
        X : array_like
            One sample (inputs,) or a batch (N, inputs).
        y : array_like
            Its targets, (outputs,) or (N, outputs); for one output a number or (N,).
        learning_rate : float
            η
        cost : str
            One of the costs that ``train`` knows.
        frozen : str or iterable of str
            Names of weights that stay as they are; "biases" stands for all biases.

        Returns
        -------
        Network
            A new one; this one does not change.

        Raises
        ------
        InputError
            If the samples, the learning rate or the names are not valid.
        DivergenceError
            If a weight stops being finite.

        Examples
        --------
        >>> net = Network((2, 2, 1), seed=0)
        >>> net.step([0, 1], [1], learning_rate=0.5).cost([0, 1], [1]) < net.cost([0, 1], [1])
        True
        """
        learning_rate = check_learning_rate(learning_rate)
        free = self.free_weights(frozen)
        gradient = self.gradients(X, y, cost).layers
        with np.errstate(over="ignore", invalid="ignore"):
            updated = backprop.update(self.weights, gradient, learning_rate)
        weights = [np.where(mask, new, W) for mask, new, W in zip(free, updated, self.weights, strict=True)]
        for layer, W in enumerate(weights, 1):
            if not np.isfinite(W).all():
                before, large = self.cost(X, y, cost), large_parts(*self.samples(X, y, cost))
                advice = "take a smaller learning rate" + (f", or standardise the {large}" if large else "")
                raise DivergenceError(1, layer, before if math.isfinite(before) else None, self, advice)
        return self._of(self.sizes, self.activations, weights)

    def free_weights(self, frozen: str | Iterable[str] = ()) -> list[NDArray[np.bool_]]:
        """Which weights training may change.

        Parameters
        ----------
        frozen : str or iterable of str
            Names of weights that stay as they are; "biases" stands for all biases.

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
        return f"Network({'-'.join(map(str, self.sizes))}, {kinds}, {count} weights{bare}, {self.dtype})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return ((self.sizes, self.activations, self.dtype) == (other.sizes, other.activations, other.dtype)) and all(
            np.array_equal(mine, theirs) for mine, theirs in zip(self.weights, other.weights, strict=True)
        )

    def __hash__(self) -> int:
        return hash(
            (self.sizes, self.activations, *((W + 0.0).tobytes() for W in self.weights))
        )  # -0 as 0, for they are equal

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_weights, (self.weights, self.activations, self.dtype.name, self.biases)
