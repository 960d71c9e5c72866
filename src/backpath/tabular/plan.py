"""A network's layers and training settings, with all choices made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backpath.files.stream import Stream
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.training import TrainingResult, train
from backpath.training.progress import Progress


@dataclass(frozen=True)
class Plan:
    """A network's layers and training settings.

    Attributes
    ----------
    hidden : the neurons of each hidden layer
    decay : λ of λ/2 ΣW², which is added to the summed cost of all samples
    bayesian : with the solver lm, λ is found from the data
    """

    hidden: tuple[int, ...]
    activation: str
    output_activation: str
    cost: str
    solver: str
    learning_rate: float | None
    batch_size: int | None
    epochs: int
    decay: float = 0.0
    bayesian: bool = False

    def network(
        self, inputs: int, outputs: int, init: str = "glorot_uniform", seed: int = 0, dtype: str = "float64"
    ) -> Network:
        return Network(
            (inputs, *self.hidden, outputs),
            activations=[self.activation] * len(self.hidden) + [self.output_activation],
            init=init,
            seed=seed,
            dtype=dtype,
        )

    def train(
        self,
        network: Network,
        X: Floats | Stream,
        y: Floats | None,
        weight: Floats | None = None,
        progress: Progress = False,
        **more: Any,
    ) -> TrainingResult:
        """Call ``training.train`` with these settings; a stream contains its targets and weights."""
        batch = min(self.batch_size or len(X), len(X))
        return train(
            network,
            X,
            y,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size and batch,
            shuffle=self.batch_size is not None,
            solver=self.solver,
            cost=self.cost,
            bayesian=self.bayesian,
            l2=self.decay * batch / len(X),
            sample_weight=weight,
            progress=progress,
            **more,
        )
