"""The commands. A command's module is imported only when it is called, so that ``backpath --help`` is instant.

Exit status 0: done. 1: the work failed, or ``check`` found a mistake. 2: the call or its input is wrong, or training
diverges with its settings. An error is one plain line on standard error; never a traceback.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import sys

import click

from backpath.cli import signals
from backpath.cli.terminal import again, echo, turned_off
from backpath.errors import DivergenceError, InputError
from backpath.version import __version__

# command -> its help; the command is `command` in backpath.cli.<name>
COMMANDS = {
    "train": "Train a network on a built-in data set or a table.",
    "look": "Show a table column by column, and how train would use it.",
    "predict": "Predict the rows of a table with a trained model.",
    "study": "Train many networks at once and report how often a data set is learned.",
    "runs": "List the runs saved with --checkpoint, and their state.",
    "show": "Show a model: its network, weights, inputs and how it was trained.",
    "explain": "Explain the gradient of a weight, or a whole step, with every number.",
    "check": "Check gradients or updated weights, and name the mistake in them.",
    "explore": "Explore a network on a web page: see it learn, click a weight, read its chain rule.",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called, and prints the list without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"backpath.cli.{name}").command
        command.name = name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="backpath %(version)s")
def backpath() -> None:
    """Train small neural networks and see, with the actual numbers, why every weight moved."""


def main() -> None:
    """Run the command line; every failure ends in one plain line and its exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal or pipe that cannot show σ gets ? instead
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    signals.listen()
    try:
        color = False if turned_off() else None
        status = backpath(prog_name="backpath", standalone_mode=False, windows_expand_args=False, color=color)
        sys.exit(signals.exit_status(status or 0))
    except click.exceptions.NoArgsIsHelpError as error:
        echo(error.format_message(), err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader of the output has exited, for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (Exception, KeyboardInterrupt) as error:
        _fail(*_failure(error))


def _failure(error: BaseException) -> tuple[str, int]:
    """The message and the exit status for an exception."""
    match error:
        case click.ClickException():
            return str(InputError(error.format_message())), 2  # as one line, not too long
        case InputError():
            advised = f"\n{again(*error.options)}" if error.options else ""
            return f"{as_options(error)}{advised}", 2
        case DivergenceError():
            return str(error), 2
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", signals.exit_status(130)
        case MemoryError():
            return "not enough memory for this; use a smaller table, network or batch", 1
        case OSError():
            return f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), 1
    return f"an internal error: {type(error).__name__}: {error}; please report it, with the command", 1


def as_options(error: InputError) -> str:
    """The message with its settings as options: ``solver='lm'`` is ``--solver lm`` here."""
    message = error.naming(lambda setting: f"--{setting.replace('_', '-')}")
    return re.sub(r"(--[\w-]+)='([^']*)'", r"\1 \2", message)


def _fail(message: str, status: int) -> None:
    """One plain line, followed by each suggested command on a separate line."""
    lines = [line.strip() for line in message.splitlines()]
    said = " ".join(" ".join(line for line in lines if not line.startswith("backpath ")).split())
    echo("\n".join([f"backpath: {said}", *(line for line in lines if line.startswith("backpath "))]), err=True)
    sys.exit(status)
