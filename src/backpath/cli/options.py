"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backpath.errors import InputError

if TYPE_CHECKING:
    from backpath.files.dialect import Dialect

F = TypeVar("F", bound=Callable[..., Any])


def dialect_options(command: F) -> F:
    """How a CSV file is written; nothing is guessed."""
    for option in (
        click.option("--decimal", default=".", show_default=True, help="Decimal mark of the numbers in the CSV file."),
        click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the CSV file."),
        click.option("--delimiter", default=",", show_default=True, help="Between two cells of the CSV file."),
    ):
        command = option(command)
    return command


def dialect(delimiter: str, encoding: str, decimal: str) -> Dialect:
    from backpath.files.dialect import Dialect

    return Dialect(delimiter=delimiter, encoding=encoding, decimal=decimal)


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """``16,8`` -> (16, 8).

    >>> whole_numbers("16,8", "--hidden")
    (16, 8)
    """
    try:
        return tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise InputError(f"{option} takes whole numbers with commas between, as in 16,8, but got {text!r}") from None
