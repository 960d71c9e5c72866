"""The options of ``backpath study``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class StudyOptions:
    """The options of ``backpath study`` by name; None: the data set's setting is used."""

    source: str
    networks: int
    hidden: str | None
    activation: str | None
    output_activation: str | None
    cost: str | None
    solver: str | None
    learning_rate: float | None
    momentum: float | None
    batch_size: int | None
    epochs: int | None
    init: str
    seed: int
    dtype: str
    threads: int | None
    solved: float
    sweep: str | None
    out: str | None
    picture: str | None
    run: Checkpoints | None
    log: str | None
    dask: str | None
