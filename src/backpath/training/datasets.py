"""The built-in data sets, each with a suitable network and settings, and defaults for each task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Floats

# the output activation and cost for each task
OUTPUTS = {
    "regression": ("identity", "squared_error"),
    "binary": ("sigmoid", "binary_cross_entropy"),
    "multiclass": ("softmax", "categorical_cross_entropy"),
}

TRUTH_TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)


@dataclass(frozen=True)
class Recipe:
    """Settings of ``train`` under which a data set is learned."""

    hidden: tuple[int, ...] = (2,)
    activation: str = "sigmoid"
    output: str = "sigmoid"
    cost: str = "squared_error"
    solver: str = "gd"
    learning_rate: float = 2.0
    batch_size: int | None = None
    epochs: int = 10_000


@dataclass(frozen=True)
class Dataset:
    """Samples with their names.

    Attributes
    ----------
    X, y : (N, 2 or 1), (N, 1)
    task : "binary" | "regression"
    recipe : Recipe
    """

    name: str
    title: str
    X: Floats = field(repr=False)
    y: Floats = field(repr=False)
    task: str = "binary"
    recipe: Recipe = Recipe()

    @property
    def is_truth_table(self) -> bool:
        return len(self.X) == len(TRUTH_TABLE)


def _logic(name: str, outputs: tuple[int, ...]) -> Callable[[], Dataset]:
    y = np.array(outputs, dtype=np.float64)[:, None]
    return lambda: Dataset(name, f"the truth table of {name.upper()}", TRUTH_TABLE, y)


_POINTS = Recipe(
    hidden=(8,), activation="tanh", cost="binary_cross_entropy", solver="adam", learning_rate=0.03, epochs=1000
)


def _circle() -> Dataset:
    rng = np.random.default_rng(0)
    angle, y = rng.uniform(0, 2 * np.pi, 200), np.repeat([1.0, 0.0], 100)
    radius = np.where(y == 1, rng.uniform(0, 0.5, 200), rng.uniform(0.7, 1, 200))
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return Dataset("circle", "200 points, inside a circle or around it", X, y[:, None], recipe=_POINTS)


def _spiral() -> Dataset:
    rng = np.random.default_rng(0)
    along, y = np.tile(np.linspace(0.05, 1, 100), 2), np.repeat([1.0, 0.0], 100)
    angle = 1.75 * 2 * np.pi * along + np.pi * y
    X = along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.01, (200, 2))
    recipe = Recipe((16, 16), "tanh", "sigmoid", "binary_cross_entropy", "adam", 0.01, None, 2000)
    return Dataset("spiral", "200 points on two spirals, one inside the other", X, y[:, None], recipe=recipe)


def _sine() -> Dataset:
    X = np.linspace(-1, 1, 100)[:, None]
    recipe = Recipe((8,), "tanh", "identity", "squared_error", "adam", 0.02, None, 2000)
    return Dataset("sine", "one period of sin(πX1), 100 points", X, np.sin(np.pi * X), "regression", recipe)


DATASETS: dict[str, Callable[[], Dataset]] = {
    "and": _logic("and", (0, 0, 0, 1)),
    "or": _logic("or", (0, 1, 1, 1)),
    "nand": _logic("nand", (1, 1, 1, 0)),
    "xor": _logic("xor", (0, 1, 1, 0)),
    "circle": _circle,
    "spiral": _spiral,
    "sine": _sine,
}


def dataset(name: str) -> Dataset:
    """The built-in data set of that name.

    >>> dataset("xor").y.ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    try:
        return DATASETS[name]()
    except KeyError:
        raise InputError(f"unknown data set {name!r}; expected one of {', '.join(DATASETS)}") from None
