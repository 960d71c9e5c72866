"""Single rows of a table as inputs and targets, by their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.errors import InputError
from backpath.files.column_inputs import NumberInput
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.opening import open_table
from backpath.files.predicting import encode_texts
from backpath.files.preparation import Preparation, one_hot
from backpath.files.sources import Source
from backpath.files.wording import column_index, counted, listed, quoted
from backpath.maths.arrays import Floats


def read_rows(
    path: PathLike, preparation: Preparation, numbers: Sequence[int], dialect: Dialect | None = None
) -> tuple[Floats, Floats]:
    """X and y of some rows of a table, prepared as in training.

    Parameters
    ----------
    path : the table, which has the columns of training by name, and the target
    numbers : the rows' numbers, from 1 below the header
    dialect : the format of its file, if the caller knows it

    Raises
    ------
    InputError
        If there is no such row or column, or a cell cannot be read as in training.
    """
    wanted = [*(column.name for column in preparation.inputs), preparation.target.name]
    with open_table(path, dialect, preferred=preparation.dialect, wanted=wanted) as source:
        columns = [source.columns[column_index(n, source.names, source.path, "of training")] for n in wanted]
        cells = ", ".join(column.text for column in columns)
        rows = [_row(source, cells, number) for number in numbers]
        X = encode_texts(preparation, [row[:-1] for row in rows], source.path)
        return X, encode_targets(preparation, [row[-1] for row in rows], source.path)


def _row(source: Source, cells: str, number: int) -> list[str]:
    found = source.rows(f"SELECT {cells} FROM {{table}} LIMIT 1 OFFSET {number - 1}") if number > 0 else []
    if not found:
        count = source.rows("SELECT count(*) FROM {table}")[0][0]
        raise InputError(f"{source.path} has {counted(count, 'row')}, so there is no row {number}; rows count from 1")
    return ["" if cell is None else str(cell) for cell in found[0]]


def encode_targets(preparation: Preparation, texts: Sequence[str], where: str) -> Floats:
    """y of targets given as texts: numbers in the target's units and form, or names of classes.

    >>> from backpath.files.preparation import Target
    >>> encode_targets(Preparation((), Target("y", "binary", classes=("no", "yes"))), ["yes", "no"], "--y").tolist()
    [[1.0], [0.0]]
    """
    target = preparation.target
    if target.task == "regression":
        number = NumberInput(target.name, target.mean, target.scale, form=target.form)
        return encode_texts(Preparation((number,), target, dialect=preparation.dialect), [[t] for t in texts], where)
    for text in texts:
        if text not in target.classes:
            known = listed(target.classes)
            raise InputError(f"{where}, column {quoted(target.name)} must be one of {known}, but is {quoted(text)}")
    codes = np.array([target.classes.index(text) for text in texts])
    return codes.astype(np.float64).reshape(-1, 1) if target.task == "binary" else one_hot(codes, target.outputs)
