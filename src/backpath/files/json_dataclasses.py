"""Dataclasses from JSON, with all keys and types checked."""

from __future__ import annotations

import dataclasses
import types
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from backpath.errors import InputError

T = TypeVar("T")


def from_kept(kind: type[T], kept: object, what: str) -> T:
    """The dataclass from the fields that ``dataclasses.asdict`` returned.

    Raises
    ------
    InputError
        If a key is missing or unknown, or a value has another type than its field.

    >>> from backpath.files.forms import NumberForm
    >>> from_kept(NumberForm, dataclasses.asdict(NumberForm(prefix="$")), "the form").prefix
    '$'
    """
    hints = get_type_hints(kind)
    fields = checked_keys(kept, [field.name for field in dataclasses.fields(kind)], what)  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], fields[name], f"{what}: {name}") for name in fields})


def checked_keys(kept: object, wanted: list[str], what: str) -> dict[str, Any]:
    """A JSON object with exactly these keys."""
    if not isinstance(kept, dict) or set(kept) != set(wanted):
        raise InputError(f"{what} must hold {', '.join(wanted)}, and nothing else")
    return kept


def _value(hint: Any, value: object, what: str) -> Any:
    if get_origin(hint) is types.UnionType:
        return None if value is None else _value(get_args(hint)[0], value, what)
    if get_origin(hint) is tuple:
        items: Any = _of_type(list, value, what)
        return tuple(_value(get_args(hint)[0], item, what) for item in items)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_kept(hint, value, what)
    return _of_type(hint, value, what)


def _of_type(kind: type, value: object, what: str) -> object:
    if type(value) is not kind and not (isinstance(value, tuple) and kind is list):
        raise InputError(f"{what} must be of type {kind.__name__}, not {type(value).__name__}")
    return value
