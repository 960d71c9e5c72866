"""``backpath check``"""

from __future__ import annotations

import sys

import click

from backpath.cli.options import FileName
from backpath.cli.rendering import check_format, format_options, write_rendered


@click.command()
@click.argument("file", type=FileName())
@format_options
def command(file: str, form: str, document: bool, out: str | None) -> None:
    """Check the figures in a worked example, and name the mistake they come from.

    FILE is JSON with a network, samples, and the figures to check: gradients, updated weights, or values of the forward
    pass. A figure in quotes is judged by the digits it is printed with, a number by all of its digits.

    Ends with status 0 if every figure is right, 1 if not.

    \b
    {"network": {"sizes": [1, 1], "activations": "sigmoid",
                 "weights": {"W11_1": 0.5, "W1~_1": 0.1}},
     "x": [[1]], "y": [[0]], "cost": "squared_error",
     "claimed": {"gradients": {"W11_1": "0.2954", "W1~_1": "0.2954"}}}
    """
    from backpath.explain.diagnosis.diagnose import diagnose
    from backpath.files.worked_examples import read_worked_example

    check_format(form, document, out, inputs=(file,))
    found = read_worked_example(file)
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
