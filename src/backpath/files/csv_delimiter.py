"""Detects the delimiter of a CSV file."""

from __future__ import annotations

from collections.abc import Sequence

from backpath.errors import InputError
from backpath.files.csv_header import first_rows, lines_above
from backpath.files.dialect import WHITESPACE
from backpath.files.wording import counted, quoted

DELIMITERS = (",", ";", "\t", "|")
_RARE = (":", "^", "~", "\x01")  # only if the header then contains the target's name


def check_delimiter(lines: Sequence[str], shown: str, delimiter: str) -> None:
    """Refuse a delimiter that occurs in no row if another one fits."""
    others = [mark for mark in DELIMITERS if lines_above(lines, mark) is not None]
    header = first_rows(lines[:1], delimiter)
    if header and len(header[0]) == 1 and others:
        raise InputError(
            f"{shown}, line 1: with the delimiter {quoted(delimiter)} there is one column; try --delimiter "
            f"{quoted(others[0])}",
            options=("--delimiter", others[0]),
        )


def detected_delimiter(
    lines: Sequence[str], shown: str, marks: Sequence[str], preferred: str | None, wanted: Sequence[str]
) -> str:
    """The delimiter with which all of the first rows are as wide as the header.

    Parameters
    ----------
    marks : the delimiters to try
    preferred, wanted : as in ``find_layout``
    """
    fits = _fitting(lines, marks)
    if preferred in fits:
        return str(preferred)
    if len(fits) > 1:
        return _with_wanted(lines, shown, fits, wanted)
    return fits[0] if fits else _by_header(lines, marks, wanted)


def _fitting(lines: Sequence[str], marks: Sequence[str]) -> list[str]:
    """The delimiters that fit without lines above the header, otherwise blanks, otherwise those that fit below some."""
    above = {mark: lines_above(lines, mark) for mark in marks}
    at_once = [mark for mark in marks if above[mark] == 0]
    if not at_once and lines_above(lines, WHITESPACE) == 0:
        return [WHITESPACE]
    return at_once or [mark for mark in marks if above[mark] is not None]


def _with_wanted(lines: Sequence[str], shown: str, marks: Sequence[str], wanted: Sequence[str]) -> str:
    """The only one of several delimiters with which the header has the wanted names."""
    headers = {mark: first_rows(lines[lines_above(lines, mark) or 0 :], mark)[0] for mark in marks}
    having = [mark for mark in marks if set(wanted) <= {name.strip() for name in headers[mark]}]
    if wanted and len(having) == 1:
        return having[0]
    likely = max(marks, key=lambda mark: len(headers[mark]))
    readings = " or ".join(f"{quoted(mark)} ({counted(len(headers[mark]), 'column')})" for mark in marks)
    raise InputError(
        f"{shown} may be separated by {readings}; choose one with --delimiter", options=("--delimiter", likely)
    )


def _by_header(lines: Sequence[str], marks: Sequence[str], wanted: Sequence[str]) -> str:
    """The delimiter if the rows fit none: a rare one with the wanted names, or the most frequent one in the header."""
    for mark in _RARE:
        header_row = next(iter(first_rows(lines, mark)), [])
        if wanted and set(wanted) <= set(header_row) and lines_above(lines, mark) == 0:
            return mark
    header = lines[0] if lines else ""
    return max(marks, key=lambda mark: (header.count(mark), mark == ","))
