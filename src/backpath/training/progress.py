"""Progress reports; the progress bar is drawn on standard error if it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from backpath.errors import InputError

ProgressCallback = Callable[[float, float], object]  # (epochs done, cost), or another number instead of the cost
Progress = bool | ProgressCallback | AbstractContextManager[ProgressCallback]


ACCEPTED = "True, False, a callable or a context manager"


def is_progress(value: object) -> bool:
    return isinstance(value, bool | AbstractContextManager) or callable(value)


def check_progress(progress: object) -> None:
    if not is_progress(progress):
        raise InputError(f"progress must be {ACCEPTED}, but is {progress!r}")


SILENT: AbstractContextManager[None] = nullcontext()  # can be entered repeatedly


def reporter(
    progress: Progress, epochs: int, shown: str = "cost {:.3g}"
) -> AbstractContextManager[ProgressCallback | None]:
    """A context with the function to call with (epochs done, the number ``shown``), or None."""
    if progress is False:
        return SILENT
    if progress is True and epochs:
        return progress_bar(epochs, shown=shown)
    if isinstance(progress, AbstractContextManager):
        return progress
    return nullcontext(progress if callable(progress) else None)


@contextmanager
def progress_bar(
    epochs: int, unit: str = "epochs", shown: str = "cost {:.3g}", hidden: bool = False
) -> Iterator[ProgressCallback]:
    """A bar for ``epochs`` epochs; yields a function to call with (epochs done, the number ``shown`` beside it). It is
    not drawn if ``hidden``, or on a terminal that cannot move its cursor."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(f"{{task.completed:,.0f}}/{epochs:,} {unit}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[shown]}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True),
    )
    console = Console(file=sys.stderr)
    with Bar(*columns, console=console, disable=hidden or not console.is_terminal or console.is_dumb_terminal) as bar:
        task = bar.add_task("train", total=epochs, shown="", speed="")

        def report(done: float, number: float) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task, completed=done, shown=shown.format(number), speed=f"{speed:,.0f} {unit}/s" if speed else ""
            )

        yield report
