"""CSV files whose cells are quoted with ' instead of "."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from backpath.errors import InputError
from backpath.files.csv_delimiter import DELIMITERS
from backpath.files.csv_header import first_lines

_SAMPLE = 1 << 16  # characters
_LEAST = 0.8  # share of the lines with a quoted cell


def requoted(
    file: Path, shown: str, encoding: str, delimiter: str | None, folder: Path
) -> tuple[Path, tuple[str, ...]]:
    """The file, or a copy with double quotes if single ones quote its cells, and a note."""
    sample = first_lines(file, encoding, _SAMPLE)
    lines = sample.splitlines()
    if '"' in sample or "'" not in sample:
        return file, ()
    marks = DELIMITERS if delimiter is None else (delimiter,)
    mark = next((mark for mark in marks if len(mark) == 1 and _are_quoted(lines, mark)), None)
    if mark is None:
        return file, ()
    copy = folder / f"{len(list(folder.iterdir()))}.csv"
    with file.open(encoding=encoding, newline="") as text, copy.open("w", encoding=encoding, newline="") as written:
        rows = csv.reader(text, delimiter=mark, quotechar="'", strict=True)
        try:
            csv.writer(written, delimiter=mark, lineterminator="\n").writerows(rows)
        except csv.Error:
            raise InputError(
                f"{shown}, line {rows.line_num}: a quote (') is opened but not closed before the cell ends; close it, "
                "or write '' for a quote in a quoted cell"
            ) from None
    return copy, ("cells are quoted with ' instead of \"",)


def _are_quoted(lines: Sequence[str], mark: str) -> bool:
    """Whether nearly all lines have cells in single quotes, no other cell begins with one, and all lines are then
    equally wide."""
    cell = re.compile(rf"(^|{re.escape(mark)})[ ]?'(?:[^']|'')*'(?=[ ]?(?:{re.escape(mark)}|$))")
    rows = [line for line in lines[1:] if line.strip()]
    quoted = sum(bool(cell.search(line)) for line in rows)
    if quoted < _LEAST * len(rows):
        return False
    if any(re.search(rf"(^|{re.escape(mark)})[ ]?'", cell.sub(r"\1", line)) for line in lines):
        return False
    widths = {len(row) for row in csv.reader(rows, delimiter=mark, quotechar="'") if row}
    return len(widths) == 1 and max(widths) > 1
