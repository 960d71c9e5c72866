"""The options of ``backpath train``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backpath.cli.options import whole_numbers
from backpath.cli.table_options import TableOptions
from backpath.errors import InputError

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class TrainOptions(TableOptions):
    """The options of ``backpath train`` by name; None: the source's setting is used.

    Attributes
    ----------
    given : names of the options that are given in the call, not left at their defaults
    run : the run that saves the training
    """

    source: str
    more_files: tuple[str, ...]
    target: str | None
    standardize: bool
    validation: float
    cv: int | None
    balanced: bool
    weights: str | None
    memory: str | None
    hidden: str | None
    activation: str | None
    output_activation: str | None
    cost: str | None
    solver: str | None
    decay: float | None
    bayesian: bool
    learning_rate: float | None
    epochs: int | None
    batch_size: int | None
    tol: float | None
    frozen: tuple[str, ...]
    init: str
    restarts: int
    seed: int
    dtype: str
    engine: str
    out: str
    plot: str | None
    json: bool
    given: frozenset[str]
    run: Checkpoints | None
    log: str | None
    dask: str | None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the network and its training in the call, by name."""
        names = ("activation", "output_activation", "cost", "solver", "decay", "learning_rate", "epochs", "batch_size")
        found: dict[str, Any] = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.hidden is not None:
            found["hidden"] = whole_numbers(self.hidden, "--hidden")
        if self.batch_size is not None:
            if self.batch_size < 0:
                raise InputError(
                    f"--batch-size must be a whole number of at least 1, or 0 for all, but is {self.batch_size}"
                )
            found["batch_size"] = self.batch_size or None
        if self.bayesian:
            found["bayesian"] = True
        return found
