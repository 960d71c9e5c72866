"""What a call of ``backpath train`` asks for."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.cli.table_options import TableOptions


@dataclass(frozen=True)
class TrainOptions(TableOptions):
    """The options of ``backpath train`` under their own names; None where the source's own setting is to be used.

    Attributes
    ----------
    given : names of the options that the call gives, as opposed to those left at their defaults
    """

    source: str
    more_files: tuple[str, ...]
    target: str | None
    standardize: bool
    validation: float
    hidden: str | None
    activation: str | None
    output_activation: str | None
    cost: str | None
    solver: str | None
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
    out: str | None
    given: frozenset[str]
