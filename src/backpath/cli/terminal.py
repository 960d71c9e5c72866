"""Prints for commands: folded for terminals of 80 columns, without colour if not wanted, nothing if quiet."""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

import click

from backpath.files.wording import without_controls

_WIDTH = 79
_QUIET = "backpath.quiet"
F = TypeVar("F", bound=Callable[..., Any])


def wants_colour() -> bool:
    """Whether standard output shows colours and bold text, and the user has not turned them off."""
    return sys.stdout.isatty() and not turned_off()


def turned_off() -> bool:
    """Whether the environment asks for plain text: ``NO_COLOR`` is set, or the terminal is a dumb one.

    Source: https://no-color.org
    """
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def quiet_option(command: F) -> F:
    """--quiet"""

    def remember(context: click.Context, _: click.Parameter, quiet: bool) -> None:
        context.meta[_QUIET] = quiet

    option = click.option("--quiet", "-q", is_flag=True, expose_value=False, callback=remember, help="Print no report.")
    return option(command)


def is_quiet() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def be_quiet() -> None:
    """Behave as if --quiet had been given."""
    click.get_current_context().meta[_QUIET] = True


def echo(text: str = "", err: bool = False, color: bool | None = None) -> None:
    """Print text that may come from a file to standard output or error; all output of commands goes through here."""
    if err and sys.stderr.isatty():
        text = folded(text)
    click.echo(without_controls(text), err=err, color=color)


class PrintedRows:
    """Standard output for the rows of a table: unchanged, but on a terminal without control characters."""

    def write(self, text: str) -> int:
        return sys.stdout.write(without_controls(text, colours=False) if sys.stdout.isatty() else text)


def say(text: str = "") -> None:
    """Print to standard output, unless --quiet was given."""
    if not is_quiet():
        echo(text)


_SEVERAL_TIMES = ("--na", "--numeric", "--categorical", "--ignore", "--keep-column", "--keep", "--frozen")


def again(*more: str, command: str = "") -> str:
    """The present command line with changed or further options: ``--epochs 800``.

    An option with one value replaces the given one. ``command`` is another command to run with the same options.
    """
    names = {name for name in more[::2] if name not in _SEVERAL_TIMES}
    kept: list[str] = []
    skip = False
    for argument in sys.argv[1:]:
        if not skip and argument.partition("=")[0] not in names:
            kept.append(argument)
        skip = not skip and argument in names
    if command:
        kept[0] = command
    return shlex.join(["backpath", *kept, *more])


def folded(text: str, indent: str = "", hanging: str = "  ") -> str:
    """Prose in lines that fit a terminal; commands are not broken, so that they can be copied.

    >>> print(folded("one two", indent="  "))
      one two
    """
    lines = []
    for line in text.split("\n"):
        if line.strip().startswith("backpath "):
            lines.append(indent + line)
        else:
            lines += textwrap.wrap(
                line,
                _WIDTH,
                initial_indent=indent,
                subsequent_indent=indent + hanging,
                break_on_hyphens=False,
            )
    return "\n".join(lines)
