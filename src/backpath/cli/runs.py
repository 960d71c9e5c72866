"""``backpath runs``: lists runs and their state."""

from __future__ import annotations

import click

from backpath.cli.options import FileName
from backpath.cli.terminal import echo


@click.command()
@click.argument("folder", type=FileName(), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(folder: str, as_json: bool) -> None:
    """List the runs in FOLDER (by default the working directory), and the run in FOLDER itself.

    \b
    backpath runs
    backpath runs experiments --json
    """
    import json

    from backpath.cli.describe import table
    from backpath.files.wording import plain
    from backpath.training.known_runs import find_runs

    found = find_runs(folder)
    if as_json:
        echo(json.dumps([run.to_dict() for run in found], ensure_ascii=False, allow_nan=False))
    elif not found:
        echo(f"no runs in {plain(folder)}; backpath train --checkpoint FOLDER starts one")
    else:
        header = ("run", "what", "state", "training", "epochs", "cost", "saved")
        echo(table([header, *(run.shown() for run in found)], indent="", left=(0, 1, 2)))
