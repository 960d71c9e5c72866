"""How paths, names and values from a file are shown in a message: on one line, short, without control characters."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence

from backpath.errors import InputError


def plain(text: str) -> str:
    """The text itself if every character of it can be printed, else with escapes.

    >>> plain("petal length"), plain("a\\nb")
    ('petal length', 'a\\\\nb')
    """
    return text if text.isprintable() else repr(text)[1:-1]


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")


def without_controls(text: str, colours: bool = True) -> str:
    """The text without control characters that a terminal would obey, or that change the order of what is read.

    They are escaped as in JSON, so that JSON stays what it is. Line breaks and tabs are kept, and ``colours``.

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


def quoted(value: object, longest: int = 40) -> str:
    """A name or value in quotes, cut if it is long.

    >>> quoted("1,000"), quoted("x" * 50, longest=5)
    ("'1,000'", "'xxxxx…'")
    """
    text = str(value)
    return repr(text if len(text) <= longest else text[:longest] + "…")


def named(names: Sequence[object], most: int = 8) -> str:
    """Names of columns, in full, to be copied; of many, only the first ones.

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
    """The first few of a list.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' … (3 in all)"
    """
    shown = ", ".join(map(quoted, values[:most]))
    return shown if len(values) <= most else f"{shown} … ({len(values):,} in all)"


_MARKS = " \t'\"`#"  # around names


def column_index(name: str, names: Sequence[str], path: str, role: str, option: str = "") -> int:
    """Where a column is; if there is none, the refusal names the nearest, or all of them."""
    if name in names:
        return names.index(name)
    if name == "" and "column 1" in names:  # as the unnamed first column is called
        return list(names).index("column 1")
    folded = {other.casefold().strip(_MARKS): other for other in names}
    near = [folded[key] for key in difflib.get_close_matches(str(name).casefold().strip(_MARKS), folded, n=3)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"its columns are {named(names)}"
    options = (option, near[0]) if option and near else ()
    raise InputError(f"{path} has no column {quoted(name)} {role}; {hint}", options=options)


def told_apart(names: Sequence[str], where: str) -> tuple[list[str], dict[str, str]]:
    """Names of columns, of which the later ones of equal names get their place added; and what to say of each of these.

    >>> told_apart(["a", "b", "a"], "t.csv")
    (['a', 'b', 'a (column 3)'], {'a (column 3)': "t.csv: columns 1 and 3 are both named 'a'"})
    """
    found: list[str] = []
    repeated: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        first = names.index(name) + 1
        unique = name if first == place else f"{name} (column {place})"
        if unique != name:
            repeated[unique] = f"{where}: columns {first} and {place} are both named {quoted(name)}"
        found.append(unique)
    return found, repeated


def first_duplicate(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
