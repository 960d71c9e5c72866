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
    """The options for reading the columns and the file of a training table."""
    for option in (
        click.option(
            "--dates", type=click.Choice(["day-first", "month-first", "year-first"]), help="How to read 3/4/2020."
        ),
        click.option(
            "--missing",
            type=click.Choice(["fill", "drop", "refuse"]),
            default="fill",
            show_default=True,
            help="Fill in missing cells, drop their rows, or refuse the table.",
        ),
        click.option(
            "--keep-column",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Use this column although it would be left out.",
        ),
        click.option("--ignore", multiple=True, type=ColumnName(), metavar="COLUMN", help="Do not use this column."),
        click.option(
            "--numeric",
            multiple=True,
            type=ColumnName(),
            metavar="COLUMN",
            help="Treat this column as numbers, and other cells as missing.",
        ),
        click.option(
            "--categorical", multiple=True, type=ColumnName(), metavar="COLUMN", help="Treat this column as categories."
        ),
        click.option(
            "--task",
            type=click.Choice(["regression", "classification"]),
            help="The task.  [default: depends on the target]",
        ),
    ):
        command = option(command)
    return dialect_options(command)


def memory_option(command: F) -> F:
    """The option for the memory of a table."""
    option = click.option(
        "--memory",
        metavar="AMOUNT",
        help="The maximum memory, such as 2GB.  [default: half of the free memory]",
    )
    return option(command)


def dialect_options(command: F) -> F:
    """The options for the format of a file; the others are detected and reported."""
    for option in (
        click.option(
            "--header/--no-header",
            default=None,
            help="Whether the first line contains the column names.  [default: it does; a line of numbers is refused]",
        ),
        click.option(
            "--na", multiple=True, metavar="TEXT", help="A text that means missing, in addition to the usual ones."
        ),
        click.option("--decimal", metavar="MARK", help="Decimal mark of the numbers, . or ,"),
        click.option("--encoding", help="Encoding of a CSV file.  [default: from its byte order mark, else utf-8]"),
        click.option(
            "--delimiter", metavar="MARK", help="The delimiter of a CSV file: a character, tab or whitespace."
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class DialectOptions:
    """The options of ``dialect_options`` by name."""

    delimiter: str | None
    encoding: str | None
    decimal: str | None
    na: tuple[str, ...]
    header: bool | None

    @property
    def dialect(self) -> Dialect:
        from backpath.files.dialect import Dialect

        return Dialect(self.delimiter, self.encoding, self.decimal, self.header, self.na)


@dataclass(frozen=True)
class TableOptions(DialectOptions):
    """The options of ``table_options`` by name."""

    task: str | None
    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    ignore: tuple[str, ...]
    keep_column: tuple[str, ...]
    missing: str
    dates: str | None

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
