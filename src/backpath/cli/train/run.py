"""The work of ``backpath train``: training, saving the model, and the report."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from backpath.cli.describe import bold
from backpath.cli.terminal import be_quiet, echo, say
from backpath.cli.train.data_set import train_data_set
from backpath.cli.train.options import TrainOptions
from backpath.cli.train.picture import check_plot, draw_report
from backpath.cli.train.source import Trained, check_options
from backpath.cli.train.table import train_table
from backpath.errors import InputError
from backpath.files.atomic import check_writable
from backpath.files.models import save
from backpath.files.wording import plain
from backpath.training.datasets import DATASETS


def train_and_report(options: TrainOptions) -> None:
    out = options.out
    if options.json:
        be_quiet()
    _check(options)
    file = shlex.quote(f"./{out}" if out.startswith("-") else out)
    if options.source in DATASETS:
        trained, judged = train_data_set(options, file), None
    else:
        trained, judged = train_table(options, file)
    if trained.result.epochs == 0:
        raise KeyboardInterrupt  # there is no result to save
    save(trained.model, out)
    if options.plot is not None and judged is not None:
        draw_report(options.plot, f"{Path(options.source).name}: {options.target}", judged)
    if options.json:
        echo(json.dumps({"model": out, **_described(trained)}, ensure_ascii=False, allow_nan=False))
    else:
        _report(trained, out, options.plot)


def _check(options: TrainOptions) -> None:
    """Refuse what cannot work before the training, not after it."""
    check_writable(options.out, inputs=[options.source])
    if options.plot is not None:
        check_plot(options.plot)
        check_writable(options.plot, inputs=[options.source])
    check_options(options)
    if options.restarts != 1 and options.source not in DATASETS:
        raise InputError(
            "--restarts is for a built-in data set; for a table, the best of several networks is always chosen: "
            "leave it out"
        )


def _described(trained: Trained) -> dict[str, object]:
    network = trained.model.network
    return {"sizes": network.sizes, "activations": network.activations, **trained.model.record}


def _report(trained: Trained, out: str, plot: str | None) -> None:
    for name, lines in trained.sections:
        say(f"\n{bold(name)}\n{lines}" if lines.startswith("  ") else f"\n{bold(name)}  {lines}")
    say(f"\nsaved {click.style(plain(out), bold=True)}" + (f" and {plain(plot)}" if plot else ""))
    say("try next")
    for line in trained.next:
        say(f"  {line}")
