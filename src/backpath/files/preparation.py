"""How a table's columns become a network's inputs X and targets y, and its outputs become predictions.

It is stored with the model, which needs it: the means, scales, categories and fill values are those of the training
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import (
    DATE_LABELS,
    KINDS,
    CategoryInput,
    ColumnInput,
    DateInput,
    NumberInput,
    number_scale,
    scaled,
)
from backpath.files.column_values import Categories, ColumnValues, Rows
from backpath.files.dates import DATE_FORMS
from backpath.files.dialect import Dialect
from backpath.files.forms import PLAIN_NUMBER, NumberForm
from backpath.files.json_dataclasses import checked_keys, from_kept
from backpath.files.wording import listed, plain, quoted
from backpath.maths.arrays import Floats

ROWS_AT_ONCE = 4096  # their cache lines in X stay in the cache from one column to the next


@dataclass(frozen=True)
class Target:
    """The column to predict.

    ``regression``: y = (value - mean) / scale. ``binary``: y = 1 for the second of two classes, 0 for the first.
    ``multiclass``: one output per class (one-hot).

    Attributes
    ----------
    name : str
        The column's name.
    task : "regression" | "binary" | "multiclass"
        What is predicted: a number, one of two classes, or one of more.
    mean : float
        The mean that is subtracted from a number.
    scale : float
        What a number is then divided by.
    classes : tuple of str
        The names of the classes; none for regression.
    form : NumberForm
        How numbers are written in the file.
    """

    name: str
    task: str
    mean: float = 0.0
    scale: float = 1.0
    classes: tuple[str, ...] = ()
    form: NumberForm = PLAIN_NUMBER

    @property
    def outputs(self) -> int:
        """The number of outputs of a network that predicts it."""
        return len(self.classes) if self.task == "multiclass" else 1


@dataclass(frozen=True)
class Predictions:
    """A network's predictions in the target's terms.

    Attributes
    ----------
    values : array (N,)
        Numbers in the target's units, or the classes' names.
    probabilities : array (N, classes) | None
        One column per class, in the order of ``classes``; None for regression.
    classes : tuple of str
        The names of the classes; none for regression.
    """

    values: NDArray[Any]
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preparation:
    """The inputs and target of a model that was trained on a table.

    Attributes
    ----------
    inputs : tuple of column inputs
        One for each column that is an input: how its cells become one or more numbers.
    target : Target
        The column to predict.
    left_out : tuple of str
        Columns of the table that are not inputs.
    dialect : Dialect
        The format of the training table's file.

    Examples
    --------
    >>> prepared = Preparation((NumberInput("size", 2.0, 0.5), CategoryInput("colour", ("blue", "red"))),
    ...                        Target("price", "regression", 10.0, 4.0))
    >>> prepared.input_labels
    ('size', 'colour = blue', 'colour = red')
    >>> prepared.inverse_target(np.array([[0.5]])).values
    array([12.])
    """

    inputs: tuple[ColumnInput, ...]
    target: Target
    left_out: tuple[str, ...] = ()  # columns of the table that are not inputs
    dialect: Dialect = field(default_factory=Dialect)  # the format of the training table's file

    @classmethod
    def of_arrays(cls, inputs: int, task: str = "regression") -> Preparation:
        """The columns X1, X2 … and y, unscaled, for a network that was trained on arrays.

        >>> Preparation.of_arrays(2).input_labels
        ('X1', 'X2')
        """
        classes = ("0", "1") if task == "binary" else ()
        columns = tuple(NumberInput(f"X{i}") for i in range(1, inputs + 1))
        return cls(columns, Target("y", task, classes=classes))

    @property
    def is_plain(self) -> bool:
        """Whether inputs and outputs are the table's numbers, unscaled."""
        target = self.target
        as_it_is = (target.mean, target.scale) == (0, 1) and (
            target.task == "regression" or target.classes == ("0", "1")
        )
        return as_it_is and all(column.is_plain for column in self.inputs)

    @property
    def input_labels(self) -> tuple[str, ...]:
        """The labels of the inputs X1, X2 …, such as ``petal length``, ``colour = red`` and ``day: month (sin)``."""
        return tuple(label for column in self.inputs for label in column.labels)

    def transform(self, columns: Sequence[ColumnValues], rows: Rows = slice(None)) -> Floats:
        """X of shape (rows, inputs), from columns in the order of ``inputs``."""
        return self.encode([column.values for column in columns], rows)

    def encode(self, values: Sequence[NDArray[Any]], rows: Rows = slice(None)) -> Floats:
        """X of shape (rows, inputs), from the columns' values; NaN for unusable cells."""
        count = len(values[0][rows])
        X = np.empty((count, len(self.input_labels)))
        # scattered rows are gathered column by column, contiguous ones are written in blocks
        step = ROWS_AT_ONCE if isinstance(rows, slice) else max(1, count)
        for start in range(0, count, step):
            here = slice(start, start + step)
            place = 0
            for column, cells in zip(self.inputs, values, strict=True):
                inputs = column.encode(cells[rows][here])
                X[here, place : place + inputs.shape[1]] = inputs
                place += inputs.shape[1]
        return X

    def transform_target(self, target: ColumnValues, rows: Rows = slice(None)) -> Floats:
        """y of shape (rows, outputs)."""
        if not isinstance(target, Categories):
            return scaled(target.values[rows].astype(np.float64), self.target.mean, self.target.scale).reshape(-1, 1)
        values = target.values[rows]
        if self.target.task == "binary":
            return values.astype(np.float64).reshape(-1, 1)
        return one_hot(values, self.target.outputs)

    def inverse_target(self, A: NDArray[np.floating]) -> Predictions:
        """Predictions from the network's outputs.

        Parameters
        ----------
        A : array
            The outputs, (N, outputs).

        Returns
        -------
        Predictions
            In the target's units, or by class.

        Raises
        ------
        InputError
            If A has another number of columns.
        """
        outputs = np.asarray(A, dtype=np.float64)
        if outputs.ndim != 2 or outputs.shape[1] != self.target.outputs:
            raise InputError(f"A must have shape (N, {self.target.outputs}), but has shape {outputs.shape}")
        if self.target.task == "regression":
            return Predictions(outputs[:, 0] * self.target.scale + self.target.mean)
        if self.target.task == "binary":
            chosen, probabilities = outputs[:, 0] >= 0.5, np.hstack([1 - outputs, outputs])
        else:
            chosen, probabilities = outputs.argmax(axis=1), outputs
        return Predictions(np.array(self.target.classes)[chosen.astype(int)], probabilities, self.target.classes)

    def labels(self, y: NDArray[np.floating]) -> NDArray[Any]:
        """The target in the file's form, from targets as a network has them.

        Parameters
        ----------
        y : array
            The targets, (N, outputs).

        Returns
        -------
        array
            Numbers or the classes' names, (N,).
        """
        return self.inverse_target(y).values

    def describe(self) -> list[str]:
        """The inputs and the target in words.

        Returns
        -------
        list of str
            Lines of plain text.
        """
        lines, place = [], 1
        for column in self.inputs:
            last = place + len(column.labels) - 1
            inputs = f"X{place}" if last == place else f"X{place}…X{last}"
            lines.append(f"{inputs}  {plain(column.name)}: {column.describe()}")
            place = last + 1
        name = f"target  {plain(self.target.name)}"
        if self.target.task == "regression":
            return [*lines, f"{name}: {number_scale(self.target.mean, self.target.scale)}"]
        return [*lines, f"{name}: one of {listed(self.target.classes)}"]

    def to_dict(self) -> dict[str, Any]:
        """The preparation as JSON data."""
        kept = asdict(self)
        inputs = [{"kind": column.kind, **asdict(column)} for column in self.inputs]
        return {**kept, "inputs": inputs, "left_out": list(self.left_out)}

    @classmethod
    def from_dict(cls, kept: object) -> Preparation:
        """A preparation from the data of ``to_dict``; InputError if anything in it is not valid."""
        fields = checked_keys(kept, ["inputs", "target", "left_out", "dialect"], "the preparation")
        if not isinstance(fields["inputs"], list):
            raise InputError(f"the preparation: inputs must be of type list, not {type(fields['inputs']).__name__}")
        inputs = tuple(_input_from(column, f"input {place}") for place, column in enumerate(fields["inputs"], 1))
        if not inputs:
            raise InputError("the preparation has no inputs")
        left_out = fields["left_out"]
        if type(left_out) is not list or not all(isinstance(name, str) for name in left_out):
            raise InputError("the preparation: left_out must be a list of names")
        dialect = from_kept(Dialect, fields["dialect"], "the dialect")
        return cls(inputs, _target_from(fields["target"]), tuple(left_out), dialect)


def one_hot(codes: NDArray[np.integer], count: int) -> Floats:
    """
    >>> one_hot(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    y = np.zeros((len(codes), count))
    y[np.arange(len(codes)), codes] = 1
    return y


def _target_from(kept: object) -> Target:
    if type(kept) is not dict:
        raise InputError(f"the preparation: target must be of type dict, not {type(kept).__name__}")
    target = from_kept(Target, kept, "the target")
    _check_scale(target.mean, target.scale, "the target")
    _check_texts(target.classes, "the target's classes")
    count = len(target.classes)
    if not {"regression": count == 0, "binary": count == 2, "multiclass": count > 2}.get(target.task, False):
        raise InputError(f"the target's task {quoted(target.task)} does not go with {count} classes")
    return target


def _input_from(kept: object, what: str) -> ColumnInput:
    kind = kept.get("kind") if isinstance(kept, dict) else None
    if not isinstance(kept, dict) or kind not in KINDS:
        raise InputError(f"{what} must be of the kind {' or '.join(KINDS)}")
    column = from_kept(KINDS[kind], {key: value for key, value in kept.items() if key != "kind"}, what)
    if isinstance(column, CategoryInput):
        _check_texts(column.categories, f"{what}'s categories")
        if len(column.labels) < 2:
            raise InputError(f"{what} must have at least two categories")
        return column
    _check_numbers(column, what)
    return column


def _check_numbers(column: NumberInput | DateInput, what: str) -> None:
    _check_scale(column.mean, column.scale, what)
    if column.fill is not None and not np.isfinite(column.fill):
        raise InputError(f"{what}: fill must be finite, but is {column.fill}")
    if isinstance(column, DateInput) and (column.form not in DATE_FORMS or not set(column.parts) <= set(DATE_LABELS)):
        raise InputError(f"{what}: the date's form {quoted(column.form)} or its parts are unknown")


def _check_scale(mean: float, scale: float, what: str) -> None:
    if not (np.isfinite([mean, scale]).all() and scale > 0):
        raise InputError(f"{what}: mean {mean} and scale {scale} must be finite, and the scale above 0")


def _check_texts(texts: tuple[str, ...], what: str) -> None:
    if len(set(texts)) != len(texts):
        raise InputError(f"{what} must be different texts")
