"""How a network is made and trained: the state of the page's controls."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from backpath.errors import InputError
from backpath.explorer import fields, limits
from backpath.maths.checks import check_activations, check_learning_rate, check_seed
from backpath.maths.costs import check_cost_fits, cost_function
from backpath.maths.initialisations import initialisation
from backpath.maths.network import Network
from backpath.maths.unknown import unknown
from backpath.training.job import LEARNING_RATES, Solver

KEYS = (
    "sizes",
    "activations",
    "cost",
    "seed",
    "init",
    "biases",
    "solver",
    "learning_rate",
    "batch_size",
    "shuffle",
)
DRAWING = ("sizes", "activations", "seed", "init", "biases")  # changing these redraws the network


@dataclass(frozen=True)
class Settings:
    """Sizes, activations and training settings; ``changed`` checks all of them.

    Attributes
    ----------
    sizes, activations : as in ``Network``
    cost, solver, learning_rate, batch_size, shuffle : as in ``train``
    seed, init : for the initial weights; the seed also shuffles the samples
    biases : whether there are bias neurons
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    cost: str = "squared_error"
    seed: int = 0
    init: str = "glorot_uniform"
    solver: str = "gd"
    learning_rate: float = 0.5
    batch_size: int | None = None
    shuffle: bool = False
    biases: bool = True

    def changed(self, given: Mapping[str, Any]) -> Settings:
        """With some of them changed by a page.

        >>> old = Settings((2, 2, 1), ("tanh", "sigmoid"))
        >>> new = old.changed({"sizes": [2, 3, 3, 1], "learning_rate": "0.1"})
        >>> new.activations, new.learning_rate
        (('tanh', 'tanh', 'sigmoid'), 0.1)
        """
        fields.only(given, KEYS, "the state")
        found = replace(self, **{key: READERS[key](value) for key, value in given.items()})
        if "solver" in given and "learning_rate" not in given and given["solver"] != self.solver:
            found = replace(found, learning_rate=Solver.checked(found.solver, None).learning_rate)
        if len(found.activations) != len(found.sizes) - 1 and "activations" not in given:
            hidden = self.activations[0] if len(self.activations) > 1 else "sigmoid"
            found = replace(found, activations=(hidden,) * (len(found.sizes) - 2) + self.activations[-1:])
        found.check()
        return found

    def check(self) -> None:
        """Refuse sizes and settings that cannot be trained here."""
        if any(n > limits.NEURONS for n in self.sizes) or not 2 <= len(self.sizes) <= limits.LAYERS + 1:
            raise InputError(
                f"the explorer shows up to {limits.LAYERS} layers of up to {limits.NEURONS} neurons, but the sizes are "
                f"{'-'.join(map(str, self.sizes[:20]))}"
            )
        weights = weight_count(self.sizes)
        if weights > limits.WEIGHTS:
            raise InputError(
                f"the explorer shows networks of up to {limits.WEIGHTS:,} weights, but these sizes have {weights:,}"
            )
        check_activations(self.activations, self.sizes)
        check_cost_fits(self.cost, self.activations[-1])

    def network(self) -> Network:
        """The network with its initial weights."""
        return Network(self.sizes, activations=self.activations, init=self.init, seed=self.seed, biases=self.biases)

    def as_dict(self) -> dict[str, Any]:
        """The settings for the page and for a link."""
        found = {key: getattr(self, key) for key in KEYS}
        return {**found, "sizes": list(self.sizes), "activations": list(self.activations)}


def weight_count(sizes: tuple[int, ...]) -> int:
    return sum(neurons * (inputs + 1) for inputs, neurons in itertools.pairwise(sizes))


def drawn(sizes: tuple[int, ...]) -> list[int]:
    """How many neurons of each layer are drawn; none if there are too many layers.

    >>> drawn((2, 16, 1)), drawn((2, 17, 1))
    ([2, 16, 1], [2, 12, 1])
    """
    if len(sizes) - 1 > limits.DRAWN_LAYERS:
        return [0] * len(sizes)
    return [n if n <= limits.DRAWN_NEURONS else limits.DRAWN_OF_MORE for n in sizes]


def _sizes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > limits.LAYERS + 1:
        raise InputError(f"sizes must be a list of up to {limits.LAYERS + 1} whole numbers, as in [2, 2, 1]")
    return tuple(fields.whole(n, "a layer's size", 1, 10**6) for n in value)


def _activations(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > limits.LAYERS:
        raise InputError("activations must be a list of names, one per layer after the inputs")
    return tuple(fields.text(name, "an activation") for name in value)


def _cost(value: object) -> str:
    return cost_function(fields.text(value, "the cost")).name


def _seed(value: object) -> int:
    seed = fields.whole(value, "the seed", 0, 2**32 - 1)
    check_seed(seed)
    return seed


def _init(value: object) -> str:
    """
    >>> _init("normal:1/2"), _init("uniform:-0,5;0,5"), _init("uniform:-1,5,1,5"), _init("uniform: -1, 1")
    ('normal:0.5', 'uniform:-0.5,0.5', 'uniform:-1.5,1.5', 'uniform:-1,1')
    """
    name = fields.text(value, "the initialisation")
    kind, colon, typed = name.partition(":")
    if colon:
        with suppress(ValueError, ZeroDivisionError):  # refused below, as it was typed
            name = f"{kind}:{','.join(str(fields.plain_number(number)) for number in _numbers(kind, typed))}"
    initialisation(name)
    return name


def _numbers(kind: str, typed: str) -> list[str]:
    """The numbers of an initialisation; a comma may be their decimal mark."""
    if kind != "uniform" or ";" in typed:
        return typed.split(";")
    parts = typed.split(",")
    return [",".join(parts[:2]), ",".join(parts[2:])] if len(parts) == 4 else parts


def _solver(value: object) -> str:
    name = fields.text(value, "the solver")
    if name not in LEARNING_RATES:
        raise unknown("solver", name, LEARNING_RATES)
    return name


def _learning_rate(value: object) -> float:
    return check_learning_rate(fields.number(value, "the learning rate"))


def _batch_size(value: object) -> int | None:
    return None if value is None else fields.whole(value, "the batch size", 1, 10**9)


def _biases(value: object) -> bool:
    return fields.truth(value, "biases")


def _shuffle(value: object) -> bool:
    return fields.truth(value, "shuffle")


READERS: dict[str, Any] = {
    "sizes": _sizes,
    "activations": _activations,
    "cost": _cost,
    "seed": _seed,
    "init": _init,
    "solver": _solver,
    "learning_rate": _learning_rate,
    "batch_size": _batch_size,
    "biases": _biases,
    "shuffle": _shuffle,
}
