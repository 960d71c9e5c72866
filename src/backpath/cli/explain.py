"""``backpath explain``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backpath.cli.options import whole_numbers
from backpath.cli.rendering import check_format, format_options, write_rendered

if TYPE_CHECKING:
    from backpath.cli.explained import Given
    from backpath.explain.rendered import Rendered


@click.command()
@click.argument("arguments", nargs=-1, metavar="[FILE] [WEIGHT]")
@click.option("--x", help="The inputs of a sample: 0,1, or by name: X1=0,X2=1. Several samples: 0,0;0,1")
@click.option("--y", help="Its targets: 1. Several samples: 1;0")
@click.option("--all", "whole_step", is_flag=True, help="The whole step: forward, cost, every gradient and update.")
@format_options
@click.option("--cost", help="The cost, if it is not the one that the file was made with (else squared_error).")
@click.option("--learning-rate", type=float, help="η of the step (the file's, else 0.5).")
@click.option("--frozen", help="Weights that the step does not update: W1~_1,W2~_1, or biases.")
@click.option("--sizes", help="Without FILE: the network's sizes, as in 2,2,1.")
@click.option("--weights", help="Without FILE: W11_1=0.1,W12_1=0.2,…")
@click.option(
    "--activations", default="sigmoid", help="Without FILE: one for all layers, or one per layer: tanh,sigmoid"
)
def command(
    arguments: tuple[str, ...],
    x: str | None,
    y: str | None,
    whole_step: bool,
    form: str,
    document: bool,
    out: str | None,
    cost: str | None,
    learning_rate: float | None,
    frozen: str | None,
    sizes: str | None,
    weights: str | None,
    activations: str,
) -> None:
    """Explain the gradient of one WEIGHT, or with --all a whole step, with every number.

    FILE is a saved model (model.safetensors) or a worked example (example.json, which brings its own samples); or give
    the network with --sizes and --weights. Of a model that was trained on a table, --x takes the table's own values,
    in the table's order or by column name, and --y the target's: they are scaled as in training.

    \b
    backpath explain model.safetensors W11_1 --x 0,1 --y 1
    backpath explain example.json --all --format html --out step.html
    """
    from backpath.cli.explained import from_file, from_options

    check_format(form, document, out)
    files, weight = _file_and_weight(arguments, whole_step, sizes is not None)
    given = (
        from_options(whole_numbers(sizes, "--sizes"), weights, activations, x, y)
        if sizes is not None
        else from_file(files, x, y)
    )
    explained = _explained(given, weight, cost, learning_rate, frozen)
    for note in given.notes:
        click.echo(note, err=True)
    write_rendered(explained, form, document, out)


def _file_and_weight(arguments: tuple[str, ...], whole_step: bool, by_options: bool) -> tuple[str, str | None]:
    """What the arguments are: a file unless the network is given by options, then a weight unless --all is."""
    wanted = ([] if by_options else ["FILE"]) + ([] if whole_step else ["WEIGHT"])
    if len(arguments) != len(wanted):
        expected = " and ".join(wanted) or "no arguments"
        hint = "" if by_options or arguments else "; or give the network with --sizes and --weights"
        hint = "; or give --all in place of a weight" if not whole_step and len(arguments) == len(wanted) - 1 else hint
        raise click.UsageError(f"expected {expected}, but got {' '.join(arguments) or 'nothing'}{hint}")
    found = dict(zip(wanted, arguments, strict=True))
    return found.get("FILE", ""), found.get("WEIGHT")


def _explained(
    given: Given, weight: str | None, cost: str | None, learning_rate: float | None, frozen: str | None
) -> Rendered:
    from backpath.explain.derivation import derive
    from backpath.explain.step import explain_step

    cost = cost or given.cost
    if weight is None:
        rate = given.learning_rate if learning_rate is None else learning_rate
        names = given.frozen if frozen is None else tuple(frozen.split(","))
        return explain_step(given.network, given.x, given.y, cost, rate, names, given.labels)
    return derive(given.network, weight, cost, given.labels).evaluate(given.x, given.y)
