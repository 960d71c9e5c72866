"""What is done with a column of a table."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.files.column_inputs import ColumnInput
from backpath.files.columns import Profile
from backpath.files.sources import Column

MOST_CATEGORIES = 64  # inputs of one column of text; rarer ones are "other"
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Decision:
    """What is done with a column.

    Attributes
    ----------
    kind : ColumnInput | None
        What it is taken as, None if it is left out.
    left_out : why, in words that follow "left out, "; "" if it is not
    notes : what a user should know of it
    missing, distinct : cells, and different texts (None: not counted, as of numbers)
    problem, options : why it cannot be used, and what to add to the command
    """

    column: Column
    profile: Profile
    kind: ColumnInput | None = None
    left_out: str = ""
    notes: tuple[str, ...] = ()
    missing: int = 0
    distinct: int | None = None
    problem: str = ""
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.column.name
