"""Options of commands that can be stopped at any time and resumed: --checkpoint, --every, --resume."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backpath.cli.options import FileName
from backpath.cli.terminal import echo
from backpath.errors import InputError

if TYPE_CHECKING:
    from backpath.training.callbacks import Callbacks
    from backpath.training.checkpoints import Checkpoints

F = TypeVar("F", bound=Callable[..., Any])

OF_EACH_CALL = ("checkpoint", "every", "resume", "out", "plot", "picture", "json", "log", "threads", "dask")
MAY_CHANGE = (*OF_EACH_CALL, "epochs", "learning_rate")
_PATHS = ("out", "plot", "picture", "log")


def lasting_options(command: F) -> F:
    """--checkpoint, --every, --resume, --log"""
    for option in (
        click.option("--log", type=FileName(), metavar="FILE", help="Append a line of JSON to this file every second."),
        click.option("--resume", type=FileName(), metavar="FOLDER", help="Resume the run in this folder."),
        click.option(
            "--every", metavar="100|60s", help="How often to save a checkpoint, in epochs or time.  [default: 60s]"
        ),
        click.option(
            "--checkpoint", type=FileName(), metavar="FOLDER", help="Save checkpoints in this folder, to resume from."
        ),
    ):
        command = option(command)
    return command


def call_options(context: click.Context, options: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """The options of a call and the names of the explicit ones; with --resume, those of the call that began the run,
    except for options that may change."""
    source = context.get_parameter_source
    given = {name for name in options if source(name) is click.core.ParameterSource.COMMANDLINE}
    given -= (
        {"more_files"} if not options.get("more_files") else set()
    )  # click 8.2 does not record which arguments were given
    if options["resume"] is None:
        if options["source"] is None:
            raise click.UsageError("Missing argument 'SOURCE'.", ctx=context)
        return options, frozenset(given)
    return _resumed(context, options, given)


def _resumed(context: click.Context, options: dict[str, Any], given: set[str]) -> tuple[dict[str, Any], frozenset[str]]:
    from backpath.files.wording import shown_path
    from backpath.training.run_folder import read_run

    folder = options["resume"]
    command, record = context.info_name, read_run(folder)
    call, usual = dict(record["call"]), dict(record["usual"])
    known = call.keys() | usual.keys() <= options.keys() | {"function", "given"}
    function, shown = str(call.pop("function", None)), shown_path(folder)
    if function != f"backpath {command}":
        raise _of_another_command(function, shown, f"backpath {command}")
    if not known:
        raise InputError(f"{shown} holds a run of {function} by another version of backpath; resume with that version")
    more = sorted(given - set(MAY_CHANGE))
    if more:
        free = _listed(name for name in MAY_CHANGE if name in options and name not in ("checkpoint", "resume"))
        raise InputError(f"--resume takes all settings from the folder except {free}, so leave {_listed(more)} out")
    given_then = frozenset(call.pop("given"))
    restored = {name: tuple(value) if isinstance(value, list) else value for name, value in (call | usual).items()}
    changed = {name: options[name] for name in given}
    return options | restored | changed | {"checkpoint": folder}, given_then | given


def _of_another_command(function: str, shown: str, command: str) -> InputError:
    from backpath.files.wording import plain

    called = plain(function)
    if function.startswith("backpath "):
        there, again = called, f"{called} --resume {shown}"
    else:
        there, again = f"{called}() in Python", "that call"
    return InputError(f"{shown} holds a run of {there}, not of {command}; resume it with {again}")


def _listed(names: Any) -> str:
    return ", ".join("SOURCE" if name in ("source", "more_files") else f"--{name.replace('_', '-')}" for name in names)


@contextmanager
def run_of(
    command: str, options: dict[str, Any], given: frozenset[str], out: str | None
) -> Iterator[Checkpoints | None]:
    """The run in the folder of --checkpoint; if it ends early, the line that resumes it is printed."""
    folder = options["checkpoint"]
    if folder is None:
        if options["every"] is not None:
            raise InputError("--every says how often to write checkpoints; give --checkpoint FOLDER too")
        yield None
        return
    resume = shlex.join(["backpath", command, "--resume", folder, *(["--out", out] if out else [])])
    run = _checkpoints(command, options, given, resume)
    try:
        with run:
            yield run
    finally:
        if run.is_to_be_resumed:
            _note(f"the run is saved; resume it with\n{resume}")


def _checkpoints(command: str, options: dict[str, Any], given: frozenset[str], resume: str) -> Checkpoints:
    from backpath.training.checkpoints import Checkpoints

    if "-" in (options["source"], *options.get("more_files", ())):
        raise InputError(
            "a run on standard input cannot be resumed; save the table to a file, or leave --checkpoint out"
        )
    call = {name: value for name, value in options.items() if name not in OF_EACH_CALL}
    call |= {"function": f"backpath {command}", "given": sorted(given - set(MAY_CHANGE))}
    usual = {name: _absolute(options.get(name)) for name in _PATHS if name in options} | {"every": options["every"]}
    if options["dask"] is not None:  # it has other parts
        call, usual = call | {"dask": True}, usual | {"dask": options["dask"]}
    call, every = _with_absolute_paths(call), options["every"] or "60s"
    return Checkpoints(options["checkpoint"], every, call=call, usual=usual, resume=resume, tell=_note)


def log_to(path: str | None) -> Callbacks:
    """The callback that writes the file of --log."""
    if path is None:
        return None
    from backpath.training.callbacks import JsonLines

    return JsonLines(path)


def _note(text: str) -> None:
    echo(f"note: {text}", err=True)


def _with_absolute_paths(call: dict[str, Any]) -> dict[str, Any]:
    """Absolute paths, so that a run can be resumed from another working directory."""
    from backpath.training.datasets import DATASETS

    if call["source"] in DATASETS:
        return call
    files = [_absolute(file) for file in call.get("more_files", ())]
    return call | {"source": _absolute(call["source"]), **({"more_files": files} if "more_files" in call else {})}


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path.cwd() / path)
