"""``backpath explain``"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from backpath.cli.explain.options import ExplainOptions
from backpath.cli.options import COST_NAME, DataSetOrFile, FileName
from backpath.cli.rendering import check_format, format_options, write_rendered
from backpath.cli.terminal import echo, folded, quiet_option
from backpath.errors import InputError

if TYPE_CHECKING:
    from backpath.cli.explain.inputs import Given
    from backpath.explain.rendered import Rendered


class FileOrWeight(DataSetOrFile):
    """Shell completion of a file, and then of the weights of its network."""

    def __init__(self) -> None:
        super().__init__(lambda: ())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from backpath.cli.explain.inputs import network_of

        given: tuple[str, ...] = ctx.params.get("arguments") or ()
        if len(given) != 1:
            return super().shell_complete(ctx, param, incomplete)
        with suppress(InputError):
            names = network_of(given[0]).weight_names
            return [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return []


@click.command()
@click.argument("arguments", nargs=-1, type=FileOrWeight(), metavar="[FILE] [WEIGHT]")
@click.option("--x", help="The inputs of a sample: 0,1, or by name: X1=0,X2=1. Several samples: 0,0;0,1")
@click.option("--y", help="Its targets: 1. Several samples: 1;0")
@click.option("--data", type=FileName(), help="A table; --row selects its rows, instead of --x and --y.")
@click.option("--row", help="With --data: the number of a row, counted from 1; several: 3,8.")
@click.option("--all", "whole_step", is_flag=True, help="The whole step: forward, cost, every gradient and update.")
@format_options
@quiet_option
@click.option("--cost", type=COST_NAME, help="The cost.  [default: the one in the file, else squared_error]")
@click.option("--learning-rate", type=float, help="η of the step.  [default: a worked example's, else 0.5]")
@click.option("--frozen", help="Weights that the step does not update: W1~_1,W2~_1, or biases.")
@click.option("--sizes", help="Without FILE: the network's sizes, as in 2,2,1.")
@click.option("--weights", help="Without FILE: W11_1=0.1,W12_1=0.2,…")
@click.option("--activations", help="Without FILE: one for all layers, or one per layer: tanh,sigmoid (else sigmoid).")
def command(**options: Any) -> None:
    """Explain the gradient of a weight, or a whole step, with every number.

    FILE is a saved model or a worked example (.json). WEIGHT is a name such as W11_1, the weight from the first input
    to the first hidden neuron.

    \b
    backpath explain xor.safetensors W11_1 --x 1,0 --y 1
    backpath explain flowers.safetensors W11_1 --data flowers.csv --row 3
    backpath explain xor.safetensors --all --x 1,0 --y 1
    """
    _explain(ExplainOptions(**options))


def _explain(options: ExplainOptions) -> None:
    from backpath.cli.explain.inputs import from_file, from_options

    check_format(options.form, options.document, options.out)
    file, weight = _file_and_weight(options)
    given = from_file(file, options) if options.sizes is None else from_options(options)
    explained = _explained(given, weight, options)
    for note in given.notes:
        echo(folded(note), err=True)
    write_rendered(explained, options.form, options.document, options.out)


def _file_and_weight(options: ExplainOptions) -> tuple[str, str | None]:
    """The arguments: a file unless options define the network, then a weight unless --all is given."""
    arguments, whole_step, by_options = options.arguments, options.whole_step, options.sizes is not None
    wanted = ([] if by_options else ["FILE"]) + ([] if whole_step else ["WEIGHT"])
    if not by_options and (extra := options.activations or options.weights):
        option = "--activations" if options.activations else "--weights"
        raise click.UsageError(f"{option} {extra} is for a network given with --sizes; FILE has its own")
    if len(arguments) != len(wanted):
        expected, got = " and ".join(wanted) or "no arguments", " ".join(arguments) or "nothing"
        raise click.UsageError(f"expected {expected}, but got {got}{_hint(options, len(arguments) - len(wanted))}")
    found = dict(zip(wanted, arguments, strict=True))
    return found.get("FILE", ""), found.get("WEIGHT")


def _hint(options: ExplainOptions, surplus: int) -> str:
    """What may solve a wrong number of arguments."""
    by_options = options.sizes is not None
    if surplus == 1 and by_options:
        return "; --sizes does not take a file"
    if surplus == 1 and options.whole_step:
        return "; --all does not take a weight"
    if surplus == -1 and not options.whole_step:
        return "; or give --all instead of a weight"
    return "" if by_options or options.arguments else "; or give the network with --sizes and --weights"


def _explained(given: Given, weight: str | None, options: ExplainOptions) -> Rendered:
    from backpath.explain.derivation import derive
    from backpath.explain.step import explain_step
    from backpath.maths.checks import check_learning_rate

    cost = options.cost or given.cost
    if options.learning_rate is not None:
        check_learning_rate(options.learning_rate)
    if weight is not None and (options.learning_rate, options.frozen) != (None, None):
        option = "--frozen" if options.learning_rate is None else "--learning-rate"
        raise InputError(f"{option} is for a whole step; give --all instead of {weight}, or leave {option} out")
    if weight is None:
        rate = given.learning_rate if options.learning_rate is None else options.learning_rate
        names = given.frozen if options.frozen is None else tuple(options.frozen.split(","))
        return explain_step(given.network, given.x, given.y, cost, rate, names, given.labels)
    return derive(given.network, weight, cost, given.labels).evaluate(given.x, given.y)
