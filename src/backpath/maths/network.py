"""The network: forward pass, cost, gradients and update of its weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backpath.errors import DivergenceError
from backpath.maths import backprop
from backpath.maths.arrays import Array
from backpath.maths.checks import (
    check_activations,
    check_learning_rate,
    check_network_memory,
    check_seed,
    check_sizes,
    check_truth,
    float_type,
    weight_array,
)
from backpath.maths.costs import check_cost_fits, check_targets
from backpath.maths.initialisations import initialisation
from backpath.maths.named import ForwardPass, Gradients
from backpath.maths.network_weights import NetworkWeights
from backpath.maths.samples import as_inputs, as_targets, large_parts

PREDICT_ROWS = 10_000  # samples that ``predict`` processes at a time


class Network(NetworkWeights):
    """A fully connected network of any sizes, with a bias neuron in every layer but the last, or without any.

    a₀ = X,  u_l = W_l [a_(l-1) 1]ᵀ,  a_l = σ_l(u_l); the notes' network is ``Network((2, 2, 1))``.

    Parameters
    ----------
    sizes : sequence of int
        Neurons by layer, from the inputs to the outputs.
    activation : str
        σ of every layer, by its name in `backpath.maths.activations`.
    activations : str or sequence of str, optional
        σ of each layer, the hidden layers first; overrides ``activation``.
    init : str
        How to draw the weights, by its name in `backpath.maths.initialisations`.
    seed : int | None
        Seed for the weights; None draws different weights each time.
    biases : bool
        False for a network without bias neurons: u_l = W_l a_(l-1)ᵀ, without weights such as W1~_1.
    dtype : "float64" or "float32"
        The type of the weights and of all computations.

    Attributes
    ----------
    sizes : tuple of int
        Neurons by layer.
    activations : tuple of str
        σ by layer, without the inputs.
    weights : tuple of arrays
        Read-only, by layer: (neurons, inputs + 1), the bias last; without biases (neurons, inputs).
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

    __slots__ = ()

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
        check_network_memory(sizes, number)
        check_seed(seed)
        biases = check_truth(biases, "biases")
        draw, rng = initialisation(init), np.random.default_rng(seed)
        weights = [
            weight_array(draw(rng, (n_out, n_in + biases), n_in, n_out), layer, number, biases)
            for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), 1)
        ]
        self._set(sizes, names, weights)

    def explore(self, X: ArrayLike | None = None, y: ArrayLike | None = None, **options: Any) -> Any:
        """Open the network in the explorer; a notebook shows the page in the cell.

        Parameters
        ----------
        X : array_like, optional
            The inputs of samples, (N, inputs).
        y : array_like, optional
            Their targets, (N, outputs).
        **options : Any
            See `backpath.explore`.

        Returns
        -------
        Exploration
            ``network`` is the current network on the page; ``close()`` ends the session.

        Raises
        ------
        InputError
            If the samples do not fit the network.
        """
        import importlib  # the explorer is a higher layer, in the extra `explorer`

        return importlib.import_module("backpath.explorer.notebook").explore(self, X, y, **options)

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
            One sample (inputs,) or a batch (N, inputs). A long batch is processed in blocks, so that it needs little
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
            One of the costs of ``train``.

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
            One of the costs of ``train``.

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
            One of the costs of ``train``.

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
            One of the costs of ``train``.
        frozen : str or iterable of str
            Names of weights that are not updated; "biases" means all biases.

        Returns
        -------
        Network
            A new network; this one does not change.

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
                advice = "use a smaller learning rate" + (f", or standardise the {large}" if large else "")
                raise DivergenceError(1, layer, before if math.isfinite(before) else None, self, advice)
        return self._of(self.sizes, self.activations, weights)
