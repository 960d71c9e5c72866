"""backpath itself, through its public functions."""

from __future__ import annotations

import backpath as bp
from bench.rows import Array, Row, Train

NAME = "backpath"
COST = "squared_error"


def versions() -> str:
    return f"backpath {bp.__version__}"


def forms(row: Row) -> dict[str, Train]:
    if row.networks is not None:
        return {"train_population": train_population(row)}
    engine = "auto" if row.per == "process" else "compiled"  # also the choice of "auto" when the kernels are built
    return {f"train, engine={engine!r}": train(row, engine)}


def train(row: Row, engine: str) -> Train:
    net, (X, y) = bp.Network.from_weights(row.start()), row.data()

    def run(epochs: int) -> list[Array]:
        result = bp.train(
            net, X, y, epochs=epochs, learning_rate=row.learning_rate, batch_size=row.batch, engine=engine
        )
        return list(result.network.weights)

    return run


def train_population(row: Row) -> Train:
    population, (X, y) = bp.Population.from_weights(row.start(), "sigmoid"), row.data()

    def run(epochs: int) -> list[Array]:
        outcome = bp.train_population(population, X, y, epochs=epochs, learning_rate=row.learning_rate)
        return list(outcome.population.weights)

    return run
