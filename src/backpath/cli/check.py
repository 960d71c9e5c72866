"""``backpath check``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from backpath.cli.options import FileName
from backpath.cli.rendering import check_format, format_options, write_rendered
from backpath.errors import InputError

if TYPE_CHECKING:
    from backpath.cli.explain.inputs import Given


@click.command()
@click.argument("file", type=FileName())
@click.option("--model", type=FileName(), help="A saved model: its network and a sample replace those in FILE.")
@click.option("--x", help="With --model: a sample's inputs, in the table's units: 50,gas or size=50,fuel=gas")
@click.option("--y", help="With --model: its target.")
@click.option("--data", type=FileName(), help="With --model: a table; --row selects its rows.")
@click.option("--row", help="With --data: the number of a row, counted from 1; several: 3,8.")
@format_options
def command(
    file: str,
    model: str | None,
    x: str | None,
    y: str | None,
    data: str | None,
    row: str | None,
    form: str,
    document: bool,
    out: str | None,
) -> None:
    """Check the figures in a worked example, and name the mistake in them.

    FILE is JSON with a network, samples, and the figures to check: gradients, updated weights, or values of the forward
    pass. A figure in quotes is compared to the digits that it shows, a number to all its digits.

    With --model, the network and the sample come from a saved model and its table; FILE contains the rest.

    The exit status is 0 if every figure is right, 1 if one is wrong, and 2 if FILE is not valid.

    \b
    {"network": {"sizes": [1, 1], "activations": "sigmoid",
                 "weights": {"W11_1": 0.5, "W1~_1": 0.1}},
     "x": [[1]], "y": [[0]], "cost": "squared_error",
     "claimed": {"gradients": {"W11_1": "0.2954", "W1~_1": "0.2954"}}}
    """
    from backpath.explain.diagnosis.diagnose import diagnose
    from backpath.files.worked_examples import read_worked_example

    check_format(form, document, out, inputs=(file,))
    given = _of_model(model, x, y, data, row)
    sampled = None if given is None else (given.network, given.x, given.y, given.cost)
    found = read_worked_example(file, sampled)
    for note in given.notes if given else ():
        click.echo(note, err=True)
    report = diagnose(
        found.network,
        *found.samples,
        found.gradients,
        claimed_weights=found.weights or None,
        claimed_values=found.values,
        cost=found.cost,
        learning_rate=found.learning_rate,
        frozen=found.frozen,
    )
    report.note = " ".join(filter(None, (found.taken, report.note)))
    write_rendered(report, form, document, out)
    sys.exit(0 if report.correct else 1)


def _of_model(model: str | None, *sample: str | None) -> Given | None:
    """The network and the samples instead of those in the file."""
    if model is None:
        if any(part is not None for part in sample):
            raise InputError("--x, --y, --data and --row select a sample for a model; give --model too")
        return None
    from backpath.cli.explain.inputs import from_file
    from backpath.cli.explain.options import SampleOptions

    if model.lower().endswith(".json"):
        raise InputError(f"--model takes a saved model, but {model} is a worked example; check it without --model")
    return from_file(model, SampleOptions(*sample))
