"""Tables in: a CSV or Parquet file to train on, or whose rows are to be predicted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.columns import (
    MOST_CATEGORIES,
    categories_of,
    check_category_count,
    check_not_constant,
    check_values,
    is_categorical,
    is_zero,
    profiles,
    read_values,
)
from backpath.files.dialect import Dialect
from backpath.files.preparation import (
    Categories,
    CategoryInput,
    ColumnValues,
    Floats,
    NumberInput,
    Numbers,
    Preparation,
    Target,
    mean_and_scale,
)
from backpath.files.sources import Column, Source, open_table
from backpath.files.wording import column_index, listed, quoted

Path = str | os.PathLike[str]
TASKS = ("regression", "classification")
_FEW = 20  # different whole numbers, and fewer than a tenth of the rows: such a target is taken as classes


@dataclass(frozen=True)
class TrainingTable:
    """A table to train on, as it was read: not yet standardised, for that must not see the rows held out.

    Attributes
    ----------
    columns, target : the values of the input columns in the file's order, and of the target
    standardize : bool
    notes : tuple of str
        What a user should know of how the table was taken.
    """

    columns: tuple[ColumnValues, ...]
    target: ColumnValues
    standardize: bool
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return len(_array(self.target))

    def split(self, validation_share: float = 0.2, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats, Preparation]:
        """X_train, y_train, X_valid, y_valid and the preparation, fitted on the training rows only.

        Rows are shuffled by the seed. Every category and class, and two values of every number column, are among the
        training rows: a held-out row that alone has one changes sides. The validation arrays have no rows where the
        share of a small table is less than one row.

        >>> table = TrainingTable((Numbers("x", np.arange(10.0)),), Numbers("y", np.arange(10.0)), True, ())
        >>> X_train, y_train, X_valid, y_valid, preparation = table.split(0.2, seed=0)
        >>> X_train.shape, y_valid.shape, bool(abs(X_train.mean()) < 1e-12)
        ((8, 1), (2, 1), True)
        """
        if not 0 <= validation_share < 1:
            raise InputError(f"the validation share must be from 0 to less than 1, but is {validation_share!r}")
        order = np.random.default_rng(seed).permutation(self.rows)
        held_out = int(self.rows * validation_share)
        train, valid = self._cover(order[held_out:], order[:held_out])
        preparation = self._fit(train)
        return (
            preparation.transform(self.columns, train),
            preparation.transform_target(self.target, train),
            preparation.transform(self.columns, valid),
            preparation.transform_target(self.target, valid),
            preparation,
        )

    def whole(self) -> tuple[Floats, Floats, Preparation]:
        """X, y and the preparation, fitted on all rows, in the file's order: to look at, not to judge a model by.

        >>> table = TrainingTable((Numbers("x", np.arange(3.0)),), Numbers("y", np.arange(3.0)), False, ())
        >>> table.whole()[0].ravel().tolist()
        [0.0, 1.0, 2.0]
        """
        rows = np.arange(self.rows)
        preparation = self._fit(rows)
        return preparation.transform(self.columns), preparation.transform_target(self.target), preparation

    def _cover(self, train: NDArray[np.intp], valid: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Move the held-out rows without which training would miss a category, class, or a second number."""
        needed: set[int] = set()
        for column in (*self.columns, self.target):
            values = _array(column)
            if isinstance(column, Categories):
                missing = np.setdiff1d(np.arange(len(column.categories)), values[train])
                needed.update(int(valid[np.argmax(values[valid] == code)]) for code in missing)
            elif (values[train] == values[train[0]]).all():
                needed.add(int(valid[np.argmax(values[valid] != values[train[0]])]))
        moved = np.array(sorted(needed), dtype=train.dtype)
        return np.concatenate([train, moved]), valid[~np.isin(valid, moved)]

    def _fit(self, rows: NDArray[np.intp]) -> Preparation:
        inputs = tuple(
            CategoryInput(column.name, column.categories)
            if isinstance(column, Categories)
            else NumberInput(column.name, *self._scale(column, rows))
            for column in self.columns
        )
        if isinstance(self.target, Numbers):
            return Preparation(inputs, Target(self.target.name, "regression", *self._scale(self.target, rows)))
        classes = self.target.categories
        return Preparation(
            inputs, Target(self.target.name, "binary" if len(classes) == 2 else "multiclass", classes=classes)
        )

    def _scale(self, column: Numbers, rows: NDArray[np.intp]) -> tuple[float, float]:
        return mean_and_scale(column.values[rows], column.name) if self.standardize else (0.0, 1.0)


def _array(column: ColumnValues) -> NDArray[np.generic]:
    return column.values if isinstance(column, Numbers) else column.codes


def read_training_table(
    path: Path,
    target: str,
    *,
    task: str | None = None,
    categorical: Iterable[str] = (),
    ignore: Iterable[str] = (),
    standardize: bool = True,
    dialect: Dialect | None = None,
) -> TrainingTable:
    """A table to train on: every column but the target (and those to ignore) is an input.

    A column whose cells are all finite numbers is taken as numbers, one whose cells are all text as categories, and a
    mixture is refused unless ``categorical`` lists it; columns that are 0 in every row are left out. A target of text
    is taken as classes, and so is one of a few whole numbers; other numbers as regression. The notes say what was
    chosen where a user may have meant otherwise.

    Parameters
    ----------
    task : "regression" or "classification", None to go by the target
    categorical : names of columns whose cells are categories though they look like numbers
    ignore : names of columns to leave out
    standardize : whether number columns are brought to mean 0 and standard deviation 1
    dialect : how a CSV file is written

    Raises
    ------
    InputError
        With the file, line, column and value, and what would do. Nothing is left out or filled in silently.
    """
    if task is not None and task not in TASKS:
        raise InputError(f"the task must be regression or classification, but is {task!r}")
    with open_table(path, dialect or Dialect()) as source:
        goal, inputs, forced = _choose(source, target, categorical, ignore)
        wanted = [*inputs, goal]
        found = profiles(source, wanted)
        rows = found[-1].rows
        if rows == 0:
            raise InputError(f"{source.path} holds a header but no rows; add rows below it")
        if rows == 1:
            raise InputError(f"{source.path} holds 1 row; training needs at least 2")
        text = [is_categorical(source, c, p, c.name in forced) for c, p in zip(wanted, found, strict=True)]
        if task == "regression" and text[-1]:
            where, value = source.first("true", goal)
            raise InputError(
                f"{where}: the target holds text ({quoted(value)}), so it cannot be regression; drop --task"
            )
        for column, profile, is_text in zip(wanted, found, text, strict=True):
            if is_text and profile.distinct > 1.1 * MOST_CATEGORIES:  # an estimate; the rest is counted when it is read
                check_category_count(source, column, profile.distinct, rows, is_target=column is goal)
        *columns, y = _read(source, wanted, text, rows)
        zero = [column.name for column in columns if is_zero(column)]
        columns = columns if len(zero) == len(columns) else [column for column in columns if not is_zero(column)]
        check_not_constant(source, columns, y)
        classes, notes = _classes(source, goal, y, task)
        if zero:
            notes = (*notes, f"left out, for they are 0 in every row: {listed(zero)}")
        return TrainingTable(tuple(columns), classes, standardize, notes)


def _choose(
    source: Source, target: str, categorical: Iterable[str], ignore: Iterable[str]
) -> tuple[Column, list[Column], set[str]]:
    names = source.names
    goal = column_index(target, names, source.path, "to be the target")
    forced = {names[column_index(name, names, source.path, "to take as categories")] for name in categorical}
    left_out = {column_index(name, names, source.path, "to ignore") for name in ignore}
    if goal in left_out:
        raise InputError(f"column {quoted(target)} cannot be both the target and ignored; drop one")
    inputs = [column for k, column in enumerate(source.columns) if k != goal and k not in left_out]
    if not inputs:
        raise InputError(
            f"{source.path} has no column but the target {quoted(target)}; there must be one to learn from"
        )
    return source.columns[goal], inputs, forced


def _read(source: Source, columns: Sequence[Column], text: Sequence[bool], rows: int) -> list[ColumnValues]:
    categories = iter(categories_of(source, [c for c, is_text in zip(columns, text, strict=True) if is_text]))
    plan = [(c, next(categories) if is_text else None) for c, is_text in zip(columns, text, strict=True)]
    for column, found in plan:
        if found is not None:
            check_category_count(source, column, len(found), rows, is_target=column is columns[-1])
    values = read_values(source, plan)
    for column, one in zip(columns, values, strict=True):
        check_values(source, column, one)
        if len(_array(one)) != rows:
            raise InputError(f"{source.path} changed while it was read; read it again")
    return values


def _classes(source: Source, goal: Column, y: ColumnValues, task: str | None) -> tuple[ColumnValues, tuple[str, ...]]:
    """The target as classes, if it is or shall be, and what to tell about the choice."""
    if isinstance(y, Categories) or task == "regression":
        return y, ()
    distinct = np.unique(y.values)
    few = len(distinct) <= _FEW and len(distinct) < len(y.values) / 10 and (distinct == np.floor(distinct)).all()
    binary = distinct.tolist() == [0.0, 1.0]
    if not (few or binary or task == "classification"):
        return y, ()
    check_category_count(source, goal, len(distinct), len(y.values), is_target=True)
    names = tuple(str(int(v)) if v.is_integer() and abs(v) < 2**53 else repr(v) for v in distinct.tolist())
    note = (
        f"target {quoted(goal.name)} holds {len(distinct)} different whole numbers and is taken as classes; "
        "--task regression takes it as a number"
    )
    chosen = Categories(y.name, np.searchsorted(distinct, y.values).astype(np.int16), names)
    return chosen, () if binary or task else (note,)


def read_prediction_table(path: Path, preparation: Preparation, dialect: Dialect | None = None) -> Floats:
    """X of shape (N, inputs) from a table that has the columns of training by name, in any order, beside any others.

    Raises
    ------
    InputError
        If a column is missing, a cell is no number, or a category was not there in training.
    """
    with open_table(path, dialect or Dialect()) as source:
        plan = []
        for wanted in preparation.inputs:
            place = column_index(wanted.name, source.names, source.path, "which the model was trained with")
            plan.append((source.columns[place], wanted.categories if isinstance(wanted, CategoryInput) else None))
        for column, _ in plan:
            if column.problem:
                raise InputError(
                    f"{source.path}, column {quoted(column.name)}: {column.problem}; expected numbers or text"
                )
        values = read_values(source, plan)
        if len(_array(values[0])) == 0:
            raise InputError(f"{source.path} holds a header but no rows; add rows below it")
        for (column, _), one in zip(plan, values, strict=True):
            check_values(source, column, one)
        return preparation.transform(values)
