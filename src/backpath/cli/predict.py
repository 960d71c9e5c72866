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
    predicted in the target's own units; classes come with the probability of each. A network that was trained on
    arrays takes the columns X1, X2 … and gives its outputs A1, A2 …
    """
    from backpath.files.atomic import check_writable
    from backpath.files.models import load_model
    from backpath.files.predictions import output_rows, prediction_rows, print_rows, write_rows
    from backpath.files.tables import read_prediction_table
    from backpath.files.wording import plain

    if out is not None:
        check_writable(out, inputs=[model, table])
    loaded = load_model(model)
    X = read_prediction_table(table, loaded.table_inputs, dialect(delimiter, encoding, decimal))
    A = loaded.network.predict(X)
    rows = output_rows(A) if loaded.preparation is None else prediction_rows(loaded.preparation.inverse_target(A))
    if out is None:
        print_rows(sys.stdout, rows)
    else:
        write_rows(out, rows)
        click.echo(f"saved {plain(out)}: {len(A):,} predictions")
