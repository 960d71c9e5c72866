"""A training job for an engine: validated, with all choices made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.checks import as_given, check_learning_rate, check_number
from backpath.maths.costs import cost_function
from backpath.maths.families import NOT_COMPILED
from backpath.maths.network import Network
from backpath.maths.unknown import unknown
from backpath.training.bayesian import Bayesian
from backpath.training.native.calls import SOLVER_CODES
from backpath.training.state import Stateful

Masks = list[NDArray[np.bool_]]

_PATIENCE = 10  # epochs without an improvement of `tol` after which `train` stops
LEARNING_RATES = {"gd": 0.5, "momentum": 0.1, "adam": 0.01}
SOLVERS = (*LEARNING_RATES, "lm")
REMEMBERED = {"gd": 0, "momentum": 1, "adam": 2, "lm": 0}  # numbers that a solver stores per weight


@dataclass(frozen=True)
class Solver:
    """How a gradient becomes an update.

    | name         | update                                                                              |
    |--------------|-------------------------------------------------------------------------------------|
    | ``gd``       | W = W - η ∂C/∂W (the notes)                                                         |
    | ``momentum`` | v = μ v - η ∂C/∂W,  W = W + v; with ``nesterov`` W = W + μ v - η ∂C/∂W              |
    | ``adam``     | m = β₁ m + (1-β₁) g,  v = β₂ v + (1-β₂) g²,  W = W - η √(1-β₂ᵗ)/(1-β₁ᵗ) m / (√v + ε) |
    |              | AdamW, with ``decay`` λ: the same from (1 - η λ) W instead of W, except for biases    |
    | ``lm``       | W = W - (Jᵀ J + μ I)⁻¹ Jᵀ e, μ by the gain ratio (see ``engines.lm``); it has no η          |
    """

    name: str
    learning_rate: float
    momentum: float = 0.9
    nesterov: bool = False
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0

    @classmethod
    def checked(cls, name: str, learning_rate: float | None, momentum: float = 0.9) -> Solver:
        """The solver of this name, with its default learning rate if none is given."""
        if name not in SOLVERS:
            raise unknown("solver", name, SOLVERS)
        if name == "lm":
            if learning_rate is not None:
                raise InputError("lm chooses its step lengths; leave learning_rate out", "learning_rate")
            return cls(name, 0.0)
        rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
        return cls(name, check_learning_rate(rate), momentum=check_number(momentum, "momentum", least=0, below=1))


class Order(Protocol):
    """The order of the samples, epoch by epoch."""

    def __next__(self) -> NDArray[np.intp] | None:
        """The order for the next epoch; None for the given order."""

    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


class Drawn(Stateful):
    """An order drawn for each epoch, or the given order."""

    _given = ("_samples",)

    def __init__(self, samples: int, seed: int | None, shuffled: bool):
        self._samples, self._rng = samples, np.random.default_rng(seed) if shuffled else None

    def __next__(self) -> NDArray[np.intp] | None:
        return None if self._rng is None else self._rng.permutation(self._samples)


@dataclass(frozen=True)
class SolverState:
    """The state of a run without its weights, from which another run can continue.

    Attributes
    ----------
    updates : int
        The number of updates (Adam's t).
    m, v : lists of arrays in the weights' shapes
        The solver's memory of each weight; momentum's v is in ``m``.
    best, waited : float, int
        The state of `Convergence`.
    """

    updates: int
    m: list[Array]
    v: list[Array]
    best: float = math.inf
    waited: int = 0


def with_bias_columns(net: Network, free: Masks | None) -> tuple[Network, Masks | None]:
    """The network and masks for engines: without biases, these are 0 and frozen."""
    if net.biases:
        return net, free
    frozen = [np.column_stack([mask, np.zeros(len(mask), bool)]) for mask in free or net.free_weights()]
    return net.with_zero_biases(), frozen


@dataclass(frozen=True)
class Job:
    """The network, the samples and the settings of training.

    Attributes
    ----------
    network : Network
        The initial network.
    X, y : arrays (N, inputs), (N, outputs) of the network's dtype
    free : list of bool arrays in the weights' shapes, or None
        The weights that may change; None: all.
    batch_size : int
        Samples per update; N for full batch, 1 for online training.
    tol, patience : float | None, float
        Converged when ``patience`` epochs in a row have not lowered the best cost by more than ``tol``.
    l2 : float
        Each update's cost includes l2/2 ΣW² / (samples of the batch), over all weights except the biases.
    sample_weight : array (N,) or None
        The weight of each sample in the averages; a batch with only zero weights has no gradient.
    order : iterator or None
        The order of the samples for each epoch, if it is not drawn from ``seed``; its state can be saved.
    averaged : bool
        Whether the reported costs are averaged over the outputs instead of summed; the updates are the same.
    clip_norm : float | None
        The largest norm of a gradient; longer ones are scaled down.
    dropout : float, or one for each hidden layer
        The share of hidden neurons that each update leaves out, drawn from ``seed``.
    solver_state : SolverState | None
        The state of the run that this one continues.
    bayesian : bool
        Whether the lm solver finds the weight decay during training.
    biases : bool
        False if the trained network has no bias neurons: in ``network`` their weights are 0 and frozen.
    threads : int | None
        The most threads for the compiled engine; None: one per core.
    """

    network: Network
    X: Array
    y: Array
    cost: str
    solver: Solver
    batch_size: int
    shuffle: bool = False
    seed: int | None = 0
    free: list[NDArray[np.bool_]] | None = None
    tol: float | None = None
    patience: float = _PATIENCE
    l2: float = 0.0
    sample_weight: Array | None = None
    order: Order | None = None
    averaged: bool = False
    clip_norm: float | None = None
    dropout: float | Sequence[float] = 0.0
    solver_state: SolverState | None = None
    bayesian: bool = False
    threads: int | None = None
    biases: bool = True

    def reached(self, weights: Sequence[Array]) -> Network:
        """The network with these weights."""
        network = self.network.with_finite(weights)
        return network if self.biases else network.without_biases()

    @property
    def needs_numpy(self) -> str:
        """The setting that only the NumPy engine supports; "" if there is none."""
        if self.dropout:
            return "dropout"
        if self.solver.name not in SOLVER_CODES:
            return f"the solver {self.solver.name}"
        if not isinstance(self.X, np.ndarray):
            return "training on sparse rows"
        uncompiled = [name for name in self.network.activations if activation(name).code == NOT_COMPILED]
        if uncompiled:
            return f"the activation {uncompiled[0]}"
        return f"the cost {self.cost}" if cost_function(self.cost).code == NOT_COMPILED else ""

    @property
    def cost_share(self) -> float:
        """The factor of the reported costs."""
        return 1 / self.network.sizes[-1] if self.averaged else 1.0

    def orders(self) -> Order:
        """The order of the samples for each epoch, None for the given order."""
        return self.order or Drawn(len(self.y), self.seed if self.shuffle else None, self.shuffle)


class Engine(Protocol):
    """Computes the training of a job. The NumPy engine is the reference; faster engines give the same numbers."""

    @property
    def weights(self) -> list[Array]:
        """The last finite weights."""

    @property
    def costs(self) -> Sequence[float] | NDArray[np.float64]:
        """The cost of each epoch, averaged over its samples, each before its update; with sample weights, the mean over
        the batches of their weighted averages."""

    @property
    def converged(self) -> bool:
        """Whether the job's `tol` has been met."""

    @property
    def overflow(self) -> int | None:
        """The layer with weights that are not finite (0: only the cost is not finite); it ends the run."""

    @property
    def bayesian(self) -> Bayesian | None:
        """The result of Bayesian regularisation, if the job uses it."""

    def run(self, epochs: int) -> None:
        """Train on for this many epochs, or until converged or overflowed."""


@runtime_checkable
class Pausing(Protocol):
    """An engine that can pause within an epoch.

    Attributes
    ----------
    at_once : float
        The seconds of training after which `run` pauses; infinite at first
    """

    at_once: float


@runtime_checkable
class Spreading(Protocol):
    """An engine of several trainings, which other processes can run.

    Attributes
    ----------
    spread : Spread | None
        What runs them; None: this process
    kept : tuple
        The run that saves them, if any, and its settings
    """

    spread: Any
    kept: tuple[Any, dict[str, Any]]


class Descent(Engine, Protocol):
    """A gradient-descent engine, whose learning rate can change."""

    @property
    def solver_state(self) -> SolverState: ...

    def forget_costs(self) -> None:
        """Empty ``costs``, for callers that train endlessly and keep the costs themselves."""

    def change_rate(self, learning_rate: float) -> None:
        """Continue with this learning rate, and reset the convergence."""

    def cost_and_gradient(self, weights: list[Array]) -> tuple[float, list[Array]]:
        """The cost of all samples with other weights, including the penalty, and its unclipped gradient; for jobs with
        one batch and a solver other than ``gd``."""


def check_batch_size(batch_size: int | None, samples: int) -> int:
    """Samples per update; None means all of them."""
    if batch_size is None:
        return samples
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise InputError(
            f"batch_size must be a whole number of at least 1, or None for all, but is {as_given(batch_size)}",
            "batch_size",
        )
    return min(int(batch_size), samples)


def record_count(epochs: int, history_every: int | None) -> int:
    """The number of costs to keep, one every ``history_every`` epochs; None: no costs."""
    return -(-epochs // history_every) if history_every else 0


def check_side_by_side(solver: str) -> None:
    """Refuse lm for many networks side by side."""
    if solver == "lm":
        raise InputError(
            f"many networks are trained side by side with {', '.join(LEARNING_RATES)}; with lm, train them one by one"
        )


def check_tol(tol: float | None) -> float | None:
    return None if tol is None else check_number(tol, "tol", least=0)


class Convergence(Stateful):
    """The rule of ``tol``: stop after several epochs without a better cost."""

    _given = ("tol", "patience")

    def __init__(self, tol: float | None, patience: float, solver_state: SolverState | None = None):
        self.tol, self.patience, self.best, self.waited = tol, patience, math.inf, 0
        if solver_state is not None:
            self.best, self.waited = solver_state.best, solver_state.waited

    def reached(self, cost: float) -> bool:
        if self.tol is None:
            return False
        self.waited = 0 if cost < self.best - self.tol else self.waited + 1
        self.best = min(self.best, cost)
        return self.waited >= self.patience
