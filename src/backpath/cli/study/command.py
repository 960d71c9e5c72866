"""``backpath study``: its options. The work is in ``run.py``, which needs NumPy and is imported late."""

from __future__ import annotations

from typing import Any

import click

from backpath.cli.lasting import call_options, lasting_options, run_of
from backpath.cli.options import ACTIVATION_NAME, COST_NAME, FileName, OneOf, data_sets, initialisations
from backpath.cli.study.options import StudyOptions
from backpath.cli.terminal import quiet_option


@click.command(context_settings={"show_default": True})
@click.argument("source", type=OneOf(data_sets), required=False)
@click.option("--networks", default=10_000, help="How many networks to train (for each value of a sweep).")
@click.option("--hidden", metavar="16,8", help="Neurons by hidden layer; '' for none.  [default: the data set's]")
@click.option("--activation", type=ACTIVATION_NAME, help="Activation of the hidden layers.  [default: the data set's]")
@click.option(
    "--output-activation", type=ACTIVATION_NAME, help="Activation of the output layer.  [default: the data set's]"
)
@click.option("--cost", type=COST_NAME, help="The cost to minimise.  [default: the data set's]")
@click.option(
    "--solver", type=OneOf(lambda: ("gd", "momentum", "adam")), help="gd, momentum or adam.  [default: the data set's]"
)
@click.option("--learning-rate", type=float, help="η.  [default: the data set's, or the solver's default]")
@click.option("--momentum", type=float, help="μ of the momentum solver.  [default: 0.9]")
@click.option("--batch-size", type=int, help="Samples per update; 0 for all.  [default: the data set's]")
@click.option(
    "--epochs", type=int, help="Passes over the samples; 0 only measures the start.  [default: the data set's]"
)
@click.option("--init", type=OneOf(initialisations), default="glorot_uniform", help="How initial weights are drawn.")
@click.option("--seed", default=0, help="Seed for the initial weights and the order of samples.")
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", help="The number type.")
@click.option(
    "--threads", type=int, help="Maximum number of threads; the results do not depend on it.  [default: all cores]"
)
@click.option(
    "--solved", default=0.4, metavar="ERROR", help="Count a network as solved if all errors |A - y| are below this."
)
@click.option(
    "--sweep", metavar="NAME=LOW..HIGH:log:COUNT", help="Vary learning-rate or momentum, with log or lin spacing."
)
@click.option("--out", type=FileName(), help="A Parquet file: a row per network, or per value of a sweep.")
@click.option("--picture", type=FileName(), help="A picture: .svg, .png or .pdf (needs matplotlib).")
@click.option("--dask", metavar="local:4|tcp://…", help="Spread the networks over a Dask cluster.")
@lasting_options
@quiet_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Train many networks on SOURCE and report how often it is learned.

    SOURCE is a built-in data set (and, or, nand, xor, circle, spiral, sine). Every network starts from its own
    random weights. With --sweep, the same starts are trained with each value of a setting.

    \b
    backpath study xor --networks 100000 --init uniform:-1,1 --out study.parquet
    backpath study xor --sweep learning-rate=0.1..10:log:25 --picture sweep.svg
    """
    from backpath.cli.study.run import study_and_report

    options, given = call_options(context, options)
    with run_of("study", options, given, None) as run:
        kept = {name: value for name, value in options.items() if name not in ("checkpoint", "every", "resume")}
        study_and_report(StudyOptions(**kept, run=run))
