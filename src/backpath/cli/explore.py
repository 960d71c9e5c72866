"""``backpath explore``"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import nullcontext, suppress

import click

from backpath.cli.terminal import echo
from backpath.errors import InputError

NEEDED = ("starlette", "uvicorn", "websockets", "ziamath")


@click.command()
@click.argument("model", required=False, type=click.Path())
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address opens it to other machines.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
def command(model: str | None, port: int, host: str, no_browser: bool) -> None:
    """Explore a network on a web page: see it learn, click a weight, read its chain rule.

    MODEL is a saved model to begin with; without it, the notes' network and XOR. The page is for this machine only,
    and for whoever has the address that is printed. Ctrl-C ends it.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"the explorer needs {', '.join(missing)}; install it with: pip install 'backpath[explorer]'")
    from backpath.explorer.access import in_browser, user_token
    from backpath.explorer.app import Explorer
    from backpath.explorer.scene import Scene
    from backpath.explorer.server import Address, is_loopback, server
    from backpath.files.models import load_model

    scene = Scene.of_data_set("xor") if model is None else Scene.of_model(load_model(model))
    address = Address(host, port, user_token())
    if not is_loopback(host):
        echo("the page can be reached from other machines; only with the token in its address", err=True)
    echo(address.url)
    with suppress(KeyboardInterrupt), nullcontext() if no_browser else in_browser(address.url):
        server(Explorer(address.rules, scene)).run([address.socket])
    sys.exit(0)  # to be stopped is its usual end
