"""The caller's choices for reading a table."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.errors import InputError
from backpath.files.dates import DATE_ORDERS

_TASKS = ("regression", "classification")
MISSING_WAYS = ("fill", "drop", "refuse")


@dataclass(frozen=True)
class Choices:
    """How to read the columns of a training table where the cells do not decide or the caller knows better.

    Attributes
    ----------
    task : "regression" | "classification" | None
        None: the target's cells decide.
    categorical, numeric : columns to treat as categories, or as numbers (other cells count as missing)
    ignore, keep : columns to leave out, and columns to use that would otherwise be left out
    missing : "fill" | "drop" | "refuse"
        What to do with missing inputs: fill them, leave out the rows, or refuse the table.
    dates : "day-first" | "month-first" | "year-first" | None
        How to read dates such as 3/4/2020. None: refuse ambiguous ones.
    standardize : whether to scale numeric columns to mean 0 and standard deviation 1
    task_option : the option that sets the task, for messages
    """

    task: str | None = None
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    missing: str = "fill"
    dates: str | None = None
    standardize: bool = True
    task_option: str = "--task"

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in _TASKS:
            raise InputError(f"the task must be regression or classification, but is {self.task!r}")
        if self.missing not in MISSING_WAYS:
            raise InputError(f"missing must be fill, drop or refuse, but is {self.missing!r}")
        if self.dates is not None and self.dates not in DATE_ORDERS:
            raise InputError(f"dates must be day-first, month-first or year-first, but is {self.dates!r}")
