"""The common part of training on data sets and on tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backpath.cli.lasting import log_to
from backpath.cli.train.options import TrainOptions
from backpath.errors import InputError
from backpath.files.models import Model
from backpath.maths.activations import activation
from backpath.maths.checks import check_number, check_seed
from backpath.training import TrainingResult


@dataclass(frozen=True)
class Trained:
    """A trained model and its report.

    Attributes
    ----------
    sections : pairs (heading, lines) to print in order
    next : commands to continue with
    """

    model: Model
    result: TrainingResult
    sections: tuple[tuple[str, str], ...] = field(repr=False)
    next: tuple[str, ...] = ()


def check_options(options: TrainOptions) -> None:
    """Refuse invalid options before anything is read, by their own names."""
    check_seed(options.seed)
    if options.decay is not None:
        check_number(options.decay, "decay", least=0)
    if not 0 <= options.validation < 1:
        raise InputError(f"--validation must be a share from 0 to less than 1, but is {options.validation}")
    if options.output_activation is not None:
        try:
            activation(options.output_activation)
        except InputError as error:
            raise InputError(error.naming(lambda _: "output_activation"), "output_activation") from None


def network_options(options: TrainOptions) -> dict[str, Any]:
    return {"init": options.init, "dtype": options.dtype}


def training_options(options: TrainOptions) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in ("tol", "frozen", "engine")}
    return {**given, "checkpoint": options.run, "callbacks": log_to(options.log)}
