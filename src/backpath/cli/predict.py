"""``backpath predict``"""

from __future__ import annotations

import sys

import click

from backpath.cli.options import dialect, dialect_options


@click.command()
@click.argument("model", type=click.Path())
@click.argument("table", type=click.Path())
@click.option("--out", type=click.Path(), help="The CSV file to write; without it, predictions are printed.")
@dialect_options
def command(model: str, table: str, out: str | None, delimiter: str, encoding: str, decimal: str) -> None:
    """Predict each row of TABLE (CSV or Parquet) with the saved MODEL.

    The table needs the columns that the model was trained on, by name, in any order; others are ignored. Numbers are
    predicted in the target's own units; classes come with the probability of each.
    """
    from backpath.files.atomic import check_writable
    from backpath.files.models import load_model
    from backpath.files.predictions import print_predictions, write_predictions
    from backpath.files.tables import read_prediction_table

    if out is not None:
        check_writable(out, inputs=[model, table])
    loaded = load_model(model)
    preparation = loaded.table_preparation
    X = read_prediction_table(table, preparation, dialect(delimiter, encoding, decimal))
    predictions = preparation.inverse_target(loaded.network.predict(X))
    if out is None:
        print_predictions(sys.stdout, predictions)
    else:
        write_predictions(out, predictions)
        click.echo(f"saved {out}: {len(predictions.values):,} predictions")
