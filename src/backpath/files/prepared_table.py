"""A whole table as a model's inputs and targets, prepared as in training, possibly on another table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, NumberInput
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.opening import open_table
from backpath.files.predicting import PredictionTable
from backpath.files.preparation import Preparation, Target
from backpath.files.sources import Source
from backpath.files.wording import listed, quoted
from backpath.maths.arrays import Floats


@dataclass(frozen=True)
class PreparedTable:
    """Rows of a table as a model's inputs and targets.

    Attributes
    ----------
    X, y : (N, inputs), (N, outputs)
    numbers : (N,)
        The rows' numbers in the table, from 1 below the header.
    left_out : int
        The number of rows of the table that are left out because of an unusable cell.
    """

    X: Floats
    y: Floats
    numbers: NDArray[np.intp]
    left_out: int


def read_prepared(
    path: PathLike | Sequence[PathLike],
    preparation: Preparation,
    dialect: Dialect | None = None,
    most: int | None = None,
) -> PreparedTable:
    """The rows in which all cells can be used.

    Raises
    ------
    InputError
        If the table lacks a column of training or the target, if no row can be used, or if X and y would have more than
        ``most`` numbers.
    """
    goal = _as_input(preparation.target)
    wide = replace(preparation, inputs=(*preparation.inputs, goal))  # the target is read like a further input
    wanted = [column.name for column in wide.inputs]
    with open_table(path, dialect, preferred=preparation.dialect, wanted=wanted) as source:
        table = PredictionTable(source, wide)
        numbers = table.rows * len(wide.input_labels)
        if most is not None and numbers > most:
            raise InputError(f"{source.path} has {numbers:,} numbers, inputs and targets; at most {most:,} are allowed")
        blocks = list(table.blocks())
        rows = np.concatenate([block.X for block in blocks])
        usable = np.concatenate([block.problems == "" for block in blocks])
        inputs = len(preparation.input_labels)
        X, y = rows[:, :inputs], rows[:, inputs:]
        if preparation.target.classes:
            usable &= y.any(axis=1)  # all 0: a class that did not occur in training
        if not usable.any():
            raise InputError(_no_row(source, preparation))
    y = y[:, 1:] if preparation.target.task == "binary" else y
    return PreparedTable(X[usable], y[usable], np.flatnonzero(usable) + 1, int((~usable).sum()))


def _as_input(target: Target) -> NumberInput | CategoryInput:
    if target.classes:
        return CategoryInput(target.name, target.classes)
    return NumberInput(target.name, target.mean, target.scale, form=target.form)


def _no_row(source: Source, preparation: Preparation) -> str:
    target = preparation.target
    known = f", one of {listed(target.classes)}," if target.classes else ""
    return (
        f"{source.path} has no row in which all cells can be used; the model needs "
        f"{listed([column.name for column in preparation.inputs])} and the target {quoted(target.name)}{known}"
    )
