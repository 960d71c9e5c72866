"""``backpath show``"""

from __future__ import annotations

import click


@click.command()
@click.argument("model", type=click.Path())
def command(model: str) -> None:
    """Show the saved MODEL: its network and weights, its inputs, and how it was trained."""
    from backpath.cli.describe import describe_network, describe_record, describe_weights, heading
    from backpath.cli.terminal import folded
    from backpath.files.models import load_model
    from backpath.files.wording import plain

    loaded = load_model(model)
    click.echo(f"{heading(plain(model))}: {describe_network(loaded.network)}, {loaded.network.dtype}")
    click.echo(f"\n{heading('weights')}\n{describe_weights(loaded.network)}")
    if loaded.preparation is not None:
        click.echo(f"\n{heading('inputs')}")
        click.echo("\n".join(folded(line, "  ") for line in loaded.preparation.describe()))
    if loaded.record:
        click.echo(f"\n{heading('training')}\n{describe_record(loaded.record)}")
