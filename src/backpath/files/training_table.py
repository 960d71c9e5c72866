"""A training table in memory: the values of its columns, divided into training rows and held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_values import NO_MOMENTS, Categories, ColumnValues, Numbers, mean_and_scale
from backpath.files.dialect import Dialect
from backpath.files.forms import PLAIN_NUMBER
from backpath.files.moments import Moments
from backpath.files.preparation import Preparation, Target
from backpath.files.stream import Stream
from backpath.files.wording import column_index, quoted
from backpath.maths.arrays import Floats

BLOCK = 8192  # rows in each of the ``blocks``


@dataclass(frozen=True)
class Division:
    """The training rows and held-out rows of a table, with a preparation fitted to the training rows.

    Attributes
    ----------
    rows, held_out : the places of the rows in the table
    X, y, X_held_out, y_held_out : inputs and targets
    weight : (rows,)
        The weight of each training row; None: all are equal.
        stream : all training rows, if ``rows`` are only some of them
    """

    rows: NDArray[np.intp]
    held_out: NDArray[np.intp]
    X: Floats = field(repr=False)
    y: Floats = field(repr=False)
    X_held_out: Floats = field(repr=False)
    y_held_out: Floats = field(repr=False)
    preparation: Preparation = field(repr=False)
    weight: Floats | None = field(default=None, repr=False)
    stream: Stream | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TrainingTable:
    """A training table as read. It is not standardised yet, because that must not use held-out rows.

    Attributes
    ----------
    columns : tuple of column values
        The values of the input columns, in the file's order.
    target : column values
        The values of the column to predict.
    standardize : bool
        Whether the preparation scales numeric columns.
    notes : tuple of str
        Remarks for the user on how the table was read.
    left_out : tuple of str
        Columns that are not inputs.
    dialect : Dialect
        The format of the file.
    beyond : tuple of Moments
        For each column and the target, the moments of rows that are not in memory.
    weight : array (rows,) or None
        The weight of each row; None: all are equal.
    numbers : array (rows,) or None
        The rows' numbers in the file, from 1 below the header; None: no row is left out.
    """

    columns: tuple[ColumnValues, ...]
    target: ColumnValues
    standardize: bool
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    beyond: tuple[Moments, ...] = ()
    weight: Floats | None = field(default=None, repr=False)
    numbers: NDArray[np.intp] | None = field(default=None, repr=False)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.target.values)

    @property
    def X(self) -> Floats:
        """The inputs of all rows, of shape (N, inputs), with a preparation fitted to all of them."""
        return self.whole()[0]

    @property
    def y(self) -> Floats:
        """The targets of all rows, of shape (N, outputs)."""
        return self.whole()[1]

    @property
    def preparation(self) -> Preparation:
        """How the columns become ``X`` and ``y``, fitted to all rows."""
        return self._fit(np.arange(self.rows))

    @property
    def labels(self) -> NDArray[Any]:
        """The target of each row as in the file, of shape (N,), for estimators; numbers or names of classes."""
        if isinstance(self.target, Categories):
            names: NDArray[Any] = np.array(self.target.categories)[self.target.values]
            return names
        return self.target.values

    def split(self, validation_share: float = 0.2, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats, Preparation]:
        """Arrays to train on and arrays to validate with, prepared by the training rows alone.

        Rows are shuffled with the seed. The training rows include every category and class, and two values of every
        numeric column; held-out rows are moved to them if necessary. The validation arrays are empty if the share of a
        small table is less than one row.

        Parameters
        ----------
        validation_share : float
            The share of the rows to hold out, from 0 to less than 1.
        seed : int
            Seed for shuffling the rows.

        Returns
        -------
        X_train, y_train, X_valid, y_valid : arrays
            (rows, inputs) and (rows, outputs).
        preparation : Preparation
            How the columns become inputs, for new rows.

        Raises
        ------
        InputError
            If the share is not valid.

        Examples
        --------
        >>> table = TrainingTable((Numbers("x", np.arange(10.0)),), Numbers("y", np.arange(10.0)), True, ())
        >>> X_train, y_train, X_valid, y_valid, preparation = table.split(0.2, seed=0)
        >>> X_train.shape, y_valid.shape, bool(abs(X_train.mean()) < 1e-12)
        ((8, 1), (2, 1), True)
        """
        if not 0 <= validation_share < 1:
            raise InputError(f"the validation share must be from 0 to less than 1, but is {validation_share!r}")
        found = self.division(validation_share, seed)
        return found.X, found.y, found.X_held_out, found.y_held_out, found.preparation

    def divided(self, rows: NDArray[np.intp], held_out: NDArray[np.intp], scale_target: bool = True) -> Division:
        """These rows to train on and those held out, except the rows that ``split`` would move.

        Parameters
        ----------
        rows, held_out : int arrays
            Numbers of rows.
        scale_target : bool
            False leaves the target in its own units.

        Returns
        -------
        Division
            The arrays of both, and the preparation.
        """
        train, valid = self._cover(rows, held_out)
        preparation = self._fit(train)
        if not scale_target:
            preparation = replace(preparation, target=replace(preparation.target, mean=0.0, scale=1.0))
        return Division(
            train,
            valid,
            preparation.transform(self.columns, train),
            preparation.transform_target(self.target, train),
            preparation.transform(self.columns, valid),
            preparation.transform_target(self.target, valid),
            preparation,
            None if self.weight is None else self.weight[train],
        )

    def division(self, share: float, seed: int, scale_target: bool = True) -> Division:
        """Training rows and a share of held-out rows, drawn with the seed."""
        order = np.random.default_rng(seed).permutation(self.rows)
        held_out = int(self.rows * share)
        return self.divided(order[held_out:], order[:held_out], scale_target)

    def blocks(self, seed: int = 0, epoch: int = 0) -> Iterator[tuple[Floats, Floats]]:
        """All rows in blocks, in an order drawn for this epoch.

        Parameters
        ----------
        seed, epoch : int
            The same values give the same order.

        Yields
        ------
        X, y : arrays
            (rows, inputs) and (rows, outputs).
        """
        order = np.random.default_rng([seed, epoch]).permutation(self.rows)
        preparation = self.preparation
        for start in range(0, self.rows, BLOCK):
            rows = order[start : start + BLOCK]
            yield preparation.transform(self.columns, rows), preparation.transform_target(self.target, rows)

    def whole(self) -> tuple[Floats, Floats, Preparation]:
        """X, y and the preparation, fitted to all rows, in the file's order: to inspect, not to evaluate a model.

        Returns
        -------
        X, y : arrays
            (N, inputs) and (N, outputs).
        preparation : Preparation
            How the columns become inputs, for new rows.

        Examples
        --------
        >>> table = TrainingTable((Numbers("x", np.arange(3.0)),), Numbers("y", np.arange(3.0)), False, ())
        >>> table.whole()[0].ravel().tolist()
        [0.0, 1.0, 2.0]
        """
        preparation = self.preparation
        return preparation.transform(self.columns), preparation.transform_target(self.target), preparation

    def weighed(self, name: str, path: str) -> TrainingTable:
        """Weight each row by that column, which is then not an input."""
        place = column_index(name, [column.name for column in self.columns], path, "to weigh rows by")
        column = self.columns[place]
        if not isinstance(column, Numbers) or not np.isfinite(column.values).all() or (column.values < 0).any():
            raise InputError(f"--weights takes a column of numbers of at least 0, but {quoted(name)} is not")
        others = tuple(other for other in self.columns if other.name != name)
        if not others:
            raise InputError(f"{path} has no column but the target and the weights; there must be one to learn from")
        beyond = tuple(m for k, m in enumerate(self.beyond) if k != place)
        weight = column.values.astype(np.float64)
        return replace(self, columns=others, left_out=(*self.left_out, name), beyond=beyond, weight=weight)

    def balanced(self) -> TrainingTable | None:
        """Weights that give all classes the same total; None if the target is not a class.

        >>> table = TrainingTable((), Categories("y", np.array([0, 0, 1]), ("no", "yes")), True, ()).balanced()
        >>> table.weight.tolist()
        [0.75, 0.75, 1.5]
        """
        if not isinstance(self.target, Categories):
            return None
        codes = self.target.values
        counts = np.bincount(codes, minlength=len(self.target.categories))
        weight: Floats = (len(codes) / np.count_nonzero(counts) / counts)[codes]
        return replace(self, weight=weight if self.weight is None else weight * self.weight)

    def _cover(self, train: NDArray[np.intp], valid: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Move held-out rows to training if it would otherwise miss a category, a class, or a second number."""
        needed: set[int] = set()
        for column in (*self.columns, self.target):
            values = column.values
            if isinstance(column, Categories):
                codes, first = np.unique(values[valid], return_index=True)
                missing = ~np.isin(codes, values[train])
                needed.update(valid[first[missing]].tolist())
                continue
            for _ in range(2):
                seen = values[[*needed]] if needed else values[:0]
                seen = np.concatenate([values[train], seen])
                seen = seen[~np.isnan(seen)]
                other = ~np.isnan(values[valid]) & (values[valid] != seen[0] if len(seen) else True)
                if (len(seen) and (seen != seen[0]).any()) or not other.any():
                    break
                needed.add(int(valid[np.argmax(other)]))
        moved = np.array(sorted(needed), dtype=train.dtype)
        return np.concatenate([train, moved]), valid[~np.isin(valid, moved)]

    def _fit(self, rows: NDArray[np.intp]) -> Preparation:
        beyond = self.beyond[:-1] or (NO_MOMENTS,) * len(self.columns)
        inputs = tuple(c.fit(rows, self.standardize, more) for c, more in zip(self.columns, beyond, strict=True))
        return Preparation(inputs, self._fit_target(rows), self.left_out, self.dialect)

    def _fit_target(self, rows: NDArray[np.intp]) -> Target:
        name = self.target.name
        if isinstance(self.target, Categories):
            classes = self.target.categories
            return Target(name, "binary" if len(classes) == 2 else "multiclass", classes=classes)
        scale = (0.0, 1.0)
        if self.standardize:
            scale = mean_and_scale(
                self.target.values[rows].astype(np.float64), name, self.beyond[-1] if self.beyond else NO_MOMENTS
            )
        return Target(
            name, "regression", *scale, form=self.target.form if isinstance(self.target, Numbers) else PLAIN_NUMBER
        )
