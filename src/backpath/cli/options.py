"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from backpath.cli.terminal import echo
from backpath.errors import InputError

if TYPE_CHECKING:
    TextType = click.ParamType[str]
else:
    TextType = click.ParamType  # older releases of click do not allow an index


class FileName(click.Path):
    """A path; an empty one, such as from an unset variable, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("expected the name of a file, but got nothing between the quotes", param, ctx)
        return super().convert(value, param, ctx)


class OneOf(TextType):
    """Any text, with shell completion of the names in ``names``; other texts are refused later."""

    name = "text"

    def __init__(self, names: Callable[[], Iterable[str]]):
        self.names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]


class OursOf(OneOf):
    """The same, which also accepts names from other libraries, and reports their meaning.

    ``called``: backpath's name for a name; the name itself if it is unknown.
    """

    def __init__(self, names: Callable[[], Iterable[str]], called: Callable[[str], str]):
        super().__init__(names)
        self.called = called

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from backpath.maths.other_names import taken_as

        ours = self.called(value)
        if ours != value:
            echo(f"backpath: {taken_as([(value, ours)])}", err=True)
        return ours


def _activation_meant(name: str) -> str:
    from backpath.maths.other_names import activation_called

    return activation_called(name)


def _cost_meant(name: str) -> str:
    """The same for a cost; "cross_entropy" is ambiguous and stays unchanged."""
    from backpath.maths.other_names import cost_called

    found = {cost_called(name, output) for output in ("sigmoid", "softmax")}
    return found.pop() if len(found) == 1 else name


def activations() -> Iterable[str]:
    from backpath.maths.activations import ACTIVATIONS

    return ACTIVATIONS


def costs() -> Iterable[str]:
    from backpath.maths.costs import COSTS

    return COSTS


ACTIVATION_NAME, COST_NAME = OursOf(activations, _activation_meant), OursOf(costs, _cost_meant)


def initialisations() -> Iterable[str]:
    from backpath.maths.initialisations import INITIALISATIONS

    return INITIALISATIONS


def solvers() -> Iterable[str]:
    from backpath.training.job import SOLVERS

    return SOLVERS


def data_sets() -> Iterable[str]:
    from backpath.training.datasets import DATASETS

    return DATASETS


class DataSetOrFile(OneOf):
    """A built-in data set or a file."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = super().shell_complete(ctx, param, incomplete)
        if not names:
            return [CompletionItem(incomplete, type="file")]
        return names + [
            CompletionItem(path.name) for path in sorted(Path().iterdir()) if path.name.startswith(incomplete)
        ]


class ColumnName(TextType):
    """A column of a table, with shell completion from the header of the first readable table in the call."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        given = [ctx.params.get(name) or () for name in ("source", "files", "tables")]
        files = [file for some in (*given, ctx.args) for file in ([some] if isinstance(some, str) else some)]
        names = next((names for file in files if (names := _columns(file))), ())
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _columns(file: str) -> tuple[str, ...]:
    """The columns of a table, from the beginning of its file if it is text; empty if it cannot be read quickly."""
    from backpath.files.csv_layout import find_layout
    from backpath.files.dialect import Dialect
    from backpath.files.opening import open_table

    path = Path(file)
    try:
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            return find_layout(path, file, Dialect(), None, ()).names
        if path.suffix.lower() in (".parquet", ".pq"):
            with open_table(path) as source:
                return source.names
    except (InputError, OSError, UnicodeError):
        pass
    return ()


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """``16,8`` -> (16, 8); nothing, ``()``.

    >>> whole_numbers("16,8", "--hidden")
    (16, 8)
    """
    try:
        numbers = tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        none = ", or '' for no hidden layer" if option == "--hidden" else ""
        raise InputError(f"{option} takes whole numbers of at least 1, as in 16,8{none}, but got {text!r}")
    return numbers
