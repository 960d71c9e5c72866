"""Text columns that are numbers or dates: currency, percentages, units, thousands, and many forms of dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backpath.files.choices import Choices
from backpath.files.column_inputs import DateInput, NumberInput
from backpath.files.columns import FIRST, Texts, collect_texts
from backpath.files.dates import DateForm
from backpath.files.decision import Decision
from backpath.files.forms import NumberForm, literal
from backpath.files.reading import missing_number
from backpath.files.sources import Source
from backpath.files.wording import counted, quoted
from backpath.files.written_forms import date_forms, found_affixes, number_forms

_LOOKED_AT = 100  # columns that may show which decimal mark a file has
_DECIMALS = r"\s*[+-]?[^0-9]{{0,4}}[0-9]+{}([0-9]{{1,2}}|[0-9]{{4,}})\s*[^0-9]{{0,12}}"
_FAR = 3  # times the span of all other days
_CURRENCIES = r"[^\W\d_]{0,3}[^\w\s]|[A-Z]{3}"
_UNITS = (
    "[kmcµn]?(g|m|s|l|L|Hz|W|V|A|Pa|J|B)|lbs?|oz|ft|in|mi|yd|km/h|mph|m/s|min|hrs?|h|hours?|days?|weeks?|months?|years?|yrs?|"
    "[°]?[CFK]|%|‰|[kMGT]?(B|b|Wh|W)|[kKMBTG]|bn|mn|mil|[€$£¥]|EUR|USD|GBP|CHF|JPY"
)
_MEASURE = r"\s*[+-]?[^0-9+-]{0,4}[+-]?[0-9][0-9.,' ]*\s*[^0-9]{0,12}"


def written_numbers_or_dates(
    source: Source, base: Decision, texts: Texts, choices: Choices, is_target: bool
) -> Decision | None:
    """A column of currency, percentages, dates and so on; otherwise None."""
    if texts.distinct == 0 or texts.with_digit < texts.distinct:
        return _written_among_gaps(source, base, texts, choices, is_target)
    forms = number_forms(source, source.dialect.decimal)
    if forms:
        return _as_numbers(source, base, forms)
    found = _dates(source, base, choices) or _in_spite_of_decimal(source, base)
    found = found or _written_among_gaps(source, base, texts, choices, is_target)  # words with digits, such as #DIV/0!
    return found or _unlike_units(source, base, is_target)


def _as_numbers(source: Source, base: Decision, forms: Sequence[NumberForm]) -> Decision:
    """Numbers in one of the forms, or refused if two forms give different numbers."""
    name, first, second = base.name, forms[0], forms[-1]
    differ = f"({first.sql('t')}) <> ({second.sql('t')})"
    examples = source.rows(f"SELECT t FROM texts WHERE {differ} ORDER BY length(t), t LIMIT 1")
    if not examples:
        said = f"{name!r} is read as numbers {first.describe()}{_without(source, first)}"
        return replace(base, kind=NumberInput(name, form=first), notes=(said,), distinct=None)
    example = examples[0][0]
    comma = next((form for form in forms if form.decimal == ","), None)
    if comma and (other := _with_decimal_commas(source, name)):
        said = f"{name!r} is read as numbers {comma.describe()}, as {other!r} has it (--decimal)"
        return replace(base, kind=NumberInput(name, form=comma), notes=(said,), distinct=None)
    readings = [f"{_value(source, form, example):g} with --decimal {form.decimal!r}" for form in (first, second)]
    return replace(
        base,
        problem=f"{source.path}, column {quoted(name)}: its numbers can be read two ways: {quoted(example)} is "
        f"{' or '.join(readings)}",
        options=("--decimal", first.decimal),
    )


def _with_decimal_commas(source: Source, name: str) -> str:
    """Another column whose commas are all decimal marks in the first rows; "" if there is none, or a column has
    decimal points."""
    others = [column for column in source.columns if column.name != name and not column.number][:_LOOKED_AT]
    if not others:
        return ""
    cells = ", ".join(
        f"bool_and(CASE WHEN contains({c.text}, '{mark}') THEN regexp_full_match({c.text}, {decimals}) END)"
        for mark, decimals in ((",", literal(_DECIMALS.format(","))), (".", literal(_DECIMALS.format("[.]"))))
        for c in others
    )
    found = source.rows(f"SELECT {cells} FROM (SELECT * FROM {{table}} LIMIT {FIRST})")[0]
    with_comma, with_point = found[: len(others)], found[len(others) :]
    if any(with_point):
        return ""
    return next((column.name for column, is_so in zip(others, with_comma, strict=True) if is_so), "")


def _in_spite_of_decimal(source: Source, base: Decision) -> Decision | None:
    """Numbers whose decimal mark is not the one that the caller named; None for other columns."""
    given, name = source.dialect.decimal, base.name
    forms = number_forms(source, None) if given else []
    if not forms:
        return None
    form = forms[0]
    said = f"{name!r} is read as {f'numbers {form.describe()}'.strip()}: its decimal mark is {form.decimal!r}"
    return replace(
        base, kind=NumberInput(name, form=form), notes=(f"{said} in spite of --decimal {given}",), distinct=None
    )


def _without(source: Source, form: NumberForm) -> str:
    """A note on cells that lack the prefix or suffix of the others."""
    said = ""
    for mark, cells in zip((form.prefix, form.suffix), found_affixes(source, form.negative), strict=True):
        if mark and "" in cells:
            said += f"; {counted(cells[''], 'cell')} without {quoted(mark)}"
    return said


def _unlike_units(source: Source, base: Decision, is_target: bool) -> Decision | None:
    """Refuses numbers in different units or currencies; None for other columns."""
    for cells, known in zip(found_affixes(source), (_CURRENCIES, _UNITS), strict=True):
        if not _are_measures(source, cells, known):
            continue
        shown = ", ".join(f"{quoted(mark) if mark else 'none'} ({count:,})" for mark, count in cells.items())
        return replace(
            base,
            problem=f"{source.path}, column {quoted(base.name)}: its numbers have different units: {shown}; use one "
            f"unit{'' if is_target else f', or leave the column out (--ignore {base.name!r})'}",
            options=() if is_target else ("--ignore", base.name),
        )
    return None


def _are_measures(source: Source, cells: Mapping[str, int], known: str) -> bool:
    """Whether all texts are numbers, with several units or currencies of those known."""
    if len(cells) < 2 or not all(re.fullmatch(known, mark) for mark in cells if mark):
        return False
    return bool(source.rows(f"SELECT bool_and(regexp_full_match(t, {literal(_MEASURE)})) FROM texts")[0][0])


def _written_among_gaps(
    source: Source, base: Decision, texts: Texts, choices: Choices, is_target: bool
) -> Decision | None:
    """The same if some cells are words such as "none" or ".", which mean "missing" only among numbers and dates."""
    gap = missing_number(replace(base.column, text="t"), source.dialect.missing)
    words, left = source.rows(
        f"SELECT coalesce(sum(CASE WHEN {gap} THEN n END), 0), count(CASE WHEN NOT {gap} THEN 1 END) FROM texts"
    )[0]
    if not words or not left:
        return None
    source.rows(f"DELETE FROM texts WHERE {gap}")
    fewer = replace(texts, distinct=int(left))
    wider = replace(base, missing=base.missing + int(words))
    read = written_numbers_or_dates(source, wider, fewer, choices, is_target)
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
    readings = {form.order: form for form in forms if form.order}
    if len(readings) > 1:
        return replace(base, **_several_readings(source, base.name, readings))
    form = forms[-1]
    said = f"{name!r} is read as {'times' if form.name == 'time of day' else 'dates'} ({form.name})"
    return replace(base, kind=DateInput(name, form.name, ()), notes=(said, *_stands_out(source, name, form)))


def _stands_out(source: Source, name: str, form: DateForm) -> tuple[str, ...]:
    """A note on a repeated day such as 9999-12-31 that is far from all others and may mean "missing"."""
    days = source.rows(
        f"SELECT any_value(t), sum(n), d FROM (SELECT t, n, {form.sql('t')} AS d FROM texts) GROUP BY d ORDER BY d"
    )
    for (text, times, day), nearest, farthest in ((days[0], days[1:2], days[-1]), (days[-1], days[-2:-1], days[0])):
        if times > 1 and len(days) > 2 and abs(day - nearest[0][2]) > _FAR * abs(farthest[2] - nearest[0][2]):
            return (
                f"{name!r} is {text} in {int(times):,} rows, far from all others; --na {text!r} treats it as missing",
            )
    return ()


def _several_readings(source: Source, name: str, readings: dict[str, DateForm]) -> dict[str, Any]:
    """The error for dates that can be read in several orders; it suggests the order in which they are closest."""
    cells = [form.sql("t") for form in readings.values()]
    example, *spans = source.rows(f"SELECT min(t), {', '.join(f'max({c}) - min({c})' for c in cells)} FROM texts")[0]
    likely = min(zip(readings, spans, strict=True), key=lambda reading: (reading[1], reading[0] != "month-first"))[0]
    count = {2: "two", 3: "three"}[len(readings)]
    return {
        "problem": f"{source.path}, column {quoted(name)}: its dates can be read {count} ways, "
        f"{' or '.join(order.replace('-', ' ') for order in readings)}, such as {quoted(example)}; say which with "
        f"{' or '.join(f'--dates {order}' for order in readings)}",
        "options": ("--dates", likely),
    }
