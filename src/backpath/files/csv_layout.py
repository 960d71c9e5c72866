"""Detects the format of a CSV file: its delimiter, its header, blanks after delimiters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backpath.errors import InputError
from backpath.files.dialect import WHITESPACE, Dialect, encoding_of
from backpath.files.wording import counted, named, quoted, told_apart

DELIMITERS = (",", ";", "\t", "|")
_RARE = (":", "^", "~", "\x01")  # only if the header then contains the target's name
_SAMPLE = 1 << 18  # characters
_SAMPLE_ROWS = 200
_MOST_ABOVE = 20  # lines above the header: titles, comments, blank lines
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
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
    with file.open(encoding=encoding, newline="") as opened:
        text = opened.read(_SAMPLE)
    lines = list(io.StringIO(text, newline=""))
    lines = lines[:-1] if len(text) == _SAMPLE else lines
    said = _SEP_LINE.fullmatch(lines[0].strip('\r\n "')) if lines else None
    lines = lines[1:] if said else lines
    notes: tuple[str, ...] = ()
    delimiter = dialect.delimiter
    if delimiter is None:
        marks = tuple(mark for mark in DELIMITERS if mark != dialect.decimal)
        delimiter = said[1] if said else _sniffed(lines, shown, marks, preferred, wanted)
        shown_mark = {"\t": "tabs", WHITESPACE: "blanks"}.get(delimiter, quoted(delimiter))
        notes = () if delimiter == "," else (f"cells are separated by {shown_mark} (--delimiter)",)
    else:
        _check_given(lines, shown, delimiter)
    above = (_above(lines, delimiter) or 0) if dialect.header is not False else 0
    if above:
        titles = [text for line in lines[:above] if (text := line.strip(f" \t\r\n{delimiter}"))]
        notes = (*notes, f"left out above the header: {named(titles, 2)}") if titles else notes
    rows = _rows(lines[above:], delimiter)
    skip = above + (1 if said else 0)
    names, header_lines, more = _names(rows, shown, dialect, delimiter, 1 + skip, wanted)
    strip = delimiter != WHITESPACE and len(names) > 1 and _all_after_blanks(lines[above:], delimiter, names)
    if strip:
        names = [name.strip() for name in names]
        notes = (*notes, "blanks after delimiters are removed")
    _check_names(names, shown, 1 + skip)
    names, repeated = told_apart(names, f"{shown}, line {1 + skip}")
    return CsvLayout(delimiter, encoding, skip + header_lines, tuple(names), strip, (*notes, *more), repeated)


def _all_after_blanks(lines: Sequence[str], delimiter: str, names: Sequence[str]) -> bool:
    """Whether each name except the first follows a blank outside its quotes."""
    if not all(name.startswith(" ") for name in names[1:]):
        return False
    header = next(iter(_rows(lines, delimiter, after_blanks=True)), [])
    return not any(name.startswith(" ") for name in header[1:])


def _check_given(lines: Sequence[str], shown: str, delimiter: str) -> None:
    """Refuse a delimiter that occurs in no row if another one fits."""
    others = [mark for mark in DELIMITERS if _above(lines, mark) is not None]
    header = _rows(lines[:1], delimiter)
    if header and len(header[0]) == 1 and others:
        raise InputError(
            f"{shown}, line 1: with the delimiter {quoted(delimiter)} there is one column; try --delimiter "
            f"{quoted(others[0])}",
            options=("--delimiter", others[0]),
        )


def _rows(lines: Sequence[str], delimiter: str, after_blanks: bool = False) -> list[list[str]]:
    """The first rows, without blank ones after the first.

    Parameters
    ----------
    after_blanks : whether to skip blanks between a delimiter and a cell
    """
    blank = delimiter == WHITESPACE
    source = [line.replace("\t", " ").strip() + "\n" for line in lines] if blank else lines
    found: list[list[str]] = []
    reader = csv.reader(source, delimiter=" " if blank else delimiter, skipinitialspace=blank or after_blanks)
    try:
        for row in reader:
            if row or not found:
                found.append(row)
            if len(found) > _SAMPLE_ROWS:
                break
    except csv.Error:  # a cell that is too long, which is reported when the rows are read
        pass
    return found


def _sniffed(
    lines: Sequence[str], shown: str, marks: Sequence[str], preferred: str | None, wanted: Sequence[str]
) -> str:
    """The delimiter with which all of the first rows are as wide as the header."""
    above = {mark: _above(lines, mark) for mark in (*marks, WHITESPACE)}
    even = [mark for mark in marks if above[mark] is not None]
    fits = [mark for mark in even if not above[mark]]
    fits = fits or [mark for mark in (WHITESPACE,) if above[mark] == 0] or even
    if preferred in fits:
        return str(preferred)
    headers = {mark: _rows(lines[above[mark] or 0 :], mark)[0] for mark in fits}
    if wanted and len(fits) > 1:
        having = [mark for mark in fits if set(wanted) <= {name.strip() for name in headers[mark]}]
        fits = having if len(having) == 1 else fits
    if len(fits) > 1:
        likely = max(fits, key=lambda mark: len(headers[mark]))
        readings = " or ".join(f"{quoted(mark)} ({counted(len(headers[mark]), 'column')})" for mark in fits)
        raise InputError(
            f"{shown} may be separated by {readings}; choose one with --delimiter", options=("--delimiter", likely)
        )
    return fits[0] if fits else _by_header(lines, marks, wanted)


def _by_header(lines: Sequence[str], marks: Sequence[str], wanted: Sequence[str]) -> str:
    """The delimiter if the rows fit none: a rare one with the wanted names, or the most frequent one in the header."""
    for mark in _RARE:
        header_row = next(iter(_rows(lines, mark)), [])
        if wanted and set(wanted) <= set(header_row) and _above(lines, mark) == 0:
            return mark
    header = lines[0] if lines else ""
    return max(marks, key=lambda mark: (header.count(mark), mark == ","))


def _above(lines: Sequence[str], delimiter: str) -> int | None:
    """The number of lines (titles, comments, blanks) above the header, which is as wide as every row below it; None if
    there is no such header."""
    rows = _rows(lines, delimiter)
    if not lines or not lines[0].strip() or (_is_even(rows) and not _is_title(rows[0], rows[1:2])):
        return 0 if _is_even(rows) else None
    for above in range(1, min(len(lines), _MOST_ABOVE + 1)):
        below = lines[above:]
        rows = _rows([line for line in below if line.strip()], delimiter)
        if not _is_title(_rows(lines[above - 1 : above], delimiter)[0], rows[:1]):
            return _below_blank(lines, delimiter)
        if _begins_table(_rows(below, delimiter)):
            return above
    return None


def _begins_table(rows: list[list[str]]) -> bool:
    """Whether the first of these rows is a header, and the others as wide."""
    is_named = bool(rows) and all(cell.strip() and not _NUMBER.fullmatch(cell) for cell in rows[0])
    return is_named and len(rows) > 1 and _is_even(rows) and len(rows[1]) == len(rows[0])


def _below_blank(lines: Sequence[str], delimiter: str) -> int | None:
    """The number of lines above a header that follows a blank line, all narrower than it; None if there is no such
    header."""
    for above in range(1, min(len(lines), _MOST_ABOVE + 1)):
        if lines[above - 1].strip(f" \t\r\n{delimiter}") or not lines[above].strip():
            continue
        rows = _rows(lines[above:], delimiter)
        widest = max(sum(bool(cell.strip()) for cell in row) for row in _rows(lines[:above], delimiter))
        if _begins_table(rows) and widest < len(rows[0]):
            return above
    return None


def _is_title(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a line is not part of the table: a comment, or a line with at most one cell above wider ones."""
    filled = [cell for cell in row if cell.strip()]
    if not filled:
        return True
    if row[0].lstrip().startswith("#"):
        return not below or len(row) != len(below[0])
    return len(filled) == 1 and (not below or len(row) < len(below[0]) or len(row) > 2)


def _is_even(rows: list[list[str]]) -> bool:
    widths = {len(row) for row in rows[1:]}
    header = len(rows[0]) if rows else 0
    if not widths:
        return header > 1
    more = max(widths) - header
    return len(widths) == 1 and max(widths) > 1 and (more in (0, 1) or (more == -1 and not rows[0][-1].strip()))


def _names(
    rows: list[list[str]], shown: str, dialect: Dialect, delimiter: str, line: int, wanted: Sequence[str]
) -> tuple[list[str], int, tuple[str, ...]]:
    """The columns' names, the number of lines of the header, and notes."""
    if not rows or not rows[0]:
        raise InputError(f"{shown}, line {line}: the line is blank; expected the column names")
    first = rows[0]
    numbered = [f"column {place}" for place in range(1, len(first) + 1)]
    if dialect.header is False:
        return numbered, 0, ()
    if dialect.header is None and len(first) > 1 and all(_NUMBER.fullmatch(cell) for cell in first):
        target = [option for name in wanted if name in first for option in ("--target", numbered[first.index(name)])]
        raise InputError(
            f"{shown}, line {line}: the header holds only numbers; if it is a row, add --no-header (the columns are "
            f"then called 'column 1', 'column 2' …), else --header",
            options=("--no-header", *target),
        )
    header, notes = _completed(first, rows[1:])
    names = [name if name.strip() else f"column {place}" for place, name in enumerate(header, 1)]
    if called := [name for name, given in zip(names, header, strict=True) if not given.strip()]:
        notes = (*notes, f"columns without a name are called {named(called)}")
    return names, 1, notes


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
