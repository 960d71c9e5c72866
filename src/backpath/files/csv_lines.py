"""A CSV file's header, and where in the file something is: what DuckDB does not say, read line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from backpath.errors import InputError
from backpath.files.dialect import Dialect, suggested_delimiter
from backpath.files.wording import counted, first_duplicate, quoted

_QUOTE = 'a quote (") is opened but not closed before the cell ends; close it, or write "" for a quote in a quoted cell'
_TOO_LONG = f'a cell is longer than {csv.field_size_limit():,} characters; perhaps a quote (") is not closed'


def _records(file: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """(the line where a record begins, its cells); raises csv.Error where a quote is not closed."""
    with file.open(encoding=dialect.reading, newline="") as text:
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                yield line, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise csv.Error(line, _TOO_LONG if "limit" in str(error) else _QUOTE) from None


def header(file: Path, shown: str, dialect: Dialect) -> list[str]:
    """The column names in line 1.

    Raises
    ------
    InputError
        If a name is missing or there twice, or the delimiter seems to be another.
    """
    try:
        _, names = next(_records(file, dialect))
    except csv.Error as error:
        raise InputError(f"{shown}, line 1: {error.args[1]}") from None
    if not names:
        raise InputError(f"{shown}, line 1: the line is blank; expected the column names")
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise InputError(
                f"{shown}, line 1: column {place} has no name; name it, or leave it out "
                "(pandas: to_csv(…, index=False))"
            )
        if "\n" in name or "\r" in name:  # DuckDB takes the first line end that it meets for the file's
            raise InputError(f"{shown}, line 1: the name {quoted(name)} of column {place} holds a line end; rename it")
    repeated = first_duplicate(names)
    if repeated is not None:
        places = [str(k) for k, name in enumerate(names, 1) if name == repeated]
        raise InputError(
            f"{shown}, line 1: columns {' and '.join(places)} are both named {quoted(repeated)}; rename one of them"
        )
    if len(names) == 1:
        other = suggested_delimiter(names[0], dialect)
        if other:
            raise InputError(f"{shown}, line 1: the header holds one column, {quoted(names[0])}; {other}")
    return names


def broken_row(file: Path, shown: str, dialect: Dialect, columns: int) -> str:
    """What is wrong with the first row that is not a row of so many cells ("" if none is)."""
    try:
        for line, cells in _records(file, dialect):
            if cells and len(cells) != columns:
                return (
                    f"{shown}, line {line}: expected {counted(columns, 'cell')} as in the header, but found "
                    f"{counted(len(cells), 'cell')}; mend the row "
                    f"(a cell with {quoted(dialect.delimiter)} in it must be quoted)"
                )
    except csv.Error as error:
        return f"{shown}, line {error.args[0]}: {error.args[1]}"
    return _mixed_line_ends(file, shown, dialect)


def _mixed_line_ends(file: Path, shown: str, dialect: Dialect) -> str:
    with file.open(encoding=dialect.reading, newline="") as text:
        first = ""
        for number, line in enumerate(text, 1):
            end = line[len(line.rstrip("\r\n")) :][-2:]
            first = first or end
            if end and end != first:
                return (
                    f"{shown}, line {number}: the line ends with {end!r}, the lines before with {first!r}; "
                    "make them the same"
                )
    return ""


def line_of_row(file: Path, dialect: Dialect, row: int, columns: int) -> str:
    """The line where a row (from 1, the header not counted) begins, as DuckDB counts rows: blank lines are none."""
    found = 0
    try:
        for line, cells in _records(file, dialect):
            found += bool(cells) or columns == 1
            if found == row + 1:
                return f"line {line}"
    except csv.Error:  # a cell beyond what Python's reader takes
        pass
    return f"row {row}"
