"""Options about tables that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backpath.cli.options import ColumnName

if TYPE_CHECKING:
    from backpath.files.choices import Choices
    from backpath.files.dialect import Dialect

F = TypeVar("F", bound=Callable[..., Any])


def table_options(command: F) -> F:
    """How the columns of a training table are to be taken, and how its file is written."""
    for option in (
        click.option(
            "--dates", type=click.Choice(["day-first", "month-first", "year-first"]), help="How to read 3/4/2020."
        ),
        click.option(
            "--missing",
            type=click.Choice(["fill", "drop", "refuse"]),
            default="fill",
            show_default=True,
            help="Fill in missing cells, leave their rows out, or refuse the table.",
        ),
        click.option(
            "--keep-column",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Take this column in though it would be left out.",
        ),
        click.option("--ignore", multiple=True, type=ColumnName(), metavar="COLUMN", help="Leave this column out."),
        click.option(
            "--numeric",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Take this column as numbers; other cells as missing.",
        ),
        click.option(
            "--categorical", multiple=True, type=ColumnName(), metavar="COLUMN", help="Take this column as categories."
        ),
        click.option(
            "--task", type=click.Choice(["regression", "classification"]), help="Force it; else the target decides."
        ),
    ):
        command = option(command)
    return dialect_options(command)


def memory_option(command: F) -> F:
    """How much memory a table may take."""
    option = click.option(
        "--memory",
        metavar="AMOUNT",
        help="How much memory it may take: 2GB.  [default: half of what is free]",
    )
    return option(command)


def dialect_options(command: F) -> F:
    """How a file is written; what is not given is found out from it, and reported."""
    for option in (
        click.option("--header/--no-header", default=None, help="Whether the first line holds the names."),
        click.option("--na", multiple=True, metavar="TEXT", help="A cell that means missing, beside the usual ones."),
        click.option("--decimal", metavar="MARK", help="Decimal mark of the numbers, . or ,"),
        click.option("--encoding", help="Encoding of a CSV file.  [default: by its byte order mark, else utf-8]"),
        click.option("--delimiter", metavar="MARK", help="Between two cells of a CSV file; or tab, or whitespace."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class TableOptions:
    """The options of ``table_options`` under their own names."""

    task: str | None
    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    ignore: tuple[str, ...]
    keep_column: tuple[str, ...]
    missing: str
    dates: str | None
    delimiter: str | None
    encoding: str | None
    decimal: str | None
    na: tuple[str, ...]
    header: bool | None

    @property
    def dialect(self) -> Dialect:
        return dialect(self.delimiter, self.encoding, self.decimal, self.na, self.header)

    def choices(self, standardize: bool = True) -> Choices:
        from backpath.files.choices import Choices

        return Choices(
            self.task,
            self.categorical,
            self.numeric,
            self.ignore,
            self.keep_column,
            self.missing,
            self.dates,
            standardize,
        )


def dialect(
    delimiter: str | None, encoding: str | None, decimal: str | None, na: tuple[str, ...], header: bool | None
) -> Dialect:
    from backpath.files.dialect import Dialect

    return Dialect(delimiter, encoding, decimal, header, na)
