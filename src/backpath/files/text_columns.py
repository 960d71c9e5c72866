"""Columns of text: categories or classes, or left out if they say nothing about other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, DateInput
from backpath.files.columns import Profile, Texts, collect_texts, lookalikes, most_frequent
from backpath.files.decision import MOST_CATEGORIES, MOST_CLASSES, Decision
from backpath.files.mixtures import lettered_code, mixture, odd_texts, several_writings
from backpath.files.sources import Source
from backpath.files.wording import counted, named, quoted
from backpath.files.written_columns import written_numbers_or_dates
from backpath.files.written_forms import best_number_form

_LEAST_SHARE = 0.01  # of the rows, for a separate category if there are too many
_WORDY = 4  # words per text on average; with at least this many, it is free text


def decide_text(source: Source, base: Decision, choices: Choices, is_target: bool) -> Decision:
    """A column of text, or of numbers or dates in some written form."""
    texts = collect_texts(source, base.column, is_target)
    base = replace(base, missing=texts.missing, distinct=texts.distinct)
    forced = base.name in choices.categorical
    code = "" if forced else _code(source, base.profile, texts, is_target)
    if not forced and not code:
        base = _as_written(source, base, texts, choices, is_target)
        if base.kind or base.problem:
            return base
    if is_target:
        return _classes(source, base, texts, choices)
    is_wanted = forced or base.name in choices.keep
    reason = _why_left_out(texts, base.profile, is_wanted)
    return replace(base, left_out=reason) if reason else _categories(source, base, texts, code)


def _as_written(source: Source, base: Decision, texts: Texts, choices: Choices, is_target: bool) -> Decision:
    """The column as numbers or dates, or refused as a mixture; otherwise without a kind, for text."""
    read = written_numbers_or_dates(source, base, texts, choices, is_target)
    if read is not None:
        return _no_dates(source, read) if is_target else read
    mixed = odd_texts(source, base, choices) or mixture(source, base, texts)
    if not mixed.problem and 0 < texts.distinct == texts.with_digit:
        return several_writings(source, base) or mixed
    return mixed


def _code(source: Source, profile: Profile, texts: Texts, is_target: bool) -> str:
    """A cell of a column of codes, which must not be read as numbers; "" for other columns."""
    if profile.all_numbers and texts.distinct:
        return most_frequent(source, 1)[0][0]
    return "" if is_target or not 0 < texts.distinct == texts.with_digit else lettered_code(source)


def _no_dates(source: Source, read: Decision) -> Decision:
    """Refuses a target of dates."""
    if not isinstance(read.kind, DateInput):
        return read
    return replace(
        read, problem=f"{source.path}, column {quoted(read.name)}: the target holds dates; give another target"
    )


def _why_left_out(texts: Texts, profile: Profile, is_wanted: bool) -> str:
    """The reason why a text column is not used ("" if it is used)."""
    if texts.present == 0:
        return "every cell is missing"
    if texts.distinct == 1 and texts.missing == 0:
        return "the same in every row"
    if is_wanted:
        return ""
    reason = _identifies(texts, profile.rows)
    if not reason:
        return ""
    if profile.all_numbers and not profile.codes:  # whole numbers beyond float64
        return f"{reason}: whole numbers beyond 2⁵³"
    if 0 < profile.numbers < profile.present and not profile.all_numbers:
        return f"{reason}; {counted(profile.numbers, 'cell')} of {profile.present:,} are numbers (--numeric)"
    return reason


def _identifies(texts: Texts, rows: int) -> str:
    """The reason why a text column says nothing about other rows ("" if it does)."""
    if texts.distinct == texts.present > 2:
        return "free text" if texts.words >= _WORDY else "a different text in each row"
    if texts.distinct > MOST_CATEGORIES / 3 and texts.distinct > texts.present / 2:
        return "free text" if texts.words >= _WORDY else "nearly as many texts as rows"
    if texts.distinct > MOST_CATEGORIES and texts.most < max(2, _LEAST_SHARE * rows):
        return "free text" if texts.words >= _WORDY else f"none of its texts is in {_LEAST_SHARE:.0%} of the rows"
    return ""


def _classes(source: Source, base: Decision, texts: Texts, choices: Choices) -> Decision:
    """The target as classes."""
    refused = _no_classes(source, base, texts, choices)
    if refused is not None:
        return refused
    categories = tuple(sorted(text for text, _ in most_frequent(source, MOST_CLASSES)))
    notes = [_alike(alike, base.name) for alike in lookalikes(source)]
    if "None" in categories:
        notes.append(f"'None' in {base.name!r} is treated as a class; --na None leaves its rows out")
    return replace(base, kind=CategoryInput(base.name, categories), notes=tuple(notes))


def _no_classes(source: Source, base: Decision, texts: Texts, choices: Choices) -> Decision | None:
    """Refuses a target of one class or too many, or of numbers with other cells; None for other targets."""
    where, rows = f"{source.path}, column {quoted(base.name)}", texts.present
    too_many = texts.distinct > MOST_CLASSES or (texts.distinct > 20 and texts.distinct > rows / 2)
    if choices.task == "regression" or (too_many and base.name not in choices.categorical):
        strange = _not_numbers(source, base, where)
        if strange is not None:
            return strange
    if texts.distinct == 1:
        value = most_frequent(source, 1)[0][0]
        return replace(
            base, problem=f"{where}: every row is of the same class, {quoted(value)}; there must be at least two"
        )
    if too_many:
        return replace(
            base,
            problem=f"{where}: {texts.distinct:,} different texts in {rows:,} rows are too many for classes; give a "
            "target with few",
        )
    return None


def _not_numbers(source: Source, base: Decision, where: str) -> Decision | None:
    """Refuses a target in which most, but not all, cells are numbers; None for other targets."""
    form, count = best_number_form(source, source.dialect.decimal)
    present = base.profile.rows - base.missing
    if count <= present / 2:
        return None
    value = source.rows(f"SELECT t FROM texts WHERE NOT coalesce(isfinite({form.sql('t')}), false) ORDER BY n DESC, t")
    if not value:
        return None
    return replace(
        base,
        problem=f"{where}: {counted(present - count, 'cell')} of {present:,} cannot be read as a number, such as "
        f"{quoted(value[0][0])}; correct them, or leave their rows out (--numeric {base.name!r})",
        options=("--numeric", base.name),
    )


def _alike(texts: Sequence[str], name: str) -> str:
    return f"{named(texts)} in {name!r} look alike, but are treated as different"


def _categories(source: Source, base: Decision, texts: Texts, code: str) -> Decision:
    name, rows = base.name, base.profile.rows
    notes = [_alike(alike, name) for alike in lookalikes(source)]
    found = most_frequent(source, MOST_CATEGORIES + 1)
    other = len(found) > MOST_CATEGORIES
    if code:
        notes.append(f"{name!r} holds codes such as {quoted(code)}, treated as text (--numeric treats them as numbers)")
    if other:
        found = [(t, n) for t, n in found[:MOST_CATEGORIES] if n >= _LEAST_SHARE * rows] or found[:MOST_CATEGORIES]
        kept = sum(n for _, n in found)
        notes.append(
            f"{name!r} has {texts.distinct:,} different texts: the {len(found)} most frequent ones are inputs, the "
            f"others' {counted(texts.present - kept, 'row')} are 'other'"
        )
    kind = CategoryInput(name, tuple(sorted(text for text, _ in found)), other)
    return replace(base, kind=kind, notes=(*base.notes, *notes))
