"""Finds lines in a CSV file, because DuckDB does not report them."""

from __future__ import annotations

import csv
from pathlib import Path

from backpath.files.csv_layout import CsvLayout, records
from backpath.files.dialect import WHITESPACE
from backpath.files.wording import counted, quoted


def broken_row(file: Path, shown: str, layout: CsvLayout) -> str:
    """The problem of the first row with missing or extra cells ("" if there is none)."""
    columns = len(layout.names)
    try:
        for line, cells in records(file, layout.delimiter, layout.encoding, layout.strip):
            if line > layout.skip and cells and len(cells) != columns:
                mark = "a blank" if layout.delimiter == WHITESPACE else quoted(layout.delimiter)
                return (
                    f"{shown}, line {line}: expected {counted(columns, 'cell')} as in the header, but found "
                    f"{counted(len(cells), 'cell')}; correct the row (a cell with {mark} in it must be quoted)"
                )
    except csv.Error as error:
        return f"{shown}, line {error.args[0]}: {error.args[1]}"
    return _mixed_line_ends(file, shown, layout)


def _mixed_line_ends(file: Path, shown: str, layout: CsvLayout) -> str:
    with file.open(encoding=layout.encoding, newline="") as text:
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


def line_of_row(file: Path, layout: CsvLayout, row: int) -> tuple[str, int]:
    """The line where a row (from 1) begins, counted as in DuckDB, without blank lines; also the number of rows, if
    there are fewer."""
    found = 0
    try:
        for line, cells in records(file, layout.delimiter, layout.encoding, layout.strip):
            found += line > layout.skip and (bool(cells) or len(layout.names) == 1)
            if found == row:
                return f"line {line}", found
    except csv.Error:  # a cell that is too long for Python's reader
        pass
    return f"row {row}", found
