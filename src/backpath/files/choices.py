"""What a caller says of how a table is to be taken."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.errors import InputError
from backpath.files.dates import DATE_ORDERS

TASKS = ("regression", "classification")
MISSING_WAYS = ("fill", "drop", "refuse")


@dataclass(frozen=True)
class Choices:
    """How the columns of a training table are to be taken, where the cells do not decide or the caller knows better.

    Attributes
    ----------
    task : "regression" | "classification" | None
        None: what the target's cells are.
    categorical, numeric : columns to take as categories, or as numbers (cells that are none count as missing)
    ignore, keep : columns to leave out, and to take in though they would be left out
    missing : "fill" | "drop" | "refuse"
        What to do about missing values of inputs: fill them, leave the rows out, or refuse the table.
    dates : "day-first" | "month-first" | "year-first" | None
        How to read dates such as 3/4/2020. None: refuse them where both fit.
    standardize : whether number columns are brought to mean 0 and standard deviation 1
    """

    task: str | None = None
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    missing: str = "fill"
    dates: str | None = None
    standardize: bool = True

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in TASKS:
            raise InputError(f"the task must be regression or classification, but is {self.task!r}")
        if self.missing not in MISSING_WAYS:
            raise InputError(f"missing must be fill, drop or refuse, but is {self.missing!r}")
        if self.dates is not None and self.dates not in DATE_ORDERS:
            raise InputError(f"dates must be day-first, month-first or year-first, but is {self.dates!r}")
