"""``backpath look``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backpath.cli.options import ColumnName, FileName
from backpath.cli.table_options import TableOptions, memory_option, table_options
from backpath.cli.terminal import echo

if TYPE_CHECKING:
    from backpath.files.looking import ColumnLook, Look

_NAME = 19  # characters of a name in the table; a longer one has a separate line


@click.command()
@click.argument("files", nargs=-1, required=True, type=FileName())
@click.option("--target", type=ColumnName(), help="Column to predict: also show what train would do with the table.")
@table_options
@memory_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(files: tuple[str, ...], target: str | None, memory: str | None, as_json: bool, **options: Any) -> None:
    """Show the table in FILES column by column, and how train would use it.

    Numbers and dates are shown with their range and a small histogram, text with its number of different cells. It
    trains nothing and writes no files.

    \b
    backpath look data.csv --target price
    """
    import json
    from dataclasses import asdict

    from backpath.files.looking import look
    from backpath.files.memory_budget import budget

    given = TableOptions(**options)
    found = look(files, target, given.choices(), given.dialect, budget(memory))
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        echo("\n".join(_lines(found, target)))


def _lines(found: Look, target: str | None) -> list[str]:
    from backpath.cli.terminal import again, folded
    from backpath.files.wording import counted, plain

    lines = [plain(f"{found.path}: {counted(found.rows, 'row')}, {counted(len(found.columns), 'column')}")]
    lines += [folded(f"note: {note}") for note in found.notes]
    lines += _used_columns(found)
    for use in ("left out", *(() if found.refusal else ("refused",))):  # the refusal has all of these
        lines += _other_columns(found, use)
    if found.refusal:
        lines += ["", folded(f"train would refuse it: {found.refusal}")]
    if target is not None and (not found.refusal or found.options):
        lines += ["", "try next", again(*found.options, command="train")]
    return lines


def _used_columns(found: Look) -> list[str]:
    used = [column for column in found.columns if column.use in ("input", "target")]
    if not used:
        return []
    return [
        "",
        f"{'':{_NAME}}  kind    missing  distinct  range",
        *(line for column in used for line in _column(column)),
        *(["* the target"] if any(column.use == "target" for column in used) else []),
    ]


def _other_columns(found: Look, use: str) -> list[str]:
    from backpath.cli.terminal import folded
    from backpath.files.wording import plain

    lines = [folded(f"  {plain(column.name)}: {plain(column.says)}") for column in found.columns if column.use == use]
    return ["", use, *lines] if lines else []


def _column(column: ColumnLook) -> list[str]:
    from backpath.cli.describe import BARS
    from backpath.cli.terminal import folded
    from backpath.files.wording import plain

    name = plain(column.name)
    most = max(column.histogram, default=0)
    bars = "".join(" " if n == 0 else BARS[round((len(BARS) - 1) * n / most)] for n in column.histogram)
    span = f"{column.low} {bars} {column.high}" if bars else ""
    missing = f"{column.missing:,}" if column.missing else "–"
    kind = f"{column.kind}*" if column.use == "target" else column.kind
    distinct = f"{'≈' if column.estimated else ''}{column.distinct:,}"
    row = f"{kind:<7} {missing:>7}  {distinct:>8}  {span}".rstrip()
    lines = [f"{name:{_NAME}}  {row}"] if len(name) <= _NAME else [folded(name), f"{'':{_NAME}}  {row}"]
    return lines + ([folded(f"  {plain(column.says)}", "  ")] if column.says else [])
