"""The result of training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.network import Network
from backpath.maths.values import Value
from backpath.training.bayesian import Bayesian


@dataclass(frozen=True, eq=False)
class History(Value):
    """The costs during training.

    Attributes
    ----------
    cost : float64 array (epochs,)
        The cost of each epoch: the average over its samples, each computed before its update (for a full batch, the
        cost before the epoch's update).
    validation_cost : float64 array (epochs,) or None
        The cost on the validation samples after each epoch.
    """

    cost: NDArray[np.float64]
    validation_cost: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class TrainingResult(Value):
    """The result of training.

    Attributes
    ----------
    network : Network
        The network after the last epoch; with validation samples, after the epoch with the lowest cost on them.
    history : History
        The cost of every epoch.
    epochs : int
        The number of epochs.
    stopped : "epochs" | "converged" | "interrupted"
        Why training ended.
    seconds : float
        The duration of the training.
    restart_costs : array (restarts,) or None
        The final cost of each restart, the given network first; infinite if it diverged.
    bayesian : backpath.training.bayesian.Bayesian or None
        With ``bayesian=True``: α, β and γ, the effective number of parameters.
    """

    network: Network
    history: History = field(repr=False)
    epochs: int
    stopped: str
    seconds: float
    restart_costs: NDArray[np.floating] | None = field(default=None, repr=False)
    bayesian: Bayesian | None = None


def as_plain(result: TrainingResult) -> dict[str, Any]:
    """The result of one training as plain data, for a checkpoint."""
    network, history = result.network, result.history
    return {
        "activations": list(network.activations),
        "biases": network.biases,
        "weights": list(network.weights),
        "cost": history.cost,
        "validation_cost": history.validation_cost,
        "bayesian": None if result.bayesian is None else asdict(result.bayesian),
        **{name: getattr(result, name) for name in ("epochs", "stopped", "seconds")},
    }


def of_plain(plain: dict[str, Any]) -> TrainingResult:
    """The result from plain data."""
    network = Network.from_weights(plain["weights"], plain["activations"], biases=plain["biases"])
    history = History(plain["cost"], plain["validation_cost"])
    bayesian = Bayesian(**plain["bayesian"]) if plain["bayesian"] else None
    return TrainingResult(network, history, plain["epochs"], plain["stopped"], plain["seconds"], bayesian=bayesian)
