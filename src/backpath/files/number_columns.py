"""Columns of numbers, which are used or, if they only name or count the rows, left out."""

from __future__ import annotations

import re
from dataclasses import replace

from backpath.files.choices import Choices
from backpath.files.column_inputs import ColumnInput, DateInput, NumberInput
from backpath.files.columns import (
    FIRST,
    THOUSANDS,
    WHOLE_LIMIT,
    Profile,
    collect_texts,
    merges,
    most_frequent,
    plain_form,
)
from backpath.files.dates import DATE_FORMS
from backpath.files.decision import Decision
from backpath.files.reading import missing_number, number_sql
from backpath.files.sources import Column, Source
from backpath.files.wording import quoted
from backpath.files.written_forms import best_number_form

_STAND_INS = (-9, -99, -999, -9999, 99, 999, 9999, 99999, 999999)  # numbers that often mean "missing"
_DATES_IN_DIGITS = (
    ("yearmonthday", 19000101, 20991231),
    ("yearmonthday", 19000101000000, 20991231235959),
    ("yearmonth", 190001, 209912),
    ("month.year", 1.19, 12.21),
)
_BY_CHANCE = 8  # if at least this many distinct numbers are all dates, it is no coincidence
_LONG = 50  # in at least this many rows, 1, 2, 3 … is hardly a measurement
_ID_NAME = re.compile(r"(?i:row[_. ]?(names?|id)|index|id|idx|unnamed: \d+|column \d+|.*[_. ]id)|.*[a-z]I[dD]")


def decide_number(source: Source, base: Decision, choices: Choices, is_target: bool) -> Decision | None:
    """A column in which all cells are numbers; None if they are codes that would merge as numbers."""
    column, profile = base.column, base.profile
    if profile.codes or (_has_long_numbers(profile) and merges(source, column)):
        return None
    if profile.perhaps_thousands and (refused := _thousands_or_decimals(source, base)):
        return refused
    if is_target:
        return replace(base, kind=NumberInput(column.name, form=plain_form(source)))
    return _as_input(source, base, choices)


def _has_long_numbers(profile: Profile) -> bool:
    """Whether a float64 may not represent all of a column's numbers."""
    return max(abs(profile.low or 0.0), abs(profile.high or 0.0)) >= WHOLE_LIMIT


def _as_input(source: Source, base: Decision, choices: Choices) -> Decision:
    """A column of numbers as dates or numbers, or left out."""
    column, profile = base.column, base.profile
    day = _dates_in_digits(source, column, profile)
    if day:
        said = f"{column.name!r} is read as dates ({day}); --numeric treats them as numbers"
        return replace(base, kind=DateInput(column.name, day, ()), notes=(said,))
    if column.name not in choices.keep:
        identifier = _counts_rows(source, column, profile)
        if identifier:
            return replace(base, left_out=identifier)
        base = replace(base, notes=_stands_out(source, column, profile))
        if len(source.columns) > 2 and _may_count_rows(source, column, profile):
            said = f"{column.name!r} is a different number in each row, as if it counted them, but is used"
            base = replace(base, notes=(*base.notes, f"{said} (--ignore leaves it out)"))
    return _constant_or(base, NumberInput(column.name, form=plain_form(source)))


def _thousands_or_decimals(source: Source, base: Decision) -> Decision | None:
    """Refuses numbers whose points may separate thousands; None if some point cannot."""
    text = base.column.text
    other, example = source.rows(
        f"SELECT count(CASE WHEN {text} LIKE '%.%' AND NOT regexp_full_match(trim({text}), '{THOUSANDS}') THEN 1 END), "
        f"min(CASE WHEN {text} LIKE '%.%' THEN trim({text}) END) FROM {{table}}"
    )[0]
    if other:
        return None
    return replace(
        base,
        problem=f"{source.path}, column {quoted(base.name)}: its numbers can be read two ways: {quoted(example)} is "
        f"{float(example):g} with --decimal '.' or {example.replace('.', '')} with --decimal ','",
        options=("--decimal", ","),
    )


def _dates_in_digits(source: Source, column: Column, profile: Profile) -> str:
    """The form of whole numbers such as 20240131 that are all dates, and too many for a coincidence ("": none)."""
    for form, low, high in _DATES_IN_DIGITS:
        if low <= (profile.low or 0) and (profile.high or 0) <= high:
            cell = DATE_FORMS[form].sql(column.text)
            gap = missing_number(column, source.dialect.missing)
            all_dates = f"SELECT bool_and({gap} OR coalesce(isfinite({cell}), false)), count(DISTINCT {cell}) FROM "
            if not source.rows(f"{all_dates} (SELECT * FROM {{table}} LIMIT {FIRST})")[0][0]:
                return ""
            found, distinct = source.rows(f"{all_dates} {{table}}")[0]
            return form if found and distinct >= _BY_CHANCE else ""
    return ""


def _stands_out(source: Source, column: Column, profile: Profile) -> tuple[str, ...]:
    """A note on a number such as -99 or 999 that may mean "missing": a repeated number that is the only negative one,
    or far above all others."""
    low, high = profile.low or 0.0, profile.high or 0.0
    if low < 0:
        end, others, sides = low, f"min(CASE WHEN n > {low} THEN n END)", "below 0"
    else:
        end, others, sides = high, f"max(CASE WHEN n < {high} THEN n END)", "above {:g}"
    if end not in _STAND_INS:
        return ()
    number = column.number or number_sql(column, NumberInput("", form=plain_form(source)), source.dialect.missing)
    cells, text, nearest = source.rows(
        f"SELECT count(CASE WHEN n = {end} THEN 1 END), any_value(CASE WHEN n = {end} THEN t END), {others} "
        f"FROM (SELECT {number} AS n, trim({column.text}) AS t FROM {{table}})"
    )[0]
    if cells < 2 or nearest is None:
        return ()
    is_far = nearest >= 0 if low < 0 else nearest < high / 3
    said = f"{column.name!r} is {text} in {cells:,} rows and otherwise never {sides.format(nearest)}"
    return (f"{said}; --na {text} treats it as missing",) if is_far else ()


def _may_count_rows(source: Source, column: Column, profile: Profile) -> bool:
    """Whether a column contains each of 1 … N (or 0 … N - 1) once, with a large N, independently of its name."""
    likely = profile.rows >= _LONG and not profile.missing and _has_range_of_rows(profile)
    return likely and _all_different(source, column, profile)


def _counts_rows(source: Source, column: Column, profile: Profile) -> str:
    """The reason if a column of numbers only identifies the rows, by its name and without duplicates; otherwise ""."""
    likely = _ID_NAME.fullmatch(column.name) and not profile.missing and profile.rows > 2
    if not likely or not _all_different(source, column, profile):
        return ""
    if _has_range_of_rows(profile):
        return "it counts the rows"
    return "" if column.name.startswith("column ") else "a different number in each row"


def _has_range_of_rows(profile: Profile) -> bool:
    """Whether the numbers go from 1 to N, or from 0 to N - 1."""
    return profile.low in (0, 1) and (profile.high or 0) - (profile.low or 0) == profile.rows - 1


def _all_different(source: Source, column: Column, profile: Profile) -> bool:
    """Whether all rows have a number, all numbers are whole, and none occurs twice."""
    number = number_sql(column, NumberInput("", form=plain_form(source)), ())
    distinct, whole = source.rows(
        f"SELECT count(DISTINCT n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    return bool(whole and distinct == profile.rows)


def forced_numbers(source: Source, base: Decision) -> Decision:
    """A column that the caller treats as numbers, in the form that reads the most cells; others count as missing."""
    name, profile = base.name, base.profile
    form, numbers = plain_form(source), profile.numbers
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
                f"{quoted(example)}; leave --numeric out",
            )
    if numbers == 0:
        return replace(base, problem=f"{source.path}, column {quoted(name)}: none of its cells is a number")
    kind = NumberInput(name, form=replace(form, lenient=True))
    return replace(_constant_or(base, kind), missing=profile.rows - numbers)


def _constant_or(base: Decision, kind: ColumnInput) -> Decision:
    if base.profile.low == base.profile.high:
        return replace(base, left_out="the same in every row")
    return replace(base, kind=kind)
