"""Notes on a whole table: why it is refused, what is left out, what is filled in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.errors import InputError
from backpath.files.column_values import Categories, ColumnValues, Numbers
from backpath.files.wording import counted, named

_TYPICAL, _FAR = 1000, 1e4  # rows that show the spread of numbers, and the multiple of the spread that is far
_SHOWN = 8  # columns to name in a note
EMPTY = ("the same in every row", "every cell is missing")  # reasons why keeping a column would not help


def refuse(path: str, problems: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Raise one error with all problems and the options that solve them, if there are any.

    >>> refuse("t.csv", [("t.csv, column 'a': bad", ("--ignore", "a")), ("t.csv, column 'b': so", ())])
    Traceback (most recent call last):
        ...
    backpath.errors.InputError: t.csv cannot be trained on, for 2 reasons: (1) column 'a': bad; (2) column 'b': so
    """
    if not problems:
        return
    lines = [text for text, _ in problems]
    options: list[str] = []
    for _, some in problems:
        for pair in zip(some[::2], some[1::2], strict=False):
            if pair not in set(zip(options[::2], options[1::2], strict=True)):
                options += pair
    said = lines[0]
    if len(lines) > 1:
        reasons = (f"({place}) {line.removeprefix(f'{path}, ')}" for place, line in enumerate(lines, 1))
        said = f"{path} cannot be trained on, for {len(lines)} reasons: {'; '.join(reasons)}"
    solvable = all(some for _, some in problems)
    raise InputError(said, options=options if solvable else ())


def left_out_notes(left: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each reason to leave out columns, with their names.

    >>> left_out_notes([("id", "it counts the rows"), ("a", "the same in every row"), ("b", "the same in every row")])
    ["left out 'id': it counts the rows (--keep-column keeps it)", "left out 'a', 'b': the same in every row"]
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in left:
        reasons.setdefault(reason, []).append(name)
    return [
        f"left out {named(names, _SHOWN)}: {reason}"
        + ("" if reason in EMPTY else f" (--keep-column keeps {'it' if len(names) == 1 else 'one'})")
        for reason, names in reasons.items()
    ]


def far_notes(columns: Sequence[ColumnValues]) -> list[str]:
    """Numbers that are so far from all others that the others are nearly equal after scaling.

    >>> import numpy as np
    >>> from backpath.files.column_values import Numbers
    >>> far_notes([Numbers("a", np.array([*range(40), 1e9]))])
    ["'a' is 1e+09 in 1 row, far from all others, which are nearly the same once scaled (--na treats it as missing)"]
    """
    notes = []
    for column in columns:
        if not isinstance(column, Numbers):
            continue
        values = column.values[~column.missing].astype(np.float64)
        some = values[:: max(1, len(values) // _TYPICAL)]
        with np.errstate(over="ignore", invalid="ignore"):
            away = np.abs(values - np.median(some)) if len(some) else values
            usual = np.quantile(away[:: max(1, len(values) // _TYPICAL)], 0.9) if len(some) else 0.0
            far = values[away / usual > _FAR] if usual else values[:0]
        if 0 < len(far) < 0.1 * len(values):
            notes.append(
                f"{column.name!r} is {far[0]:g} in {counted(int((far == far[0]).sum()), 'row')}, far from all others, "
                "which are nearly the same once scaled (--na treats it as missing)"
            )
    return notes


def missing_note(gaps: Sequence[tuple[ColumnValues, int]], whole: int, rows: int, way: str) -> str:
    """What was done about missing cells, by column.

    >>> import numpy as np
    >>> from backpath.files.column_values import Numbers
    >>> missing_note([(Numbers("Age", np.array([1, np.nan])), 1)], 1, 2, "fill")
    "filled 1 missing cell: 1 of 'Age' with its median; --missing drop leaves 1 of 2 rows"
    """
    if way == "drop":
        columns = named([column.name for column, _ in gaps], _SHOWN)
        return f"left out {counted(rows - whole, 'row')} of {rows:,} with missing cells, in {columns}"
    parts = [
        f"{count:,} of {column.name!r} {'as a category' if isinstance(column, Categories) else 'with its median'}"
        for column, count in sorted(gaps, key=lambda gap: -gap[1])[:_SHOWN]
    ]
    more = f" … ({len(gaps)} columns in all)" if len(gaps) > _SHOWN else ""
    total = sum(count for _, count in gaps)
    return (
        f"filled {counted(total, 'missing cell')}: {', '.join(parts)}{more}; "
        f"--missing drop leaves {whole:,} of {rows:,} rows"
    )
