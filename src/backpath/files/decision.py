"""The decision on a column of a table."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.files.column_inputs import ColumnInput
from backpath.files.columns import Profile
from backpath.files.sources import Column

MOST_CATEGORIES = 64  # inputs of one text column; rarer categories are "other"
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Decision:
    """How a column is used.

    Attributes
    ----------
    kind : ColumnInput | None
        Its kind, None if it is left out.
        left_out : the reason, to follow "left out, "; "" if it is used
        notes : remarks for the user
        missing, distinct : missing cells, and distinct texts (None: not counted, for example numbers)
        problem, options : why it cannot be used, and the options that help
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
