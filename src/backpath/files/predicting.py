"""Reads rows to predict, in blocks, with the cells read as in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import MISSING, OTHER, CategoryInput, ColumnInput, DateInput
from backpath.files.forms import literal
from backpath.files.preparation import Preparation
from backpath.files.reading import cell_sql
from backpath.files.sources import Column, Source
from backpath.files.wording import column_index, listed, quoted
from backpath.maths.arrays import Floats

_BLOCK = 4_000_000  # numbers in a block of rows
_SPOOLED = 200_000  # rows; more are first written to a temporary Parquet file
_PARTS = 200  # arguments of one function
_MARK = "\x1f"  # between the reasons of one row


@dataclass(frozen=True)
class RowBlock:
    """Some rows to predict.

    Attributes
    ----------
    X : array (N, inputs); unusable rows contain NaN
    problems : list of N texts, "" for usable rows
    kept : columns to copy to the output as text; None for no value
    """

    X: Floats
    problems: NDArray[Any]
    kept: list[NDArray[Any]]


@dataclass
class Findings:
    """The findings in rows to predict: unknown categories and missing cells by column, unusable rows, the largest input
    in absolute value."""

    rows: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    unusable: int = 0
    largest: float = 0.0


class PredictionTable:
    """The rows of an open table as a model's inputs.

    Raises
    ------
    InputError
        If the table lacks a column of training, or one to keep.
    """

    def __init__(self, source: Source, preparation: Preparation, keep: Sequence[str] = ()):
        self.source, self.preparation = source, preparation
        role = "which the model was trained with"
        names = source.names
        known = {*(kind.name for kind in preparation.inputs), *preparation.left_out}
        for name, said in source.repeated.items():
            if name not in known:
                raise InputError(f"{said}; rename one of them")
        self.columns: list[tuple[Column, ColumnInput]] = [
            (source.columns[column_index(kind.name, names, source.path, role)], kind) for kind in preparation.inputs
        ]
        self.keep = [source.columns[column_index(name, names, source.path, "to keep", "--keep")] for name in keep]
        for column, _ in self.columns:
            if column.problem:
                raise InputError(
                    f"{source.path}, column {quoted(column.name)}: {column.problem}; expected numbers or text"
                )
        self._read_from = self._spool()

    def _cells(self) -> tuple[list[str], dict[str, object]]:
        """SQL for the values of all columns, the problems of each row, and the kept cells."""
        own = self.source.dialect.missing
        values = [cell_sql(column, kind, own, k) for k, (column, kind) in enumerate(self.columns)]
        wrong = [
            f"CASE WHEN isinf({value}) THEN '{k}=' || {column.text} END"
            for k, ((column, kind), value) in enumerate(zip(self.columns, values, strict=True))
            if not isinstance(kind, CategoryInput)
        ]
        parts = [", ".join(wrong[start : start + _PARTS]) for start in range(0, len(wrong), _PARTS)]
        mark = literal(_MARK)
        reasons = ", ".join(f"nullif(concat_ws({mark}, {part}), '')" for part in parts)
        problem = f"concat_ws({mark}, {reasons})" if parts else "''"
        lists: dict[str, object] = {
            f"k{k}": list(kind.categories)
            for k, (_, kind) in enumerate(self.columns)
            if isinstance(kind, CategoryInput)
        }
        return [*values, problem, *(column.text for column in self.keep)], lists

    def _spool(self) -> Source:
        """The cells as values: in the database, or for a long table in a temporary Parquet file with quick access to
        any rows."""
        self.rows = int(self.source.rows("SELECT count(*) FROM {table}")[0][0])
        if self.rows == 0:
            raise InputError(f"{self.source.path} holds a header but no rows; add rows below it")
        cells, lists = self._cells()
        chosen = f"SELECT {', '.join(f'{cell} AS v{k}' for k, cell in enumerate(cells))} FROM {{table}}"
        if self.rows <= _SPOOLED:
            self.source.rows(f"CREATE OR REPLACE TEMP TABLE prepared AS {chosen}", **lists)
            relation = "(SELECT *, rowid AS file_row_number FROM prepared)"
        else:
            file = self.source.folder / "prepared.parquet"
            self.source.rows(f"COPY ({chosen}) TO {literal(str(file))} (FORMAT parquet, ROW_GROUP_SIZE 20480)", **lists)
            relation = f"read_parquet({literal(str(file))}, file_row_number=true)"
        return Source(
            self.source.path, (), relation, {}, self.source.connection, self.source.folder, str, lambda words: words
        )

    def check(self, refuse_unknown: bool = False, strict: bool = False) -> Findings:
        """Check all rows before any is predicted.

        Raises
        ------
        InputError
            For the first unknown category or unusable row, if these are to be refused.
        """
        found = Findings(self.rows)
        for values, block in self._blocks():
            for k, ((column, kind), cells) in enumerate(zip(self.columns, values, strict=True)):
                if isinstance(kind, CategoryInput):
                    unknown, gaps = int((cells == OTHER).sum()), int((cells == MISSING).sum())
                    if unknown and refuse_unknown and not kind.other:
                        raise self._unknown(k, column, kind)
                    found.unknown[kind.name] += unknown if not kind.other else 0
                else:
                    gaps = int(np.isnan(cells).sum())
                found.filled[kind.name] += gaps
            usable = block.problems == ""
            found.unusable += int((~usable).sum())
            found.largest = max(found.largest, float(np.abs(block.X[usable]).max(initial=0.0)))
            if found.unusable and strict:
                raise InputError(self._first_problem(block))
        return found

    def blocks(self) -> Iterator[RowBlock]:
        """The rows in blocks."""
        for _, block in self._blocks():
            yield block

    def _blocks(self) -> Iterator[tuple[list[NDArray[Any]], RowBlock]]:
        step = max(1000, _BLOCK // max(1, len(self.preparation.input_labels)))
        count = len(self.columns)
        for start in range(0, self.rows, step):
            chosen = f"file_row_number >= {start} AND file_row_number < {start + step}"
            arrays = self._read_from.arrays(
                f"SELECT * EXCLUDE (file_row_number) FROM {{table}} WHERE {chosen} ORDER BY file_row_number"
            )
            values, wrong, kept = arrays[:count], arrays[count], [_texts(a) for a in arrays[count + 1 :]]
            unusable = np.zeros(len(wrong), dtype=bool)
            for (_, kind), cells in zip(self.columns, values, strict=True):
                unusable |= kind.unusable(cells)
            problems = np.full(len(wrong), "", dtype=object)
            for row in np.flatnonzero(unusable).tolist():
                problems[row] = self._reasons(str(wrong[row] or ""), values, row)
            X = self.preparation.encode(values)
            yield values, RowBlock(X, problems, kept)

    def _reasons(self, wrong: str, values: list[NDArray[Any]], row: int) -> str:
        """The problems of a row, in words."""
        cells = dict(part.split("=", 1) for part in wrong.split(_MARK) if "=" in part)
        said = []
        for k, (column, kind) in enumerate(self.columns):
            what = "date" if isinstance(kind, DateInput) else "number"
            if str(k) in cells:
                said.append(f"{column.name!r}: {quoted(cells[str(k)])} is not a {what}")
            elif kind.unusable(values[k][row : row + 1])[0]:
                said.append(f"{column.name!r} is missing")
        return "; ".join(said)

    def _unknown(self, place: int, column: Column, kind: CategoryInput) -> InputError:
        known = list(kind.categories)
        code = cell_sql(column, kind, self.source.dialect.missing, place)
        where, value = self.source.first(f"{code} = {OTHER}", column, **{f"k{place}": known})
        return InputError(
            f"{where}: {quoted(value)} was not among the categories in training, which were {listed(known)}; correct "
            "it, train again with rows that have it, or leave --unknown refuse out"
        )

    def _first_problem(self, block: RowBlock) -> str:
        place = int(np.flatnonzero(block.problems != "")[0])
        done = 0
        for other in self.blocks():
            if (other.problems != "").any():
                break
            done += len(other.problems)
        where = self.source.row_name(done + place + 1)
        return f"{where}: {block.problems[place]}; correct it, or leave --strict out"


def _texts(array: NDArray[Any]) -> NDArray[Any]:
    """An array of texts; None for no value."""
    found = np.array(array, dtype=object)
    if isinstance(array, np.ma.MaskedArray):
        found[np.ma.getmaskarray(array)] = None
    return found


def encode_texts(preparation: Preparation, rows: Sequence[Sequence[str]], where: str) -> Floats:
    """X of rows given as texts, in the order of the preparation's inputs, which are read as in a table.

    Raises
    ------
    InputError
        If a cell is not a number or date, or not one of the categories.

    >>> from backpath.files.column_inputs import NumberInput
    >>> from backpath.files.preparation import Target
    >>> encode_texts(Preparation((NumberInput("a", 1.0, 2.0),), Target("y", "regression")), [["5"]], "--x").tolist()
    [[2.0]]
    """
    names = [f"c{k}" for k in range(len(preparation.inputs))]
    cells = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    columns = tuple(Column(kind.name, name) for kind, name in zip(preparation.inputs, names, strict=True))
    found: list[NDArray[Any]] = []
    with duckdb.connect(":memory:") as connection:
        relation = f"(VALUES {cells}) AS t({', '.join(names)})"
        for k, (column, kind) in enumerate(zip(columns, preparation.inputs, strict=True)):
            lists = {f"k{k}": list(kind.categories)} if isinstance(kind, CategoryInput) else {}
            sql = f"SELECT {cell_sql(column, kind, preparation.dialect.missing, k)} AS v FROM {relation}"
            found.append(np.asarray(connection.execute(sql, lists).fetchnumpy()["v"]))
    for kind, values, texts in zip(preparation.inputs, found, zip(*rows, strict=True), strict=True):
        _check_texts(kind, values, texts, where)
    return preparation.encode(found)


def _check_texts(kind: ColumnInput, values: NDArray[Any], texts: Sequence[str], where: str) -> None:
    """Refuse the first text that cannot be read as in training.

    Parameters
    ----------
    values : the texts as read
    """
    unknown = (values == OTHER) if isinstance(kind, CategoryInput) and not kind.other else kind.unusable(values)
    for text, is_wrong in zip(texts, unknown, strict=True):
        if is_wrong:
            raise InputError(f"{where}, column {quoted(kind.name)} must be {_expected(kind)}, but is {quoted(text)}")


def _expected(kind: ColumnInput) -> str:
    if isinstance(kind, CategoryInput):
        return f"one of {listed(kind.categories)}"
    return "a date or time as in training" if isinstance(kind, DateInput) else "a finite number"
