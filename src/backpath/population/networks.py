"""Populations: many networks of the same sizes, with their weights side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import check_activations, check_seed, check_sizes, float_type, weight_array
from backpath.maths.initialisations import draw_many, initialisation
from backpath.maths.named import read_only
from backpath.maths.network import Network
from backpath.maths.notation import weight_index, weight_names
from backpath.maths.values import Value
from backpath.population.memory import check_population_memory, memory_needed


class Population(Value):
    """Networks with the same sizes and activations, each with its own weights.

    Parameters
    ----------
    sizes, activation, activations, dtype : see `backpath.Network`
        As for one network; the same for all networks.
    size : int
        The number of networks.
    init : str
        How to draw the weights, by its name in `backpath.maths.initialisations`.
    seed : int | None
        The weights of network i depend only on the seed, the sizes, the initialisation and i, not on ``size``.
        None draws different weights each time.

    Raises
    ------
    InputError
        If the settings are not valid, or the networks do not fit into memory.

    Examples
    --------
    >>> population = Population((2, 2, 1), size=1000, init="uniform:-1,1", seed=0)
    >>> population[7] == Population((2, 2, 1), size=8, init="uniform:-1,1", seed=0)[7]
    True
    >>> population["W11_1"].shape, population.weights[0].shape
    ((1000,), (1000, 2, 3))
    """

    __slots__ = ("_activations", "_lanes", "_sizes")
    _sizes: tuple[int, ...]
    _activations: tuple[str, ...]
    _lanes: Array

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "sigmoid",
        *,
        size: int,
        activations: str | Sequence[str] | None = None,
        init: str = "glorot_uniform",
        seed: int | None = 0,
        dtype: DTypeLike = "float64",
    ):
        sizes, number = check_sizes(sizes), float_type(dtype)
        names = check_activations(activation if activations is None else activations, sizes)
        check_population_memory(memory_needed(sizes, size, dtype=number), size, sizes)
        check_seed(seed)
        initialisation(init)
        self._set(sizes, names, draw_many(sizes, size, init, seed, number))

    def _set(self, sizes: tuple[int, ...], activations: tuple[str, ...], lanes: Array) -> None:
        self._sizes, self._activations, self._lanes = sizes, activations, read_only(lanes)

    @classmethod
    def of(cls, networks: Iterable[Network]) -> Population:
        """The population of these networks.

        Parameters
        ----------
        networks : iterable of Network
            All with the same sizes, activations and dtype, and with biases.

        Returns
        -------
        Population
            With copies of their weights.

        Raises
        ------
        InputError
            If they differ or have no biases, or if there are none.

        Examples
        --------
        >>> len(Population.of([Network((2, 2, 1), seed=s) for s in range(3)]))
        3
        """
        members = list(networks)
        if not members or not all(isinstance(net, Network) for net in members):
            raise InputError("a population needs at least one network, and nothing but networks")
        if not all(net.biases for net in members):
            raise InputError("a population needs networks with biases; use with_zero_biases(), and frozen='biases'")
        kinds = {(net.sizes, net.activations, net.dtype) for net in members}
        if len(kinds) > 1:
            raise InputError("the networks of a population must have the same sizes, activations and dtype")
        columns = [np.concatenate([W.ravel() for W in net.weights]) for net in members]
        return cls.from_lanes(members[0].sizes, members[0].activations, np.ascontiguousarray(np.array(columns).T))

    @classmethod
    def from_weights(cls, weights: Sequence[ArrayLike], activations: str | Sequence[str] = "sigmoid") -> Population:
        """The population with these weights.

        Parameters
        ----------
        weights : sequence of array_like
            One array of shape (networks, neurons, inputs + 1) per layer.
        activations : str or sequence of str
            One name for all layers, or one per layer.

        Returns
        -------
        Population
            With copies of the arrays.

        Raises
        ------
        InputError
            If the shapes of the arrays do not match.

        Examples
        --------
        >>> population = Population((2, 2, 1), size=3)
        >>> Population.from_weights(population.weights)[2] == population[2]
        True
        """
        arrays = [np.asanyarray(W) for W in weights]  # keeps masked arrays, which are refused
        if not arrays or any(W.ndim != 3 or len(W) != len(arrays[0]) or not len(W) for W in arrays):
            raise InputError(
                "weights must be one array of shape (networks, neurons, inputs + 1) per layer, of equal lengths"
            )
        first = Network.from_weights([W[0] for W in arrays], activations, biases=True)  # checks how the layers fit
        columns = [weight_array(W.reshape(len(W), -1), layer, first.dtype).T for layer, W in enumerate(arrays, 1)]
        return cls.from_lanes(first.sizes, first.activations, np.concatenate(columns))

    @classmethod
    def from_lanes(cls, sizes: tuple[int, ...], activations: tuple[str, ...], lanes: Array) -> Population:
        """The population with these ``lanes``, which are neither copied nor checked.

        Parameters
        ----------
        sizes, activations : tuples
            The population's.
        lanes : array
            All weights, (weights, networks).

        Returns
        -------
        Population
            Around that array.
        """
        population = cls.__new__(cls)
        population._set(sizes, activations, lanes)
        return population

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons by layer, of each network."""
        return self._sizes

    @property
    def activations(self) -> tuple[str, ...]:
        """σ of each layer, the hidden layers first."""
        return self._activations

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the weights, float64 or float32."""
        return self._lanes.dtype

    @property
    def lanes(self) -> Array:
        """All weights, read-only, of shape (weights, networks), the rows in the order of ``weight_names``."""
        return self._lanes

    @property
    def weights(self) -> tuple[Array, ...]:
        """Read-only arrays of shape (networks, neurons, inputs + 1), bias last, by layer."""
        found, row = [], 0
        for n_in, n_out in itertools.pairwise(self.sizes):
            layer = self._lanes[row : row + n_out * (n_in + 1)]
            found.append(layer.reshape(n_out, n_in + 1, len(self)).transpose(2, 0, 1))
            row += len(layer)
        return tuple(found)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Every weight's name, in the order of the rows of ``lanes``."""
        return weight_names(self.sizes)

    def _parts(self) -> tuple[object, ...]:
        return self.sizes, self.activations, self.lanes

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_lanes, self._parts()

    def __len__(self) -> int:
        return self._lanes.shape[1]

    @overload
    def __getitem__(self, key: int) -> Network: ...
    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any]) -> Population: ...
    def __getitem__(self, key: int | str | slice | NDArray[Any]) -> Network | Array | Population:
        """One network, one weight of all networks by its name, or the networks of a slice, mask or array of numbers.

        Parameters
        ----------
        key : int, str, slice or array
            ``population[7]`` is network 7, counted from 0; ``population["W11_1"]`` that weight of every network.

        Returns
        -------
        Network, array (networks,) or Population
            For a number, a weight's name, or several networks.

        Raises
        ------
        InputError
            If there is no such weight, or no network is selected.
        """
        if isinstance(key, str):
            layer, neuron, i = weight_index(key, self.sizes)
            return self.weights[layer - 1][:, neuron - 1, -1 if i is None else i - 1]
        if isinstance(key, (int, np.integer)):
            return Network.from_weights([W[key] for W in self.weights], self.activations)
        picked = np.ascontiguousarray(self._lanes[:, key])
        if not picked.size:
            raise InputError(f"a population must have at least one network, but none of the {len(self):,} is selected")
        return self.from_lanes(self.sizes, self.activations, picked)

    def __repr__(self) -> str:
        kinds = self.activations[0] if len(set(self.activations)) == 1 else ", ".join(self.activations)
        return f"Population({len(self):,} networks {'-'.join(map(str, self.sizes))}, {kinds}, {self.dtype})"
