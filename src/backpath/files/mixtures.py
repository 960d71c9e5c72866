"""Columns of numbers or dates with a few texts, or of texts with a few numbers, which look like mistakes."""

from __future__ import annotations

from dataclasses import replace

from backpath.files.choices import Choices
from backpath.files.column_inputs import NumberInput
from backpath.files.columns import Texts, plain_form
from backpath.files.decision import MOST_CATEGORIES, Decision
from backpath.files.forms import WRITINGS, NumberForm
from backpath.files.reading import missing_number, number_sql
from backpath.files.sources import Source
from backpath.files.wording import counted, quoted
from backpath.files.written_forms import best_date_form, best_number_form

MIXED = 0.8  # with at least this share of numbers (or texts), the rest of a column looks like mistakes
_CODE = "'^\\s*([0-9]{1,9})([A-H]|[a-f])?\\s*$'"
_MISTAKES = 2  # cells that may be mistakes in a column of any length
_MOST_ODD = 8  # distinct texts beside numbers or dates that may all mean "missing"


def odd_texts(source: Source, base: Decision, choices: Choices) -> Decision | None:
    """Refuses a column of numbers or dates with a few repeated texts, such as (blank) and 00.00.0000, and says how to
    treat them as missing; None for other columns."""
    cell, unit = _likely_form(source, choices)
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
        return None  # occasional mistakes
    found = source.rows(f"SELECT t, n FROM texts WHERE {rest} ORDER BY n DESC, t")
    shown = ", ".join(f"{quoted(text)} ({count:,})" for text, count in found)
    options = tuple(part for text, _ in found for part in ("--na", text))
    return replace(
        base,
        problem=f"{source.path}, column {quoted(base.name)}: {counted(int(cells), unit)} and "
        f"{counted(int(odd), 'cell')} of text: {shown}; treat these as missing (--na), or the column as categories "
        f"(--categorical {base.name!r})",
        options=options,
    )


def _likely_form(source: Source, choices: Choices) -> tuple[str, str]:
    """SQL for the number or the date in most of the last collected texts, and which of these it is."""
    form, read = best_number_form(source, source.dialect.decimal)
    day = best_date_form(source, choices.dates)
    if day is not None and day[1] > read:
        return day[0].sql("t"), "date"
    return form.sql("t"), "number"


def lettered_code(source: Source) -> str:
    """One of the codes such as 136A among plain whole numbers in the last collected texts; "" if there are none, or
    their letters may be units."""
    all_of_them, letters, code, cells, plain, distinct = source.rows(
        "SELECT bool_and(digits <> ''), list(DISTINCT letter) FILTER (letter <> ''), min(t) FILTER (letter <> ''), "
        "sum(n) FILTER (letter <> ''), sum(n) FILTER (letter = ''), count(CASE WHEN letter = '' THEN 1 END) FROM "
        f"(SELECT t, n, regexp_extract(t, {_CODE}, 1) AS digits, regexp_extract(t, {_CODE}, 2) AS letter FROM texts)"
    )[0]
    if not all_of_them or not letters or not plain or cells < 2:
        return ""
    several = len(letters) > 1 and not set(letters) <= {"C", "F"}
    few = set(letters) <= {"A", "a"} and cells <= plain / 10 and distinct <= plain / 2
    return str(code) if several or few else ""


def several_writings(source: Source, base: Decision) -> Decision | None:
    """Refuses numbers in several forms; None for other columns."""
    forms = [NumberForm(decimal, group) for decimal, group in WRITINGS]
    cells = [f"coalesce(isfinite({form.sql('t')}), false)" for form in forms]
    counts = ", ".join(f"sum(CASE WHEN {cell} THEN n ELSE 0 END)" for cell in cells)
    all_of_them, *numbers = source.rows(f"SELECT bool_and({' OR '.join(cells)}), {counts} FROM texts")[0]
    if not all_of_them:
        return None
    best = max(range(len(forms)), key=lambda k: numbers[k])
    first, second = (
        source.rows(f"SELECT t FROM texts WHERE {is_so}{cells[best]} AND t ~ '.*[.,].*' ORDER BY n DESC, t LIMIT 1")
        for is_so in ("", "NOT ")
    )
    if not (first and second):
        return None
    return replace(
        base,
        problem=f"{source.path}, column {quoted(base.name)}: its numbers have several forms: "
        f"{quoted(first[0][0])} and {quoted(second[0][0])}; write them alike, or treat the rarer forms as missing "
        f"(--numeric {base.name!r})",
        options=("--numeric", base.name),
    )


def mixture(source: Source, base: Decision, texts: Texts) -> Decision:
    """Refuses a column of numbers with a few texts, or of texts with a few numbers, which looks like mistakes;
    otherwise adds a note on the mixture."""
    column, profile, name = base.column, base.profile, base.name
    numbers, count = profile.numbers + profile.infinite, profile.present
    if not numbers:
        return base
    strange = count - profile.numbers
    if strange <= max(_MISTAKES, count - MIXED * count) and numbers > strange:
        own = source.dialect.missing
        number = number_sql(column, NumberInput("", form=plain_form(source)), own)
        is_none = f"NOT coalesce(isfinite({number}), false)"
        where, value = source.first(f"{is_none} AND NOT {missing_number(column, own)}", column)
        return replace(
            base,
            problem=f"{where}: expected a finite number, but found {quoted(value)} "
            f"({counted(strange, 'cell')} of {count:,}); correct it, or treat such cells as missing "
            f"(--numeric {name!r}), or the column as categories (--categorical {name!r})",
            options=("--numeric", name),
        )
    few = numbers <= max(_MISTAKES, count - MIXED * count) and numbers < count - numbers
    if few and texts.distinct <= MOST_CATEGORIES / 3:
        where, value = source.first(
            f"{number_sql(column, NumberInput('', form=plain_form(source)), ())} IS NOT NULL", column
        )
        return replace(
            base,
            problem=f"{where}: {quoted(value)} is a number among text; correct it, or treat the column's cells as "
            f"categories (--categorical {name!r})",
            options=("--categorical", name),
        )
    said = f"{name!r} mixes {counted(numbers, 'number')} with text and is treated as text (--numeric drops the text)"
    return replace(base, notes=(said,))
