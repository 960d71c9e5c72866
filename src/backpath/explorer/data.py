"""The samples of a session: a built-in data set, drawn points, or an uploaded table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.explorer import limits, original
from backpath.explorer.settings import Settings
from backpath.files.preparation import Preparation
from backpath.files.prepared_table import PreparedTable
from backpath.files.training_table import TrainingTable
from backpath.files.wording import counted, plain
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.maths.notation import neuron_names
from backpath.training.datasets import DATASETS, OUTPUTS, dataset


@dataclass(frozen=True, eq=False)
class Data:
    """Samples and their names.

    Attributes
    ----------
    name : str
        The name of the data set or file; "points" if they were drawn.
    task : "binary" | "multiclass" | "regression"
    X, y : (N, inputs), (N, outputs)
    preparation : Preparation | None
        How a table's columns became X and y.
    typed : bool
        There are no samples: the one row was typed to look at, and nothing can be trained on it.
    note : str
        A note on the samples.
    held_out : Data | None
        The rows that are held out for evaluation.
    whole : Data | None
        All samples, if some are held out.
    percent : int
        The percentage of the rows held out.
    numbers : (N,)
        The rows' numbers in the table, from 1 below its header; None: all rows, in order.
    """

    name: str
    task: str
    X: Floats = field(repr=False)
    y: Floats = field(repr=False)
    preparation: Preparation | None = None
    typed: bool = False
    note: str = ""
    held_out: Data | None = field(default=None, repr=False)
    whole: Data | None = field(default=None, repr=False)
    percent: int = 0
    numbers: NDArray[np.intp] | None = field(default=None, repr=False)

    def holding_out(self, percent: int) -> Data:
        """With this percentage of all rows held out: always the same rows, in their order."""
        whole = self.whole or self
        count = len(whole.X) * percent // 100
        if not count:
            return whole
        out = np.zeros(len(whole.X), bool)
        out[np.random.default_rng(0).permutation(len(out))[:count]] = True
        return replace(whole.taking(~out), held_out=whole.taking(out), whole=whole, percent=percent)

    def taking(self, rows: slice | NDArray[np.bool_]) -> Data:
        """Some of the rows; they keep their numbers."""
        numbers = np.arange(1, len(self.X) + 1) if self.numbers is None else self.numbers
        return replace(self, X=self.X[rows], y=self.y[rows], numbers=numbers[rows])

    def number(self, index: int) -> int:
        """The number of a row in its table."""
        return index + 1 if self.numbers is None else int(self.numbers[index])

    def index(self, number: int) -> int | None:
        """The place of the row with this number, or None."""
        if self.numbers is None:
            return number - 1 if number <= len(self.X) else None
        place = int(np.searchsorted(self.numbers, number))
        return place if place < len(self.numbers) and self.numbers[place] == number else None

    @property
    def uploaded(self) -> bool:
        return self.preparation is not None and self.name != "points"

    def drawn(self, X: Floats, y: Floats) -> Data:
        """With these points instead."""
        return Data("points", self.task, X, y, self.preparation)

    @property
    def units(self) -> Preparation | None:
        """The preparation, if the table's cells are not the inputs and targets themselves."""
        return None if self.preparation is None or self.preparation.is_plain else self.preparation

    def labels(self, sizes: tuple[int, ...]) -> dict[str, str]:
        """The table's names of inputs and outputs: ``{"X1": "petal length", "A1": "setosa"}``."""
        if self.units is None:
            return {}
        found = dict(zip(neuron_names(sizes, 0), self.units.input_labels, strict=True))
        target = self.units.target
        outputs = neuron_names(sizes, len(sizes) - 1)
        if target.task == "multiclass":
            return found | {name: plain(label) for name, label in zip(outputs, target.classes, strict=True)}
        goal = plain(target.name)
        return found | {outputs[0]: goal if target.task == "regression" else f"{goal} = {plain(target.classes[1])}"}

    def for_the_page(self) -> dict[str, Any]:
        return dict(self._shown)

    @cached_property
    def _shown(self) -> dict[str, Any]:
        shown, units = slice(limits.SHOWN_ROWS), self.units
        return {
            "name": plain(self.name),
            "typed": self.typed,
            "held_out": self.percent,
            "classes": None if self.preparation is None else list(map(plain, self.preparation.target.classes)),
            "note": self.note,
            "task": self.task,
            "scales": {} if units is None else original.scales(units),
            "columns": None if units is None else original.columns(units),
            "cells": None if units is None else original.cells(units, self.X[shown]),
            "targets": None if units is None else original.targets(units, self.y[shown], original.OF_CELLS),
            "numbers": None if self.numbers is None else self.numbers[shown].tolist(),
            "kind": "regression" if self.task == "regression" else "classification",
            "X": self.X[shown].tolist(),
            "y": self.y[shown].tolist(),
            "rows": len(self.X),
            "editable": len(self.X) <= limits.SHOWN_ROWS,
            "uploaded": self.uploaded,
        }


def built_in(name: str) -> tuple[Data, Settings]:
    """A built-in data set with settings under which it is learned."""
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


def usual_settings(data: Data) -> Settings:
    """The settings for the samples: a built-in data set's own, otherwise those of the task."""
    if data.name in DATASETS:
        return built_in(data.name)[1]
    output, cost = OUTPUTS[data.task]
    return Settings(
        (data.X.shape[1], 8, data.y.shape[1]),
        ("tanh", output),
        cost,
        learning_rate=0.05,
        batch_size=min(32, len(data.X)),
        shuffle=True,
    )


def of_training_table(name: str, table: TrainingTable) -> Data:
    """A table, with notes on how it was read."""
    X, y, preparation = table.whole()
    note = " ".join(f"{note[:1].upper()}{note[1:]}." for note in table.notes)
    return Data(name, preparation.target.task, X, y, preparation, note=note, numbers=table.numbers)


def of_prepared(name: str, found: PreparedTable, preparation: Preparation) -> Data:
    """A table that is prepared as in a model's training."""
    out = found.left_out
    note = f"Left out {counted(out, 'row')} that the model cannot use." if out else ""
    numbers = found.numbers if out else None
    return Data(name, preparation.target.task, found.X, found.y, preparation, note=note, numbers=numbers)


def of_model(network: Network, preparation: Preparation | None, note: str) -> Data:
    """A row of zeros to type over, for a model file without samples."""
    outputs = network.sizes[-1]
    task = "multiclass" if network.activations[-1] == "softmax" else "regression"
    task = "binary" if outputs == 1 and network.activations[-1] == "sigmoid" else task
    y = np.zeros((1, outputs))
    if task == "multiclass":
        y[0, 0] = 1
    task = preparation.target.task if preparation else task
    return Data("points", task, np.zeros((1, network.sizes[0])), y, preparation, typed=True, note=note)
