"""The first scene of the explorer: a built-in data set, a table, or a saved model with its training samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.explorer.data import of_prepared, of_training_table
from backpath.explorer.scene import Scene
from backpath.files.choices import Choices
from backpath.files.dialect import Dialect
from backpath.files.models import Model, load_model
from backpath.files.opening import open_table
from backpath.files.origin import found_table
from backpath.files.prepared_table import read_prepared
from backpath.files.tables import read_training_table
from backpath.training.datasets import DATASETS

TablePaths = str | Path | Sequence[Path]


def first_scene(
    model: str | None = None,
    data: str | None = None,
    target: str | None = None,
    choices: Choices | None = None,
    dialect: Dialect | None = None,
) -> Scene:
    """The scene for the command line's arguments, with choices for reading the table.

    Raises
    ------
    InputError
        If the model or the table cannot be used. A model whose own table is gone opens without samples.
    """
    if model is None:
        return Scene.of_data_set("xor") if data is None else _of_table(data, target, choices, dialect)
    if target is not None:
        raise InputError("--target is for a table without a model; the model knows its target, so leave it out")
    found = load_model(model)
    if data is not None:
        return with_table(found, data, Path(data).name, dialect)
    if found.record.get("source") in DATASETS:
        return Scene.of_model(found)
    try:
        paths = found_table(found.record, model)
        return with_table(found, paths, ", ".join(path.name for path in paths))
    except InputError as error:
        return Scene.of_model(found, note=f"This model comes without samples: {error}.")


def _of_table(data: str, target: str | None, choices: Choices | None, dialect: Dialect | None) -> Scene:
    with open_table(data, dialect) as source:
        columns = source.names
    table = read_training_table(data, columns[-1] if target is None else target, choices, dialect)
    found = of_training_table(Path(data).name, table)
    count = found.X.size + found.y.size
    if count > limits.NUMBERS:
        raise InputError(f"{data} has {count:,} numbers; the explorer takes up to {limits.NUMBERS:,}: use fewer rows")
    return Scene.of_table(found)


def with_table(model: Model, paths: TablePaths, name: str, dialect: Dialect | None = None) -> Scene:
    """A model with a table that has its training columns."""
    preparation = model.table_inputs
    found = read_prepared(paths, preparation, dialect, most=limits.NUMBERS)
    return Scene.of_model(model, of_prepared(name, found, preparation))
