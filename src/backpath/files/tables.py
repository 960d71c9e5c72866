"""Tables in: a file to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, date_parts
from backpath.files.column_values import Categories, ColumnValues, Dates, Numbers, mean_and_scale
from backpath.files.columns import profiles
from backpath.files.deciding import MOST_CLASSES, Decision, decide
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.forms import PLAIN
from backpath.files.notices import EMPTY, left_out_notes, missing_note, refuse
from backpath.files.opening import open_table
from backpath.files.preparation import Preparation, Target
from backpath.files.reading import read_values, with_kind
from backpath.files.sources import Column, Source
from backpath.files.wording import column_index, counted, quoted
from backpath.maths.arrays import Floats

_FEW = 20  # different whole numbers, and fewer than a tenth of the rows: such a target is taken as classes


@dataclass(frozen=True)
class Division:
    """Rows of a table to train on and rows held out, prepared by the former.

    Attributes
    ----------
    rows, held_out : places of the rows in the table
    X, y, X_held_out, y_held_out : as a network takes them
    """

    rows: NDArray[np.intp]
    held_out: NDArray[np.intp]
    X: Floats = field(repr=False)
    y: Floats = field(repr=False)
    X_held_out: Floats = field(repr=False)
    y_held_out: Floats = field(repr=False)
    preparation: Preparation = field(repr=False)


@dataclass(frozen=True)
class TrainingTable:
    """A table to train on, as it was read: not yet standardised, for that must not see the rows held out.

    Attributes
    ----------
    columns, target : the values of the input columns in the file's order, and of the target
    standardize : bool
    notes : tuple of str
        What a user should know of how the table was taken.
    left_out : tuple of str
        Columns that are no inputs.
    dialect : how the file was written
    """

    columns: tuple[ColumnValues, ...]
    target: ColumnValues
    standardize: bool
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.target.values)

    @property
    def X(self) -> Floats:
        """The inputs of all rows, of shape (N, inputs), prepared by all of them."""
        return self.whole()[0]

    @property
    def y(self) -> Floats:
        """The targets of all rows, of shape (N, outputs)."""
        return self.whole()[1]

    @property
    def preparation(self) -> Preparation:
        """How the columns become ``X`` and ``y``, by all rows."""
        return self._fit(np.arange(self.rows))

    @property
    def labels(self) -> NDArray[Any]:
        """The target of each row as the file has it, of shape (N,): numbers, or the classes' names, as estimators take
        it."""
        if isinstance(self.target, Categories):
            names: NDArray[Any] = np.array(self.target.categories)[self.target.values]
            return names
        return self.target.values

    def split(self, validation_share: float = 0.2, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats, Preparation]:
        """Arrays to train on and arrays to validate with, prepared by the training rows alone.

        Rows are shuffled by the seed. Every category and class, and two values of every number column, are among the
        training rows: a held-out row that alone has one changes sides. The validation arrays have no rows where the
        share of a small table is less than one row.

        Parameters
        ----------
        validation_share : float
            The share of the rows to hold out, from 0 to less than 1.
        seed : int
            How the rows are shuffled.

        Returns
        -------
        X_train, y_train, X_valid, y_valid : arrays
            (rows, inputs) and (rows, outputs).
        preparation : Preparation
            How they came to be, for new rows.

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
        order = np.random.default_rng(seed).permutation(self.rows)
        held_out = int(self.rows * validation_share)
        found = self.divided(order[held_out:], order[:held_out])
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
        )

    def whole(self) -> tuple[Floats, Floats, Preparation]:
        """X, y and the preparation, fitted on all rows, in the file's order: to look at, not to judge a model by.

        Returns
        -------
        X, y : arrays
            (N, inputs) and (N, outputs).
        preparation : Preparation
            How they came to be, for new rows.

        Examples
        --------
        >>> table = TrainingTable((Numbers("x", np.arange(3.0)),), Numbers("y", np.arange(3.0)), False, ())
        >>> table.whole()[0].ravel().tolist()
        [0.0, 1.0, 2.0]
        """
        preparation = self.preparation
        return preparation.transform(self.columns), preparation.transform_target(self.target), preparation

    def _cover(self, train: NDArray[np.intp], valid: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Move the held-out rows without which training would miss a category, class, or a second number."""
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
        inputs = tuple(column.fit(rows, self.standardize) for column in self.columns)
        return Preparation(inputs, self._fit_target(rows), self.left_out, self.dialect)

    def _fit_target(self, rows: NDArray[np.intp]) -> Target:
        name = self.target.name
        if isinstance(self.target, Categories):
            classes = self.target.categories
            return Target(name, "binary" if len(classes) == 2 else "multiclass", classes=classes)
        scale = mean_and_scale(self.target.values[rows], name) if self.standardize else (0.0, 1.0)
        return Target(name, "regression", *scale, form=self.target.form if isinstance(self.target, Numbers) else PLAIN)


def read_training_table(
    path: PathLike | Sequence[PathLike],
    target: str,
    choices: Choices | None = None,
    dialect: Dialect | None = None,
) -> TrainingTable:
    """A table to train on: every column but the target is an input, except those that say nothing of other rows.

    Numbers (also with currency, units, or a decimal comma), categories and dates are known by all of a column's cells.
    A target of text is taken as classes, and so is one of a few whole numbers; other numbers as regression. The notes
    say what was decided.

    Parameters
    ----------
    path : str, path, or a sequence of them
        A file, several whose rows follow each other, or a pattern; see ``open_table``.
    target : str
        The column to predict.
    choices : Choices, optional
        How columns are to be taken, where their cells do not decide.
    dialect : Dialect, optional
        How a CSV file is written.

    Raises
    ------
    InputError
        All that keeps the table from being trained on, with file, line, column and value, and what would do.
    """
    wanted = choices or Choices()
    with open_table(path, dialect, wanted=(target,)) as source:
        goal, inputs = choose(source, target, wanted)
        decisions = decide_all(source, [*inputs, goal], wanted, goal)
        check_usable(source, decisions, wanted)
        return _table(source, decisions, wanted)


def read_table(
    path: PathLike | Sequence[PathLike],
    target: str,
    *,
    task: str | None = None,
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    ignore: Sequence[str] = (),
    keep: Sequence[str] = (),
    missing: str = "fill",
    dates: str | None = None,
    standardize: bool = True,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    na: Sequence[str] = (),
) -> TrainingTable:
    """A table prepared for ``train`` and the estimators as the command line prepares it.

    Parameters
    ----------
    path : str, path, or a sequence of them
        A file, several whose rows follow each other, or a pattern: CSV, Parquet, JSON lines, .xlsx, also compressed.
    target : str
        The column to predict.
    task : "regression" | "classification", optional
        By default what the target's cells suggest.
    categorical, numeric : sequences of str
        Columns to take as categories, or as numbers (cells that are no numbers count as missing).
    ignore, keep : sequences of str
        Columns to leave out, and to use though they would be left out.
    missing : "fill" | "drop" | "refuse"
        Fill missing inputs, leave such rows out, or refuse the table.
    dates : "day-first" | "month-first", optional
        How to read dates such as 3/4/2020; by default as the column's other dates decide.
    standardize : bool
        Whether number columns are brought to mean 0 and standard deviation 1.
    delimiter, encoding, decimal : str, optional
        How a CSV file is written; by default as the file suggests.
    header : bool, optional
        Whether the first line names the columns; by default as the file suggests.
    na : sequence of str
        Cells that mean "missing", besides the usual ones.

    Returns
    -------
    TrainingTable
        With ``X`` (N, inputs) and ``y`` (N, outputs) of all rows, ``preparation`` (how they came to be, for new rows
        and for a ``Model``), ``labels`` (N,) for estimators, ``notes``, and ``split()`` for training and held-out rows.

    Raises
    ------
    InputError
        All that keeps the table from being trained on.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "heating.csv")
    ...     _ = path.write_text("size,fuel,price\\n50,gas,200\\n,gas,230\\n70,oil,260\\n")
    ...     table = read_table(path, target="price")
    >>> table.X.shape, table.y.shape, table.preparation.input_labels
    ((3, 4), (3, 1), ('size', 'size: missing', 'fuel = gas', 'fuel = oil'))
    """
    choices = Choices(task, tuple(categorical), tuple(numeric), tuple(ignore), tuple(keep), missing, dates, standardize)
    return read_training_table(path, target, choices, Dialect(delimiter, encoding, decimal, header, tuple(na)))


def choose(source: Source, target: str, choices: Choices) -> tuple[Column, list[Column]]:
    """The target and the columns that may be inputs."""
    names = source.names
    goal = column_index(target, names, source.path, "to be the target", "--target")
    for listed, role in (
        (choices.categorical, "to take as categories"),
        (choices.numeric, "to take as numbers"),
        (choices.keep, "to keep"),
    ):
        for name in listed:
            column_index(name, names, source.path, role)
    left_out = {column_index(name, names, source.path, "to ignore") for name in choices.ignore}
    if goal in left_out:
        raise InputError(f"column {quoted(target)} cannot be both the target and ignored; drop one")
    inputs = [column for k, column in enumerate(source.columns) if k != goal and k not in left_out]
    if not inputs:
        raise InputError(
            f"{source.path} has no column but the target {quoted(target)}; there must be one to learn from"
        )
    return source.columns[goal], inputs


def decide_all(source: Source, columns: Sequence[Column], choices: Choices, goal: Column | None) -> list[Decision]:
    """What is done with each column."""
    found = profiles(source, columns)
    if found[0].rows < 2:
        rows = "a header but no rows; add rows below it" if found[0].rows == 0 else "1 row; training needs at least 2"
        raise InputError(f"{source.path} holds {rows}")
    return [decide(source, c, p, choices, is_target=c is goal) for c, p in zip(columns, found, strict=True)]


def check_usable(source: Source, decisions: Sequence[Decision], choices: Choices) -> None:
    """Refuse a table in which something keeps it from being trained on: all of it at once."""
    *inputs, goal = decisions
    problems = [(d.problem, d.options) for d in decisions if d.problem]
    where = f"{source.path}, column {quoted(goal.name)}"
    if goal.left_out:
        problems.append((f"{where}: {goal.left_out}; there is nothing to learn", ()))
    elif isinstance(goal.kind, CategoryInput) and choices.task == "regression":
        _, value = source.first(f"{goal.column.text} IS NOT NULL", goal.column)
        problems.append(
            (f"{where}: the target holds text ({quoted(value)}), so it cannot be regression; drop --task", ())
        )
    elif goal.kind is not None and goal.profile.low == goal.profile.high and goal.profile.all_numbers:
        problems.append((f"{where}: the target is {goal.profile.low:g} in every row; there is nothing to learn", ()))
    if choices.missing == "refuse":
        gaps = [d for d in inputs if d.kind is not None and d.missing]
        problems += [
            (f"{source.path}, column {quoted(d.name)}: {counted(d.missing, 'cell')} of {d.profile.rows:,} "
             f"{'is' if d.missing == 1 else 'are'} missing; --missing fill fills them in, drop leaves the rows out",
             ("--missing", "fill"))
            for d in gaps
        ]  # fmt: skip
    if not problems and not any(d.kind for d in inputs):
        reasons = "; ".join(f"{d.name!r}: {d.left_out}" for d in inputs)
        options = tuple(part for d in inputs if d.left_out not in EMPTY for part in ("--keep-column", d.name))
        problems.append((f"{source.path}: nothing is left to learn from ({reasons})", options))
    refuse(source.path, problems)


def _table(source: Source, decisions: Sequence[Decision], choices: Choices) -> TrainingTable:
    used = [d for d in decisions if d.kind is not None]
    plan = [(d.column, d.kind) for d in used if d.kind is not None]
    values = read_values(source, plan, target=decisions[-1].column)
    if len({len(v) for v in values}) != 1 or len(values[0]) != decisions[0].profile.rows:
        raise InputError(f"{source.path} changed while it was read; read it again")
    *columns, goal = [with_kind(kind, v) for (_, kind), v in zip(plan, values, strict=True)]
    columns = [_with_parts(column) if isinstance(column, Dates) else column for column in columns]
    columns, goal, notes = _rows_left(source, columns, goal, choices)
    constant = [column.name for column in columns if _is_constant(column)]
    columns = [column for column in columns if not _is_constant(column)]
    if not columns:
        raise InputError(f"{source.path}, columns {', '.join(map(repr, constant))}: the same in every row that is left")
    target, told = _classes(source, decisions[-1].column, goal, choices.task)
    left = [(d.name, d.left_out) for d in decisions if d.left_out] + [
        (name, "the same in every row") for name in constant
    ]
    return TrainingTable(
        tuple(columns),
        target,
        choices.standardize,
        (*source.notes, *left_out_notes(left), *(n for d in used for n in d.notes), *notes, *told),
        tuple(name for name in source.names if name not in {column.name for column in columns} - {goal.name}),
        replace(source.dialect, decimal=source.dialect.decimal),
    )


def _rows_left(
    source: Source, columns: list[ColumnValues], goal: ColumnValues, choices: Choices
) -> tuple[list[ColumnValues], ColumnValues, list[str]]:
    """The rows to train on, and what is said of missing cells."""
    notes = []
    keep = ~goal.missing
    if not keep.all():
        notes.append(f"left out {counted(int((~keep).sum()), 'row')} of {len(keep):,} in which the target is missing")
    whole = keep.copy()
    for column in columns:
        whole &= ~column.missing
    gaps = [(column, int(column.missing[keep].sum())) for column in columns]
    gaps = [(column, count) for column, count in gaps if count]
    if gaps:
        notes.append(missing_note(gaps, int(whole.sum()), int(keep.sum()), choices.missing))
    keep = whole if choices.missing == "drop" else keep
    if keep.sum() < 2:
        raise InputError(
            f"{source.path}: {counted(int(keep.sum()), 'row')} of {len(keep):,} would be left, for the others have "
            "missing cells; training needs at least 2",
            options=("--missing", "fill") if choices.missing == "drop" else (),
        )
    if keep.all():
        return columns, goal, notes
    return [c.take(keep) for c in columns], goal.take(keep), notes


def _is_constant(column: ColumnValues) -> bool:
    if isinstance(column, Categories):
        return bool((column.values == column.values[0]).all())
    present = column.values[~column.missing]
    return len(present) == 0 or bool(present.min() == present.max()) or (isinstance(column, Dates) and not column.parts)


def _with_parts(column: Dates) -> Dates:
    """The parts of a date that differ among its rows."""
    days = column.values[np.isfinite(column.values)]
    if len(days) == 0 or days.min() == days.max():
        return column
    found = date_parts(days)
    moments = ["hour"] if len(np.unique(found["hour"])) > 1 else []
    if column.form == "time of day":
        return replace(column, parts=tuple(moments))
    dates = np.floor(days).astype("datetime64[D]")
    years, months = len(np.unique(found["year's first day"])), len(np.unique(found["month"]))
    if (np.floor(days) == found["year's first day"]).all():
        return replace(column, parts=("year", *moments))
    monthly = bool((dates == dates.astype("datetime64[M]")).all())
    parts = ["days"]
    parts += ["year"] if years > 1 else []
    parts += ["month"] if months > 2 else []
    parts += ["weekday"] if not monthly and len(np.unique(found["weekday"])) > 1 else []
    return replace(column, parts=(*parts, *moments))


def _classes(source: Source, goal: Column, y: ColumnValues, task: str | None) -> tuple[ColumnValues, tuple[str, ...]]:
    """The target as classes, if it is or shall be, and what to tell about the choice."""
    if isinstance(y, Categories):
        return _present_classes(source, y), ()
    if not isinstance(y, Numbers) or task == "regression":
        return y, ()
    distinct = np.unique(y.values)
    few = len(distinct) <= _FEW and len(distinct) < len(y.values) / 10 and (distinct == np.floor(distinct)).all()
    binary = distinct.tolist() == [0.0, 1.0]
    if not (few or binary or task == "classification"):
        return y, ()
    if len(distinct) > MOST_CLASSES or (len(distinct) > 20 and len(distinct) > len(y.values) / 2):
        raise InputError(
            f"{source.path}, column {quoted(goal.name)}: {len(distinct):,} different values in {len(y.values):,} rows "
            "are too many for classes; give a target with few, or --task regression if they are numbers",
            options=("--task", "regression"),
        )
    note = (
        f"target {goal.name!r} holds {len(distinct)} different whole numbers and is taken as classes; "
        "--task regression takes it as a number"
    )
    chosen = Categories(
        y.name, np.searchsorted(distinct, y.values).astype(np.int16), _class_names(source, goal, y, distinct)
    )
    return chosen, () if binary or task else (note,)


def _class_names(source: Source, goal: Column, y: Numbers, distinct: Floats) -> tuple[str, ...]:
    """The numbers as the cells write them; of several ways the most frequent one."""
    plain = tuple(str(int(v)) if v.is_integer() and abs(v) < 2**53 else repr(v) for v in distinct.tolist())
    if goal.number:
        return plain
    found = dict(
        source.rows(
            f"SELECT n, arg_max(trim(t), c) FROM (SELECT {y.form.sql(goal.text)} AS n, {goal.text} AS t, count(*) AS c "
            "FROM {table} GROUP BY ALL) WHERE n IS NOT NULL GROUP BY n"
        )
    )
    return tuple(found.get(value, name) for value, name in zip(distinct.tolist(), plain, strict=True))


def _present_classes(source: Source, y: Categories) -> Categories:
    """Without classes that only rows had which are left out."""
    codes = np.unique(y.values)
    if len(codes) == 1:
        raise InputError(
            f"{source.path}, column {quoted(y.name)}: every row is of the same class, "
            f"{quoted(y.categories[codes[0]])}; there must be at least two"
        )
    names = tuple(y.categories[code] for code in codes)
    return replace(y, values=np.searchsorted(codes, y.values).astype(np.int16), categories=names)
