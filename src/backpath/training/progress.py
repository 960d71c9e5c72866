"""The progress bar of a terminal, on standard error; where that is no terminal, nothing is drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    epochs: int, unit: str = "epochs", shown: str = "cost {:.3g}", hidden: bool = False
) -> Iterator[Callable[[float, float], None]]:
    """A bar for ``epochs`` epochs; yields what is called with (epochs done, the number ``shown`` beside it). It is
    not drawn if ``hidden``, nor on a terminal that cannot move its cursor."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(f"{{task.completed:,.0f}}/{epochs:,} {unit}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[shown]}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True),
    )
    console = Console(file=sys.stderr)
    with Progress(
        *columns, console=console, disable=hidden or not console.is_terminal or console.is_dumb_terminal
    ) as bar:
        task = bar.add_task("train", total=epochs, shown="", speed="")

        def report(done: float, number: float) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task, completed=done, shown=shown.format(number), speed=f"{speed:,.0f} {unit}/s" if speed else ""
            )

        yield report
