"""How a table's columns become a network's inputs X and targets y, and its outputs predictions again.

Kept with the model, because a model without it cannot be used: means, scales and categories are those of the rows that
it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.wording import listed, plain, quoted

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NumberInput:
    """A column of numbers, one input: X = (value - mean) / scale (0 and 1 where it is not standardised)."""

    name: str
    mean: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class CategoryInput:
    """A column of text, one input per category (one-hot): 1 where the cell is that category, else 0."""

    name: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """The column to predict.

    ``regression``: y = (value - mean) / scale. ``binary``: y = 1 for the second of two classes, 0 for the first.
    ``multiclass``: one output per class (one-hot).
    """

    name: str
    task: str
    mean: float = 0.0
    scale: float = 1.0
    classes: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        return len(self.classes) if self.task == "multiclass" else 1


@dataclass(frozen=True)
class Numbers:
    """The values of a number column."""

    name: str
    values: Floats


@dataclass(frozen=True)
class Categories:
    """The values of a text column: ``codes[row]`` is a place in ``categories``."""

    name: str
    codes: NDArray[np.integer]
    categories: tuple[str, ...]


ColumnValues = Numbers | Categories


@dataclass(frozen=True)
class Predictions:
    """What a network says about rows, in the target's own terms.

    Attributes
    ----------
    values : array (N,)
        Numbers in the target's units, or the classes' names.
    probabilities : array (N, classes) | None
        By class, in the order of ``classes``; None for regression.
    """

    values: NDArray[Any]
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preparation:
    """The inputs and the target of a model that was trained on a table.

    >>> prepared = Preparation((NumberInput("size", 2.0, 0.5), CategoryInput("colour", ("blue", "red"))),
    ...                        Target("price", "regression", 10.0, 4.0))
    >>> prepared.input_labels
    ('size', 'colour = blue', 'colour = red')
    >>> prepared.inverse_target(np.array([[0.5]])).values
    array([12.])
    """

    inputs: tuple[NumberInput | CategoryInput, ...]
    target: Target

    @classmethod
    def of_arrays(cls, inputs: int, task: str = "regression") -> Preparation:
        """The columns X1, X2 … and y, as they are: of a network that was trained on arrays of numbers.

        >>> Preparation.of_arrays(2).input_labels
        ('X1', 'X2')
        """
        classes = ("0", "1") if task == "binary" else ()
        columns = tuple(NumberInput(f"X{i}") for i in range(1, inputs + 1))
        return cls(columns, Target("y", task, classes=classes))

    @property
    def is_plain(self) -> bool:
        """Whether inputs and outputs are the table's numbers as they are."""
        columns = [*self.inputs, self.target]
        return all(not isinstance(c, CategoryInput) and (c.mean, c.scale) == (0, 1) for c in columns) and (
            self.target.task == "regression" or self.target.classes == ("0", "1")
        )

    @property
    def input_labels(self) -> tuple[str, ...]:
        """What each network input X1, X2 … is: ``petal length``, or ``colour = red``."""
        labels: list[str] = []
        for column in self.inputs:
            if isinstance(column, NumberInput):
                labels.append(plain(column.name))
            else:
                labels += [f"{plain(column.name)} = {plain(category)}" for category in column.categories]
        return tuple(labels)

    def transform(self, columns: Sequence[ColumnValues], rows: NDArray[np.intp] | slice = slice(None)) -> Floats:
        """X of shape (rows, inputs), of the columns in the order of ``inputs``."""
        first = columns[0].values if isinstance(columns[0], Numbers) else columns[0].codes
        X = np.zeros((len(first[rows]), len(self.input_labels)))
        place = 0
        for column, values in zip(self.inputs, columns, strict=True):
            if isinstance(column, NumberInput) and isinstance(values, Numbers):
                X[:, place] = scaled(values.values[rows], column.mean, column.scale)
                place += 1
            elif isinstance(column, CategoryInput) and isinstance(values, Categories):
                X[np.arange(len(X)), place + values.codes[rows]] = 1
                place += len(column.categories)
        return X

    def transform_target(self, values: ColumnValues, rows: NDArray[np.intp] | slice = slice(None)) -> Floats:
        """y of shape (rows, outputs)."""
        if isinstance(values, Numbers):
            return scaled(values.values[rows], self.target.mean, self.target.scale).reshape(-1, 1)
        if self.target.task == "binary":
            return values.codes[rows].astype(np.float64).reshape(-1, 1)
        return one_hot(values.codes[rows], self.target.outputs)

    def inverse_target(self, A: NDArray[np.floating]) -> Predictions:
        """Predictions from the network's outputs A of shape (N, outputs)."""
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

    def describe(self) -> list[str]:
        """The inputs and the target in lines of plain text."""
        lines, place = [], 1
        for column in self.inputs:
            if isinstance(column, NumberInput):
                lines.append(f"X{place}  {plain(column.name)}: {_number_scale(column)}")
                place += 1
            else:
                last = place + len(column.categories) - 1
                lines.append(f"X{place}…X{last}  {plain(column.name)}: one of {listed(column.categories)}")
                place = last + 1
        name = f"target  {plain(self.target.name)}"
        if self.target.task == "regression":
            return [*lines, f"{name}: {_number_scale(self.target)}"]
        return [*lines, f"{name}: one of {listed(self.target.classes)}"]

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        kinds = {NumberInput: "number", CategoryInput: "categories"}
        return {
            "inputs": [{"kind": kinds[type(column)], **asdict(column)} for column in self.inputs],
            "target": asdict(self.target),
        }

    @classmethod
    def from_dict(cls, kept: object) -> Preparation:
        """A preparation from its JSON; InputError if anything in it is not as ``to_dict`` writes it."""
        fields = _fields(kept, {"inputs": list, "target": dict}, "the preparation")
        inputs = tuple(_input_from(column, place) for place, column in enumerate(fields["inputs"], 1))
        if not inputs:
            raise InputError("the preparation has no inputs")
        target = _fields(
            fields["target"], {"name": str, "task": str, "mean": float, "scale": float, "classes": list}, "the target"
        )
        classes = _texts(target.pop("classes"), "the target's classes")
        wanted = {"regression": len(classes) == 0, "binary": len(classes) == 2, "multiclass": len(classes) > 2}
        if not wanted.get(target["task"], False):
            raise InputError(f"the target's task {quoted(target['task'])} does not go with {len(classes)} classes")
        return cls(inputs, Target(**target, classes=classes))


def scaled(values: Floats, mean: float, scale: float) -> Floats:
    """(values - mean) / scale; inf where a value is beyond all numbers of training."""
    with np.errstate(over="ignore"):
        result: Floats = values - mean
        result /= scale
    return result


def one_hot(codes: NDArray[np.integer], count: int) -> Floats:
    """
    >>> one_hot(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    y = np.zeros((len(codes), count))
    y[np.arange(len(codes)), codes] = 1
    return y


def mean_and_scale(values: Floats, name: str) -> tuple[float, float]:
    """The mean and the standard deviation of a column that is not constant, computed so that no square overflows."""
    largest = float(np.abs(values).max())
    relative = values / largest
    mean, scale = float(relative.mean()) * largest, float(relative.std()) * largest
    with np.errstate(over="ignore"):
        extreme = np.array([values.min(), values.max()]) - mean
    if not np.isfinite(extreme).all() or scale < np.finfo(np.float64).tiny:
        raise InputError(
            f"column {quoted(name)} cannot be standardised: its numbers go from {values.min():g} to {values.max():g}; "
            "give it in another unit"
        )
    return mean, scale


def _number_scale(column: NumberInput | Target) -> str:
    if (column.mean, column.scale) == (0.0, 1.0):
        return "number, as it is"
    return f"number, mean {column.mean:.6g}, standard deviation {column.scale:.6g}"


def _fields(kept: object, wanted: Mapping[str, type], what: str) -> dict[str, Any]:
    """The values of a JSON object that has just these keys, of these types."""
    if not isinstance(kept, dict) or set(kept) != set(wanted):
        raise InputError(f"{what} must hold {', '.join(wanted)}, and nothing else")
    for key, kind in wanted.items():
        if type(kept[key]) is not kind:
            raise InputError(f"{what}: {key} must be of type {kind.__name__}, not {type(kept[key]).__name__}")
    if "scale" in kept and not (np.isfinite([kept["mean"], kept["scale"]]).all() and kept["scale"] > 0):
        raise InputError(f"{what}: mean {kept['mean']} and scale {kept['scale']} must be finite, and the scale above 0")
    return dict(kept)


def _input_from(kept: object, place: int) -> NumberInput | CategoryInput:
    what = f"input {place}"
    kind = kept.get("kind") if isinstance(kept, dict) else None
    if kind == "number":
        fields = _fields(kept, {"kind": str, "name": str, "mean": float, "scale": float}, what)
        return NumberInput(fields["name"], fields["mean"], fields["scale"])
    if kind == "categories":
        fields = _fields(kept, {"kind": str, "name": str, "categories": list}, what)
        categories = _texts(fields["categories"], f"{what}'s categories")
        if len(categories) < 2:
            raise InputError(f"{what} must have at least two categories")
        return CategoryInput(fields["name"], categories)
    raise InputError(f"{what} must be of the kind number or categories")


def _texts(values: list[object], what: str) -> tuple[str, ...]:
    texts = tuple(value for value in values if isinstance(value, str))
    if len(texts) != len(values) or len(set(texts)) != len(texts):
        raise InputError(f"{what} must be texts, each there once")
    return texts
