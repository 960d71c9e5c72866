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
    best_number_form,
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
    if profile.codes:
        return None
    low, high = profile.low or 0.0, profile.high or 0.0
    if max(abs(low), abs(high)) >= WHOLE_LIMIT and merges(source, column):
        return None
    if profile.perhaps_thousands and (refused := _thousands_or_decimals(source, base)):
        return refused
    if is_target:
        return replace(base, kind=NumberInput(column.name, form=plain_form(source)))
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
    if low not in _STAND_INS and high not in _STAND_INS:
        return ()
    number = column.number or number_sql(column, NumberInput("", form=plain_form(source)), source.dialect.missing)
    lows, low_text, next_low, highs, high_text, next_high = source.rows(
        f"SELECT count(CASE WHEN n = {low} THEN 1 END), any_value(CASE WHEN n = {low} THEN t END), "
        f"min(CASE WHEN n > {low} THEN n END), count(CASE WHEN n = {high} THEN 1 END), "
        f"any_value(CASE WHEN n = {high} THEN t END), max(CASE WHEN n < {high} THEN n END) "
        f"FROM (SELECT {number} AS n, trim({column.text}) AS t FROM {{table}})"
    )[0]
    cells, text, others = highs, high_text, f"above {next_high or 0:g}"
    found = high in _STAND_INS and next_high is not None and low >= 0 and next_high < high / 3
    if low in _STAND_INS and low < 0:
        cells, text, others = lows, low_text, "below 0"
        found = next_low is not None and next_low >= 0
    if not found or cells < 2:
        return ()
    return (
        f"{column.name!r} is {text} in {cells:,} rows and otherwise never {others}; --na {text} treats it as missing",
    )


def _may_count_rows(source: Source, column: Column, profile: Profile) -> bool:
    """Whether a column contains each of 1 … N (or 0 … N - 1) once, with a large N, independently of its name."""
    span = (profile.high or 0) - (profile.low or 0)
    if profile.rows < _LONG or profile.missing or profile.low not in (0, 1) or span != profile.rows - 1:
        return False
    number = column.number or number_sql(column, NumberInput("", form=plain_form(source)), ())
    distinct, whole = source.rows(
        f"SELECT count(DISTINCT n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    return bool(whole and distinct == profile.rows)


def _counts_rows(source: Source, column: Column, profile: Profile) -> str:
    """The reason if a column of numbers only identifies the rows, by its name and without duplicates; otherwise ""."""
    if not _ID_NAME.fullmatch(column.name) or profile.missing or profile.rows < 3:
        return ""
    number = column.number or number_sql(column, NumberInput("", form=plain_form(source)), ())
    distinct, whole = source.rows(
        f"SELECT count(DISTINCT n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM {{table}})"
    )[0]
    if distinct < profile.rows or not whole:
        return ""
    counts = profile.low in (0, 1) and (profile.high or 0) - (profile.low or 0) == profile.rows - 1
    if counts:
        return "it counts the rows"
    return "" if column.name.startswith("column ") else "a different number in each row"


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
