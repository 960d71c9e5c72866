"""Paths, names and values from a file in messages: on one line, short, without control characters."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence

from backpath.errors import InputError


def plain(text: str) -> str:
    """The text with escapes for unprintable characters.

    >>> plain("petal length"), plain("a\\nb")
    ('petal length', 'a\\\\nb')
    """
    return text if text.isprintable() else repr(text)[1:-1]


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")


def without_controls(text: str, colours: bool = True) -> str:
    """The text without control characters for terminals, or characters that change the reading direction.

    They are escaped as in JSON, so that JSON keeps its meaning. Line breaks, tabs and ``colours`` are kept.

    >>> without_controls("a\x1b[2Jb"), without_controls("caf\u202e\u00e9")
    ('a\\\\u001b[2Jb', 'caf\\\\u202eé')
    """
    if not _CONTROLS.search(text):
        return text
    parts = _COLOURS.split(text) if colours else [text]
    parts[::2] = [_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", part) for part in parts[::2]]
    return "".join(parts)


def shown_path(path: str | os.PathLike[str]) -> str:
    return plain(os.fsdecode(path))


def shown_files(paths: Sequence[str]) -> str:
    """
    >>> shown_files(["a.csv"]), shown_files(["a.csv", "b.csv"])
    ('a.csv', '2 files from a.csv')
    """
    return paths[0] if len(paths) == 1 else f"{counted(len(paths), 'file')} from {paths[0]}"


def quoted(value: object, longest: int = 40) -> str:
    """A name or value in quotes, cut if it is long.

    >>> quoted("1,000"), quoted("x" * 50, longest=5)
    ("'1,000'", "'xxxxx…'")
    """
    text = str(value)
    return repr(text if len(text) <= longest else text[:longest] + "…")


def named(names: Sequence[object], most: int = 8) -> str:
    """Names of columns in full, so that they can be copied; only the first ones if there are many.

    >>> named(["a b", "c"]), named("abc", most=2)
    ("'a b', 'c'", "'a', 'b' … (3 in all)")
    """
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} … ({len(names):,} in all)"


def counted(number: int, unit: str) -> str:
    """
    >>> counted(1, "byte"), counted(2000, "byte")
    ('1 byte', '2,000 bytes')
    """
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def listed(values: Sequence[object], most: int = 8) -> str:
    """The first few items of a list.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' … (3 in all)"
    """
    shown = ", ".join(map(quoted, values[:most]))
    return shown if len(values) <= most else f"{shown} … ({len(values):,} in all)"


_MARKS = " \t'\"`#"  # around names


def column_index(name: str, names: Sequence[str], path: str, role: str, option: str = "") -> int:
    """The place of a column; if there is none, the error suggests similar names, or lists all."""
    if name in names:
        return names.index(name)
    if name == "" and "column 1" in names:  # the name of an unnamed first column
        return list(names).index("column 1")
    folded = {other.casefold().strip(_MARKS): other for other in names}
    near = [folded[key] for key in difflib.get_close_matches(str(name).casefold().strip(_MARKS), folded, n=3)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"its columns are {named(names)}"
    options = (option, near[0]) if option and near else ()
    raise InputError(f"{path} has no column {quoted(name)} {role}; {hint}", options=options)


def distinguished(names: Sequence[str], where: str) -> tuple[list[str], dict[str, str]]:
    """Unique names of columns, with the place added to later ones of equal names, and a message for each of these.

    >>> distinguished(["a", "b", "a"], "t.csv")
    (['a', 'b', 'a (column 3)'], {'a (column 3)': "t.csv: columns 1 and 3 are both named 'a'"})
    """
    given = set(names)
    places: dict[str, int] = {}  # of the first column of each name
    found: dict[str, int] = {}
    repeated: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        first, unique = places.setdefault(name, place), name
        while unique in found or (unique != name and unique in given):
            unique = f"{unique} (column {place})"
        if unique != name:
            repeated[unique] = f"{where}: columns {first} and {place} are both named {quoted(name)}"
        found[unique] = place
    return list(found), repeated


def first_duplicate(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
