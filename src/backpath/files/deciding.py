"""What a column is taken as: numbers, categories, a date; or left out; or what keeps it from being either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, ColumnInput, DateInput, NumberInput
from backpath.files.columns import (
    WHOLE_LIMIT,
    Profile,
    Texts,
    best_date_form,
    best_number_form,
    collect_texts,
    date_forms,
    lookalikes,
    merges,
    most_frequent,
    number_forms,
)
from backpath.files.forms import PLAIN, NumberForm
from backpath.files.reading import missing_number, number_sql
from backpath.files.sources import Column, Source
from backpath.files.wording import counted, named, quoted

MOST_CATEGORIES = 64  # inputs of one column of text; rarer ones are "other"
MOST_CLASSES = 1000
LEAST_SHARE = 0.01  # of the rows, for a category of its own where there are too many
MIXED = 0.8  # from this share of numbers (or of texts) on, the rest of a column looks like mistakes
_MISTAKES = 2  # cells that may be mistakes however short the column is
_MOST_ODD = 8  # different texts beside numbers or dates that may all stand for a missing one
_STAND_INS = (-9, -99, -999, -9999)  # numbers that often stand for a missing one
_LONG = 50  # rows from which on 1, 2, 3 … is hardly a measurement
_WORDY = 4  # words in a text on average, from which on it is free text
_ID_NAME = re.compile(r"(row[_. ]?(names?|id)|index|id|idx|unnamed: \d+|column \d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Decision:
    """What is done with a column.

    Attributes
    ----------
    kind : ColumnInput | None
        What it is taken as, None if it is left out.
    left_out : why, in words that follow "left out, "; "" if it is not
    notes : what a user should know of it
    missing, distinct : cells, and different texts (None: not counted, as of numbers)
    problem, options : why it cannot be used, and what to add to the command
    """

    column: Column
    profile: Profile
    kind: ColumnInput | None = None
    left_out: str = ""
    notes: tuple[str, ...] = ()
    missing: int = 0
    distinct: int | None = None
    problem: str = ""
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.column.name


def decide(source: Source, column: Column, profile: Profile, choices: Choices, is_target: bool) -> Decision:
    """What to do with a column, by all of its cells."""
    name = column.name
    base = Decision(column, profile, missing=profile.missing)
    if column.problem:
        return replace(
            base,
            problem=f"{source.path}, column {quoted(name)}: {column.problem}; expected numbers or text: convert it, or "
            f"leave it out (--ignore {name!r})",
            options=("--ignore", name),
        )
    if name in choices.numeric:
        return _forced_numbers(source, base)
    if profile.present == 0:
        return replace(base, left_out="every cell is missing")
    if name not in choices.categorical and profile.all_numbers:
        decision = _number(source, base, choices, is_target)
        if decision is not None:
            return decision
    return _text(source, base, choices, is_target)


def _forced_numbers(source: Source, base: Decision) -> Decision:
    """A column that the caller takes as numbers, in the form that reads most of its cells; the others are missing."""
    name, profile = base.name, base.profile
    form, numbers = NumberForm(source.dialect.decimal or "."), profile.numbers
    if not base.column.number and not profile.all_numbers:
        texts = collect_texts(source, base.column, is_target=False)
        better, count = best_number_form(source, source.dialect.decimal)
        if count > numbers:
            kind = NumberInput(name, form=replace(better, lenient=True))
            said = f"{name!r} is read as numbers {kind.form.describe()}"
            return replace(base, kind=kind, notes=(said,), missing=profile.rows - count)
        if numbers == 0 and texts.present:
            example = most_frequent(source, 1)[0][0]
            return replace(
                base,
                problem=f"{source.path}, column {quoted(name)}: none of its cells can be read as a number, such as "
                f"{quoted(example)}; drop --numeric",
            )
    if numbers == 0:
        return replace(base, problem=f"{source.path}, column {quoted(name)}: none of its cells is a number")
    kind = NumberInput(name, form=replace(form, lenient=True))
    return replace(_constant_or(base, kind), missing=profile.rows - numbers)


def _constant_or(base: Decision, kind: ColumnInput) -> Decision:
    if base.profile.low == base.profile.high:
        return replace(base, left_out="the same in every row")
    return replace(base, kind=kind)


def _number(source: Source, base: Decision, choices: Choices, is_target: bool) -> Decision | None:
    """A column all of whose cells are numbers; None if they are codes, which numbers would merge."""
    column, profile = base.column, base.profile
    if profile.codes:
        return None
    low, high = profile.low or 0.0, profile.high or 0.0
    if max(abs(low), abs(high)) >= WHOLE_LIMIT and merges(source, column):
        return None
    if is_target:
        return replace(base, kind=NumberInput(column.name, form=_plain(source)))
    if column.name not in choices.keep:
        identifier = _counts_rows(source, column, profile)
        if identifier:
            return replace(base, left_out=identifier)
        base = replace(base, notes=_stands_out(source, column, profile))
        if len(source.columns) > 2 and _may_count_rows(source, column, profile):
            said = f"{column.name!r} is a different number in each row, as if it counted them; it is taken in"
            base = replace(base, notes=(*base.notes, f"{said} (--ignore leaves it out)"))
    return _constant_or(base, NumberInput(column.name, form=_plain(source)))


def _plain(source: Source) -> NumberForm:
    return NumberForm(source.dialect.decimal) if source.dialect.decimal == "," else PLAIN


def _stands_out(source: Source, column: Column, profile: Profile) -> tuple[str, ...]:
    """A note on a number such as -99 that perhaps means "missing": the only negative one, and it comes again."""
    low = profile.low
    if low not in _STAND_INS:
        return ()
    number = column.number or number_sql(column, NumberInput("", form=_plain(source)), source.dialect.missing)
    times, next_low = source.rows(
        f"SELECT count(CASE WHEN n = {low} THEN 1 END), min(CASE WHEN n > {low} THEN n END) "
        f"FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    if times < 2 or next_low is None or next_low < 0:
        return ()
    return (
        f"{column.name!r} is {low:g} in {times:,} rows and otherwise never below 0; --na {low:g} takes it as missing",
    )


def _may_count_rows(source: Source, column: Column, profile: Profile) -> bool:
    """Whether a column holds each of 1 … N (or 0 … N - 1) once, whatever it is called, and N is no small number."""
    span = (profile.high or 0) - (profile.low or 0)
    if profile.rows < _LONG or profile.missing or profile.low not in (0, 1) or span != profile.rows - 1:
        return False
    number = column.number or number_sql(column, NumberInput("", form=_plain(source)), ())
    distinct, whole = source.rows(
        f"SELECT count(DISTINCT n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    return bool(whole and distinct == profile.rows)


def _counts_rows(source: Source, column: Column, profile: Profile) -> str:
    """Why a column of numbers is but a name for each row ("" if it is not): it is called so, and no two are alike."""
    if not _ID_NAME.fullmatch(column.name) or profile.missing or profile.rows < 3:
        return ""
    number = column.number or number_sql(column, NumberInput("", form=_plain(source)), ())
    distinct, whole = source.rows(
        f"SELECT count(DISTINCT n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    if distinct < profile.rows or not whole:
        return ""
    counts = profile.low in (0, 1) and (profile.high or 0) - (profile.low or 0) == profile.rows - 1
    if counts:
        return "it counts the rows"
    return "" if column.name.startswith("column ") else "a different number in each row"


def _text(source: Source, base: Decision, choices: Choices, is_target: bool) -> Decision:
    column, profile, name = base.column, base.profile, base.name
    texts = collect_texts(source, column, is_target)
    base = replace(base, missing=texts.missing, distinct=texts.distinct)
    codes = profile.all_numbers  # but not to be read as such
    if name not in choices.categorical and not codes:
        read = _written_numbers_or_dates(source, base, texts, choices, is_target)
        if read is not None:
            if is_target and isinstance(read.kind, DateInput):
                return replace(
                    read, problem=f"{source.path}, column {quoted(name)}: the target holds dates; give another target"
                )
            return read
        mixed = _odd_texts(source, base, choices) or _mixture(source, base, texts)
        if mixed.problem:
            return mixed
        base = mixed
    if is_target:
        return _classes(source, base, texts, choices)
    if texts.present == 0:
        return replace(base, left_out="every cell is missing")
    if texts.distinct == 1 and texts.missing == 0:
        return replace(base, left_out="the same in every row")
    if name not in choices.keep and name not in choices.categorical:
        reason = _identifies(texts, profile.rows)
        if reason:
            beyond = codes and not profile.codes  # whole numbers that float64 cannot represent
            return replace(base, left_out=f"{reason}: whole numbers beyond 2⁵³" if beyond else reason)
    return _categories(source, base, texts, codes and name not in choices.categorical)


def _identifies(texts: Texts, rows: int) -> str:
    """Why a column of text says nothing that is true of other rows ("" if it does)."""
    if texts.distinct == texts.present > 2:
        return "free text" if texts.words >= _WORDY else "a different text in each row"
    if texts.distinct > MOST_CATEGORIES / 3 and texts.distinct > texts.present / 2:
        return "free text" if texts.words >= _WORDY else "nearly as many texts as rows"
    if texts.distinct > MOST_CATEGORIES and texts.most < max(2, LEAST_SHARE * rows):
        return "free text" if texts.words >= _WORDY else f"none of its texts is in {LEAST_SHARE:.0%} of the rows"
    return ""


def _written_numbers_or_dates(
    source: Source, base: Decision, texts: Texts, choices: Choices, is_target: bool
) -> Decision | None:
    """A column of currency, percentages, dates and so on, if it is one."""
    if texts.distinct == 0 or texts.with_digit < texts.distinct:
        return _written_among_gaps(source, base, texts, choices, is_target)
    name, path = base.name, source.path
    forms = number_forms(source, source.dialect.decimal)
    if len(forms) == 1:
        form = forms[0]
        said = f"{name!r} is read as numbers {form.describe()}"
        return replace(base, kind=NumberInput(name, form=form), notes=(said,), distinct=None)
    if forms:
        first, second = forms[:2]
        differ = f"({first.sql('t')}) <> ({second.sql('t')})"
        example = source.rows(f"SELECT t FROM texts WHERE {differ} ORDER BY length(t), t LIMIT 1")[0][0]
        readings = [f"{_value(source, form, example):g} with --decimal {form.decimal!r}" for form in (first, second)]
        return replace(
            base,
            problem=f"{path}, column {quoted(name)}: its numbers can be read two ways: {quoted(example)} is "
            f"{' or '.join(readings)}",
            options=("--decimal", forms[0].decimal),
        )
    return _dates(source, base, choices)


def _written_among_gaps(
    source: Source, base: Decision, texts: Texts, choices: Choices, is_target: bool
) -> Decision | None:
    """The same where some cells are such words as "none" or ".", which are missing among numbers and dates only."""
    gap = missing_number(replace(base.column, text="t"), source.dialect.missing)
    words, left = source.rows(
        f"SELECT coalesce(sum(CASE WHEN {gap} THEN n END), 0), count(CASE WHEN NOT {gap} THEN 1 END) FROM texts"
    )[0]
    if not words or not left:
        return None
    source.rows(f"DELETE FROM texts WHERE {gap}")
    fewer = replace(texts, distinct=int(left))
    wider = replace(base, missing=base.missing + int(words))
    read = _written_numbers_or_dates(source, wider, fewer, choices, is_target)
    if read is None:
        collect_texts(source, base.column, is_target)
    return read


def _value(source: Source, form: NumberForm, text: str) -> float:
    return float(source.rows(f"SELECT {form.sql('$t')}", t=text)[0][0])


def _dates(source: Source, base: Decision, choices: Choices) -> Decision | None:
    forms = date_forms(source, choices.dates)
    name = base.name
    if not forms:
        return None
    orders = {form.order for form in forms if form.order}
    if len(orders) == 2:
        example = source.rows("SELECT t FROM texts ORDER BY t LIMIT 1")[0][0]
        return replace(
            base,
            problem=f"{source.path}, column {quoted(name)}: its dates can be read two ways, day first or month first, "
            f"such as {quoted(example)}; say which with --dates day-first or --dates month-first",
            options=("--dates", "month-first"),
        )
    form = forms[-1]
    said = f"{name!r} is read as {'times' if form.name == 'time of day' else 'dates'} ({form.name})"
    return replace(base, kind=DateInput(name, form.name, ()), notes=(said,))


def _odd_texts(source: Source, base: Decision, choices: Choices) -> Decision | None:
    """Refuses a column of numbers or dates with a few texts that come again and again, such as (blank) and 00.00.0000,
    and says how to take them as missing; None if it is none."""
    form, read = best_number_form(source, source.dialect.decimal)
    cell, unit = form.sql("t"), "number"
    day = best_date_form(source, choices.dates)
    if day is not None and day[1] > read:
        cell, unit = day[0].sql("t"), "date"
    gap = missing_number(replace(base.column, text="t"), source.dialect.missing)
    rest = f"NOT coalesce(isfinite({cell}), false) AND NOT {gap}"
    cells, different, odd, odd_ones = source.rows(
        f"SELECT coalesce(sum(CASE WHEN isfinite({cell}) THEN n END), 0), count(CASE WHEN isfinite({cell}) THEN 1 END),"
        f" coalesce(sum(CASE WHEN {rest} THEN n END), 0), count(CASE WHEN {rest} THEN 1 END) FROM texts"
    )[0]
    few = cells >= MIXED * (cells + odd) or different > max(MOST_CATEGORIES / 3, 10 * odd_ones)
    if not 0 < odd_ones <= _MOST_ODD or not few or odd_ones >= different:
        return None
    if odd < 2 * odd_ones and unit == "number":
        return None  # a mistake here and there
    found = source.rows(f"SELECT t, n FROM texts WHERE {rest} ORDER BY n DESC, t")
    shown = ", ".join(f"{quoted(text)} ({count:,})" for text, count in found)
    options = tuple(part for text, _ in found for part in ("--na", text))
    return replace(
        base,
        problem=f"{source.path}, column {quoted(base.name)}: {counted(int(cells), unit)} and "
        f"{counted(int(odd), 'cell')} of text: {shown}; take such cells as missing (--na), or the column as categories "
        f"(--categorical {base.name!r})",
        options=options,
    )


def _mixture(source: Source, base: Decision, texts: Texts) -> Decision:
    """Refuses a column of numbers with some texts, or of texts with some numbers, which looks like mistakes; else tells
    of the mixture."""
    column, profile, name = base.column, base.profile, base.name
    numbers, count = profile.numbers + profile.infinite, profile.present
    if not numbers:
        return base
    strange = count - profile.numbers
    if strange <= max(_MISTAKES, (1 - MIXED) * count) and numbers > strange:
        own = source.dialect.missing
        number = number_sql(column, NumberInput("", form=_plain(source)), own)
        is_none = f"NOT coalesce(isfinite({number}), false)"
        where, value = source.first(f"{is_none} AND NOT {missing_number(column, own)}", column)
        return replace(
            base,
            problem=f"{where}: expected a finite number, but found {quoted(value)} "
            f"({counted(strange, 'cell')} of {count:,}); correct it, or take such cells as missing "
            f"(--numeric {name!r}), or the column as categories (--categorical {name!r})",
            options=("--numeric", name),
        )
    few = numbers <= max(_MISTAKES, (1 - MIXED) * count) and numbers < count - numbers
    if few and texts.distinct <= MOST_CATEGORIES / 3:
        where, value = source.first(
            f"{number_sql(column, NumberInput('', form=_plain(source)), ())} IS NOT NULL", column
        )
        return replace(
            base,
            problem=f"{where}: {quoted(value)} is a number among text; correct it, or take the column's cells as "
            f"categories (--categorical {name!r})",
            options=("--categorical", name),
        )
    said = f"{name!r} mixes {counted(numbers, 'number')} with text and is taken as text (--numeric takes numbers only)"
    return replace(base, notes=(said,))


def _classes(source: Source, base: Decision, texts: Texts, choices: Choices) -> Decision:
    """The target as classes."""
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
    categories = tuple(sorted(text for text, _ in most_frequent(source, MOST_CLASSES)))
    notes = [_alike(alike, base.name) for alike in lookalikes(source)]
    notes += (
        [f"'None' in {base.name!r} is treated as a class; --na None leaves its rows out"]
        if "None" in categories
        else []
    )
    return replace(base, kind=CategoryInput(base.name, categories), notes=tuple(notes))


def _not_numbers(source: Source, base: Decision, where: str) -> Decision | None:
    """Refuses a target of numbers in most, but not all, of its cells; None if it is none."""
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


def _categories(source: Source, base: Decision, texts: Texts, codes: bool) -> Decision:
    name, rows = base.name, base.profile.rows
    notes = [_alike(alike, name) for alike in lookalikes(source)]
    found = most_frequent(source, MOST_CATEGORIES + 1)
    other = len(found) > MOST_CATEGORIES
    if codes:
        notes.append(
            f"{name!r} holds codes such as {quoted(found[0][0])}, taken as text (--numeric takes them as numbers)"
        )
    if other:
        found = [(t, n) for t, n in found[:MOST_CATEGORIES] if n >= LEAST_SHARE * rows] or found[:MOST_CATEGORIES]
        kept = sum(n for _, n in found)
        notes.append(
            f"{name!r} has {texts.distinct:,} different texts: the {len(found)} most frequent ones are inputs, the "
            f"others' {counted(texts.present - kept, 'row')} are 'other'"
        )
    kind = CategoryInput(name, tuple(sorted(text for text, _ in found)), other)
    return replace(base, kind=kind, notes=(*base.notes, *notes))
