"""Finds the header of a CSV file: the first line of the table, below titles, comments and blank lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from backpath.files.dialect import WHITESPACE

LONGEST_LINE = 2_000_000  # characters
_SAMPLE_ROWS = 200
_MOST_ABOVE = 20  # lines above the header: titles, comments, blank lines
NUMBER_CELL = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")


def first_lines(file: Path, encoding: str, characters: int) -> str:
    """About as many characters from the beginning of a file, up to the end of a line."""
    with file.open(encoding=encoding, newline="") as opened:
        return opened.read(characters) + opened.readline(LONGEST_LINE)


def first_rows(lines: Sequence[str], delimiter: str, after_blanks: bool = False) -> list[list[str]]:
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


def lines_above(lines: Sequence[str], delimiter: str) -> int | None:
    """The number of lines (titles, comments, blanks) above the header, which is as wide as every row below it; None if
    there is no such header."""
    rows = first_rows(lines, delimiter)
    if not lines or not lines[0].strip() or (_is_even(rows) and not _is_title(rows[0], rows[1:2])):
        return 0 if _is_even(rows) else None
    return _titles(lines, delimiter)


def _titles(lines: Sequence[str], delimiter: str) -> int | None:
    """The same if the first line is not the header."""
    for above in range(1, min(len(lines), _MOST_ABOVE + 1)):
        below = lines[above:]
        rows = first_rows([line for line in below if line.strip()], delimiter)
        title = first_rows(lines[above - 1 : above], delimiter)
        if not title:  # a cell that is too long
            return None
        if not _is_title(title[0], rows[:1]):
            return _below_blank(lines, delimiter)
        if _begins_table(first_rows(below, delimiter)):
            return above
    return None


def _begins_table(rows: list[list[str]]) -> bool:
    """Whether the first of these rows is a header, and the others as wide."""
    is_named = bool(rows) and all(cell.strip() and not NUMBER_CELL.fullmatch(cell) for cell in rows[0])
    return is_named and len(rows) > 1 and _is_even(rows) and len(rows[1]) == len(rows[0])


def _below_blank(lines: Sequence[str], delimiter: str) -> int | None:
    """The number of lines above a header that follows a blank line, all narrower than it; None if there is no such
    header."""
    for above in range(1, min(len(lines), _MOST_ABOVE + 1)):
        if lines[above - 1].strip(f" \t\r\n{delimiter}") or not lines[above].strip():
            continue
        rows = first_rows(lines[above:], delimiter)
        titles = first_rows(lines[:above], delimiter)
        widest = max((sum(bool(cell.strip()) for cell in row) for row in titles), default=0)
        if titles and _begins_table(rows) and widest < len(rows[0]):
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
