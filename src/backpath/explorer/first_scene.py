"""What the explorer begins with: a built-in data set, a table, or a saved model with the samples that it learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.explorer.scene import Scene
from backpath.files.models import Model, load_model
from backpath.files.opening import open_table
from backpath.files.origin import found_table
from backpath.files.prepared_table import read_prepared
from backpath.files.tables import read_training_table
from backpath.files.wording import counted
from backpath.training.datasets import DATASETS

TablePaths = str | Path | Sequence[Path]


def opened(model: str | None = None, data: str | None = None, target: str | None = None) -> Scene:
    """The scene that the command line asks for.

    Raises
    ------
    InputError
        If the model or the table that is named cannot be used. A model whose own table has gone opens without samples.
    """
    if model is None:
        return Scene.of_data_set("xor") if data is None else _of_table(data, target)
    if target is not None:
        raise InputError("--target is for a table without a model, which knows its own; leave it out")
    found = load_model(model)
    if data is not None:
        return with_table(found, data, Path(data).name)
    if found.record.get("source") in DATASETS:
        return Scene.of_model(found)
    try:
        paths = found_table(found.record, model)
        return with_table(found, paths, ", ".join(path.name for path in paths))
    except InputError as error:
        return Scene.of_model(found, note=f"This model comes without samples: {error}.")


def _of_table(data: str, target: str | None) -> Scene:
    with open_table(data) as source:
        columns = source.names
    X, y, preparation = read_training_table(data, columns[-1] if target is None else target).whole()
    if X.size + y.size > limits.NUMBERS:
        raise InputError(
            f"{data} makes {X.size + y.size:,} numbers; the explorer takes up to {limits.NUMBERS:,}: use fewer rows"
        )
    return Scene.of_table(Path(data).name, X, y, preparation)


def with_table(model: Model, paths: TablePaths, name: str) -> Scene:
    """A model with a table that has the columns of training."""
    preparation = model.table_inputs
    X, y, left_out = read_prepared(paths, preparation, most=limits.NUMBERS)
    note = f"Left out {counted(left_out, 'row')} that the model cannot use." if left_out else ""
    return Scene.of_model(model, samples=(name, X, y, preparation), note=note)
