"""The samples that a session looks at: a built-in data set, drawn points, or an uploaded table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backpath.explorer import limits
from backpath.explorer.settings import Settings
from backpath.files.preparation import Preparation
from backpath.files.wording import plain
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.maths.notation import neuron_names
from backpath.training.datasets import OUTPUTS, dataset


@dataclass(frozen=True, eq=False)
class Data:
    """Samples with the names of what they are.

    Attributes
    ----------
    name : str
        Of the data set or the file; "points" where they were drawn.
    task : "binary" | "multiclass" | "regression"
    X, y : (N, inputs), (N, outputs)
    preparation : Preparation | None
        Of a table: how its columns became X and y.
    """

    name: str
    task: str
    X: Floats = field(repr=False)
    y: Floats = field(repr=False)
    preparation: Preparation | None = None

    @property
    def uploaded(self) -> bool:
        return self.preparation is not None and self.name != "points"

    def drawn(self, X: Floats, y: Floats) -> Data:
        """Other points in the place of these."""
        return Data("points", self.task, X, y, self.preparation)

    def labels(self, sizes: tuple[int, ...]) -> dict[str, str]:
        """What inputs and outputs are called, where a table says so: ``{"X1": "petal length", "A1": "setosa"}``."""
        if self.preparation is None or self.preparation.is_plain:
            return {}
        found = dict(zip(neuron_names(sizes, 0), self.preparation.input_labels, strict=True))
        target = self.preparation.target
        outputs = neuron_names(sizes, len(sizes) - 1)
        if target.task == "multiclass":
            return found | {name: plain(label) for name, label in zip(outputs, target.classes, strict=True)}
        goal = plain(target.name)
        return found | {outputs[0]: goal if target.task == "regression" else f"{goal} = {plain(target.classes[1])}"}

    def for_the_page(self) -> dict[str, Any]:
        shown = slice(limits.SHOWN_ROWS)
        return {
            "name": plain(self.name),
            "kind": "regression" if self.task == "regression" else "classification",
            "X": self.X[shown].tolist(),
            "y": self.y[shown].tolist(),
            "rows": len(self.X),
            "editable": len(self.X) <= limits.SHOWN_ROWS,
            "uploaded": self.uploaded,
        }


def built_in(name: str) -> tuple[Data, Settings]:
    """A built-in data set with the settings under which it is learned."""
    found = dataset(name)
    recipe = found.recipe
    sizes = (found.X.shape[1], *recipe.hidden, found.y.shape[1])
    settings = Settings(
        sizes,
        (recipe.activation,) * len(recipe.hidden) + (recipe.output,),
        recipe.cost,
        solver=recipe.solver,
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
    )
    return Data(name, found.task, found.X, found.y), settings


def of_table(name: str, X: Floats, y: Floats, preparation: Preparation) -> tuple[Data, Settings]:
    """A table with settings that suit its task."""
    task = preparation.target.task
    output, cost = OUTPUTS[task]
    settings = Settings(
        (X.shape[1], 8, y.shape[1]),
        ("tanh", output),
        cost,
        learning_rate=0.05,
        batch_size=min(32, len(X)),
        shuffle=True,
    )
    return Data(name, task, X, y, preparation), settings


def of_model(network: Network, preparation: Preparation | None) -> Data:
    """A model's file holds no samples: one, of zeros, to begin with."""
    outputs = network.sizes[-1]
    task = "multiclass" if network.activations[-1] == "softmax" else "regression"
    task = "binary" if outputs == 1 and network.activations[-1] == "sigmoid" else task
    y = np.zeros((1, outputs))
    if task == "multiclass":
        y[0, 0] = 1
    return Data(
        "points", preparation.target.task if preparation else task, np.zeros((1, network.sizes[0])), y, preparation
    )
