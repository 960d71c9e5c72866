"""``backpath explore``"""

from __future__ import annotations

import sys
from contextlib import nullcontext, suppress
from typing import Any

import click

from backpath.cli import signals
from backpath.cli.options import FileName
from backpath.cli.table_options import TableOptions, table_options
from backpath.cli.terminal import echo
from backpath.errors import InputError


@click.command()
@click.argument("model", required=False, type=click.Path())
@click.option("--data", metavar="TABLE", help="A table to start with; with a model, one that has the model's columns.")
@click.option(
    "--target", metavar="COLUMN", help="The column to predict, for a table without a model.  [default: the last column]"
)
@click.option("--run", type=FileName(), metavar="FOLDER", help="Show a run live: the folder of its --checkpoint.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the page; 0 for any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other one opens the page to other machines.",
)
@click.option("--no-browser", is_flag=True, help="Print the address, but do not open it.")
@table_options
def command(
    model: str | None,
    data: str | None,
    target: str | None,
    run: str | None,
    port: int,
    host: str,
    no_browser: bool,
    **given: Any,
) -> None:
    """Explore a network on a web page: see it learn, click a weight, read its chain rule.

    MODEL is a saved model, which is shown with the table that it was trained on if that file still exists. Without
    MODEL, the page starts with the notes' network and XOR. Only this machine can reach the page, and only with the
    printed address. Ctrl-C stops it.
    """
    try:
        import backpath.explorer  # noqa: F401 - it names the packages that are missing
    except ImportError as error:
        raise InputError(str(error)) from None
    from backpath.explorer.access import in_browser, user_token
    from backpath.explorer.app import Explorer
    from backpath.explorer.first_scene import first_scene
    from backpath.explorer.followed_run import FollowedRun
    from backpath.explorer.server import Address, is_loopback, server

    if run is not None and (model, data, target) != (None, None, None):
        raise InputError("--run shows the network and the data of a run; leave MODEL, --data and --target out")
    table = TableOptions(**given)
    followed = None if run is None else FollowedRun(run)
    scene = followed.scene if followed else first_scene(model, data, target, table.choices(), table.dialect)
    address = Address(host, port, user_token())
    if not is_loopback(host):
        echo("other machines can reach the page, but only with the token in its address", err=True)
    echo(address.url)
    with suppress(KeyboardInterrupt), nullcontext() if no_browser else in_browser(address.url):
        serving = server(Explorer(address.rules, scene, run=followed))
        signals.end_quietly_at_hang_up(serving)
        serving.run([address.socket])
    sys.exit(0)  # Ctrl-C is its normal end
