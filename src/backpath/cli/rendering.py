"""Writes an explanation in the chosen format."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backpath.cli.options import FileName
from backpath.cli.terminal import echo, say, wants_colour

if TYPE_CHECKING:
    from backpath.explain.rendered import Rendered

_FORMATS = ("text", "latex", "mathml", "html", "json", "markdown")


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--format, --document and --out."""
    options = (
        click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True),
        click.option("--document", is_flag=True, help="Write a complete LaTeX document."),
        click.option("--out", type=FileName(), help="The file to write; without it, the result is printed."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_format(form: str, document: bool, out: str | None, inputs: tuple[str, ...] = ()) -> None:
    """Refuse output that cannot be written, before the work."""
    from backpath.files.atomic import check_writable

    if document and form != "latex":
        raise click.UsageError("--document is for --format latex")
    if out is not None:
        check_writable(out, inputs=inputs)


def write_rendered(rendered: Rendered, form: str, document: bool, out: str | None) -> None:
    from backpath.files.atomic import write_atomically

    colour = out is None and wants_colour()
    made = {
        "text": lambda: rendered.text(colour=colour),
        "latex": lambda: rendered.latex(document=document),
        "mathml": rendered.mathml,
        "html": rendered.html,
        "json": rendered.json,
        "markdown": rendered.markdown,
    }[form]().rstrip("\n")
    if out is None:
        sys.stdout.reconfigure(encoding="utf-8") if hasattr(sys.stdout, "reconfigure") else None
        echo(made, color=colour)
    else:
        write_atomically(out, f"{made}\n".encode())
        say(f"saved {Path(out)}")
