"""Detects the format of a CSV file: its delimiter, its header, blanks after delimiters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backpath.errors import InputError
from backpath.files.csv_delimiter import DELIMITERS, check_delimiter, detected_delimiter
from backpath.files.csv_header import NUMBER_CELL, first_lines, first_rows, lines_above
from backpath.files.dialect import WHITESPACE, Dialect, encoding_of
from backpath.files.wording import distinguished, named, quoted

_SAMPLE = 1 << 18  # characters
_SEP_LINE = re.compile(r"sep\s*=(.)", re.IGNORECASE)
QUOTE = 'a quote (") is opened but not closed before the cell ends; close it, or write "" for a quote in a quoted cell'
TOO_LONG = f'a cell is longer than {csv.field_size_limit():,} characters; perhaps a quote (") is not closed'


@dataclass(frozen=True)
class CsvLayout:
    """The layout of one CSV file.

    Attributes
    ----------
    delimiter, encoding : as in ``Dialect``
    skip : lines before the first row: the header, the lines above it, and Excel's "sep=;"
    names : the columns' names
    repeated : names that an earlier column also has, with a message for each
    strip : whether blanks follow the delimiters
    notes : the findings to report
    """

    delimiter: str
    encoding: str
    skip: int
    names: tuple[str, ...]
    strip: bool = False
    notes: tuple[str, ...] = ()
    repeated: dict[str, str] = field(default_factory=dict)

    @property
    def converted(self) -> bool:
        """Whether the file must be rewritten because DuckDB cannot read its layout."""
        return self.strip or self.delimiter == WHITESPACE


def records(file: Path, delimiter: str, encoding: str, strip: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yields (the line where a record begins, its cells); raises csv.Error if a quote is not closed."""
    with file.open(encoding=encoding, newline="") as text:
        blank = delimiter == WHITESPACE
        lines = (line.replace("\t", " ").strip(" ") for line in text) if blank else text
        reader = csv.reader(lines, delimiter=" " if blank else delimiter, strict=True, skipinitialspace=blank or strip)
        while True:
            line = reader.line_num + 1
            try:
                yield line, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise csv.Error(line, TOO_LONG if "limit" in str(error) else QUOTE) from None


def find_layout(file: Path, shown: str, dialect: Dialect, preferred: str | None, wanted: Sequence[str]) -> CsvLayout:
    """The layout of a CSV file, detected where the dialect leaves it open.

    Parameters
    ----------
    preferred : the delimiter to use if several fit
    wanted : names of expected columns, which may decide between delimiters

    Raises
    ------
    InputError
        If two delimiters fit, or there is no valid header.
    """
    encoding = encoding_of(file, dialect)
    lines, sep = _without_sep_line(list(io.StringIO(first_lines(file, encoding, _SAMPLE), newline="")))
    delimiter, notes = _delimiter(lines, shown, dialect, sep, preferred, wanted)
    above = 0 if dialect.header is False else lines_above(lines, delimiter) or 0
    notes += _titles_note(lines[:above], delimiter)
    lines = lines[above:]
    skip = above + (1 if sep else 0)
    rows = _rows(lines, delimiter, f"{shown}, line {1 + skip}")
    names, header_lines, more = _names(rows, shown, dialect, 1 + skip, wanted)
    strip = _all_after_blanks(lines, delimiter, names)
    if strip:
        names = [name.strip() for name in names]
        notes += ("blanks after delimiters are removed",)
    _check_names(names, shown, 1 + skip)
    names, repeated = distinguished(names, f"{shown}, line {1 + skip}")
    return CsvLayout(delimiter, encoding, skip + header_lines, tuple(names), strip, notes + more, repeated)


def _rows(lines: Sequence[str], delimiter: str, where: str) -> list[list[str]]:
    """The header and the first rows."""
    rows = first_rows(lines, delimiter)
    if lines and not rows:
        raise InputError(f"{where}: {TOO_LONG}")
    if not rows or not rows[0]:
        raise InputError(f"{where}: the line is blank; expected the column names")
    return rows


def _without_sep_line(lines: list[str]) -> tuple[list[str], str | None]:
    """The lines after Excel's "sep=;", and the delimiter that it names; None if there is no such line."""
    said = _SEP_LINE.fullmatch(lines[0].strip('\r\n "')) if lines else None
    return (lines[1:], said[1]) if said else (lines, None)


def _delimiter(
    lines: Sequence[str], shown: str, dialect: Dialect, sep: str | None, preferred: str | None, wanted: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The delimiter, and a note if a detected one is not a comma."""
    if dialect.delimiter is not None:
        check_delimiter(lines, shown, dialect.delimiter)
        return dialect.delimiter, ()
    marks = [mark for mark in DELIMITERS if mark != dialect.decimal]
    delimiter = sep or detected_delimiter(lines, shown, marks, preferred, wanted)
    if delimiter == ",":
        return delimiter, ()
    shown_mark = {"\t": "tabs", WHITESPACE: "blanks"}.get(delimiter, quoted(delimiter))
    return delimiter, (f"cells are separated by {shown_mark} (--delimiter)",)


def _titles_note(lines: Sequence[str], delimiter: str) -> tuple[str, ...]:
    titles = [text for line in lines if (text := line.strip(f" \t\r\n{delimiter}"))]
    return (f"left out above the header: {named(titles, 2)}",) if titles else ()


def _all_after_blanks(lines: Sequence[str], delimiter: str, names: Sequence[str]) -> bool:
    """Whether each name except the first follows a blank outside its quotes."""
    if delimiter == WHITESPACE or len(names) < 2 or not all(name.startswith(" ") for name in names[1:]):
        return False
    header = next(iter(first_rows(lines, delimiter, after_blanks=True)), [])
    return not any(name.startswith(" ") for name in header[1:])


def _names(
    rows: list[list[str]], shown: str, dialect: Dialect, line: int, wanted: Sequence[str]
) -> tuple[list[str], int, tuple[str, ...]]:
    """The columns' names, the number of lines of the header, and notes."""
    if dialect.header is False:
        return [f"column {place}" for place in range(1, len(rows[0]) + 1)], 0, ()
    if dialect.header is None:
        _refuse_numbers(rows[0], shown, line, wanted)
    header, notes = _completed(rows[0], rows[1:])
    names, more = _with_places(header)
    return names, 1, notes + more


def _with_places(header: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The header in which columns without a name are called by their places, and a note on them."""
    names = [name if name.strip() else f"column {place}" for place, name in enumerate(header, 1)]
    called = [name for name, given in zip(names, header, strict=True) if not given.strip()]
    return names, (f"columns without a name are called {named(called)}",) if called else ()


def _refuse_numbers(header: Sequence[str], shown: str, line: int, wanted: Sequence[str]) -> None:
    """Refuse a header of numbers, which is probably a row."""
    if len(header) == 1 or not all(NUMBER_CELL.fullmatch(cell) for cell in header):
        return
    target = [f"column {header.index(name) + 1}" for name in wanted if name in header]
    raise InputError(
        f"{shown}, line {line}: the header holds only numbers; if it is a row, add --no-header (the columns are "
        f"then called 'column 1', 'column 2' …), else --header",
        options=("--no-header", *(part for name in target for part in ("--target", name))),
    )


def _completed(header: list[str], rows: list[list[str]]) -> tuple[list[str], tuple[str, ...]]:
    """The header with as many names as all rows have cells, if they have one cell more or less; and a note."""
    widths = {len(row) for row in rows}
    if widths == {len(header) - 1} and not header[-1].strip():
        return header[:-1], ()
    if widths != {len(header) + 1}:
        return header, ()
    if not any(row[-1].strip() for row in rows):
        return [*header, ""], ()
    return ["", *header], (
        "the header has one name fewer than the rows have cells, as in R: the first column has no name",
    )


def _check_names(names: Sequence[str], shown: str, line: int) -> None:
    for place, name in enumerate(names, 1):
        if "\n" in name or "\r" in name:  # DuckDB takes the first line end for that of the whole file
            raise InputError(
                f"{shown}, line {line}: the name {quoted(name)} of column {place} contains a line break; rename it"
            )
