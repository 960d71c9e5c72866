"""``backpath train``: its options. The work is in ``run.py``, which needs NumPy and is imported late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from backpath.cli.lasting import call_options, lasting_options, run_of
from backpath.cli.options import (
    ACTIVATION_NAME,
    COST_NAME,
    ColumnName,
    DataSetOrFile,
    FileName,
    OneOf,
    data_sets,
    initialisations,
    solvers,
)
from backpath.cli.table_options import memory_option, table_options
from backpath.cli.terminal import quiet_option
from backpath.cli.train.options import TrainOptions


@click.command(context_settings={"show_default": True})
@click.argument("source", type=DataSetOrFile(data_sets), required=False)
@click.argument("more_files", nargs=-1)
@click.option("--target", type=ColumnName(), help="Column to predict (required for tables).")
@click.option("--standardize/--no-standardize", default=True, help="Scale numeric inputs to mean 0, deviation 1.")
@click.option("--validation", default=0.2, metavar="SHARE", help="Share of a table's rows to hold out.")
@click.option(
    "--cv",
    type=int,
    metavar="PARTS",
    help="Cross-validate with this many parts instead of holding out rows.  [default: 5 for fewer than 200 rows]",
)
@click.option("--balanced", is_flag=True, help="Weight the rows so that every class counts equally.")
@click.option("--weights", type=ColumnName(), metavar="COLUMN", help="Weight each row by this column.")
@table_options
@memory_option
@click.option("--hidden", metavar="16,8", help="Neurons by hidden layer; '' for none.  [default: found for tables]")
@click.option(
    "--activation", type=ACTIVATION_NAME, help="Activation of the hidden layers.  [default: found for tables]"
)
@click.option(
    "--output-activation",
    type=ACTIVATION_NAME,
    help="Activation of the output layer.  [default: what fits the task]",
)
@click.option("--cost", type=COST_NAME, help="The cost to minimise.  [default: what fits the task]")
@click.option("--solver", type=OneOf(solvers), help="gd, momentum, adam or lm.  [default: adam for tables]")
@click.option(
    "--decay",
    type=float,
    metavar="λ",
    help="Weight decay λ, which adds λ/2 ΣW² to the cost.  [default: found for tables]",
)
@click.option("--bayesian", is_flag=True, help="With --solver lm: Bayesian regularisation.")
@click.option("--learning-rate", type=float, help="η.  [default: 0.005 for tables]")
@click.option(
    "--epochs",
    type=int,
    help="Maximum number of passes over the samples.  [default: 400 for tables, fewer over 50,000 rows]",
)
@click.option("--batch-size", type=int, help="Samples per update; 0 for all.  [default: 32 for tables]")
@click.option("--tol", type=float, help="Stop when 10 epochs in a row lower the cost by no more than this.")
@click.option("--frozen", multiple=True, metavar="WEIGHT", help="Do not train this weight, or 'biases'.")
@click.option("--init", type=OneOf(initialisations), default="glorot_uniform", help="How initial weights are drawn.")
@click.option("--restarts", default=1, help="For a built-in data set: train from this many starts and keep the best.")
@click.option("--seed", default=0, help="Seed for the initial weights, the split and the order of samples.")
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", help="The number type.")
@click.option(
    "--engine",
    type=OneOf(lambda: ("auto", "numpy", "compiled")),
    default="auto",
    help="The engine for the arithmetic: auto, numpy or compiled.",
)
@click.option("--out", type=FileName(), help="Where to save the model.  [default: SOURCE's name + .safetensors]")
@click.option("--plot", type=FileName(), metavar="FILE", help="Plot how good the model is: .html, .png, .svg or .pdf.")
@click.option("--json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--dask",
    metavar="local:4|tcp://…",
    help="Distribute the training runs of a table, or the restarts, over a Dask cluster.",
)
@lasting_options
@quiet_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Train a network on SOURCE and save it.

    SOURCE is a built-in data set (and, or, nand, xor, circle, spiral, sine), trained with suitable settings, or
    a table with its --target column: a CSV, Parquet, JSON lines or .xlsx file, also compressed, several files, a
    pattern such as 'parts/*.csv', or - for standard input. The cells of each column decide whether it is read as
    numbers, categories or dates, missing cells are filled in, and every such decision is reported (backpath look FILE
    shows them without training). A share of the rows is held out to evaluate the model. The other rows are used to
    compare networks of several sizes and a linear model on rows that they were not trained on, and to train the best
    one. Settings that you give are never changed.

    \b
    backpath train xor
    backpath train data.csv --target price --hidden 16,8 --out price.safetensors
    backpath train data.csv --target price --checkpoint run/ --every 60s
    backpath train --resume run/
    """
    from backpath.cli.train.run import train_and_report

    options, given = call_options(context, options)
    out = options["out"] or f"{Path(options['source']).stem}.safetensors"
    with run_of("train", options, given, out) as run:
        kept = {name: value for name, value in options.items() if name not in ("checkpoint", "every", "resume")}
        train_and_report(TrainOptions(**kept | {"out": out}, given=given, run=run))
