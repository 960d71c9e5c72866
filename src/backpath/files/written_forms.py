"""Finds the forms of numbers and dates in which the last collected texts of a column are written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from backpath.files.dates import DATE_FORMS, DateForm
from backpath.files.forms import NEGATIVE, WRITINGS, NumberForm, affixes, signed, written_negative
from backpath.files.sources import Source

_LEAST_SCALED = 0.1  # cells with K, M or B per cell without
_SCALES = {"k", "K", "M", "B"}
_Form = TypeVar("_Form", NumberForm, DateForm)


def number_forms(source: Source, decimal: str | None) -> list[NumberForm]:
    """The number forms that read all of the last collected texts."""
    negative = _negative(source)
    prefixes, suffixes = found_affixes(source, negative)
    scaled = set(suffixes) <= {"", *_SCALES} and len(suffixes) > 1
    if len({*prefixes, ""}) > 2 or (len({*suffixes, ""}) > 2 and not scaled) or _is_half_percent(source, suffixes):
        return []
    if any(_is_slip(cells, scaled) for cells in (prefixes, suffixes)):
        return []
    form = NumberForm(prefix=max(prefixes), suffix="" if scaled else max(suffixes), negative=negative, scaled=scaled)
    return _simplest(_reading_all(source, _writings(decimal, form)))


def _is_slip(cells: dict[str, int], scaled: bool) -> bool:
    """Whether so few cells have more than a number that it may be a mistake, such as 1O."""
    plain = cells.get("", 0)
    marked = sum(cells.values()) - plain
    return 0 < marked < plain * (_LEAST_SCALED if scaled else 1)


def found_affixes(source: Source, negative: str = "") -> tuple[dict[str, int], dict[str, int]]:
    """The most frequent prefixes and suffixes of the numbers in the last collected texts, with counts of cells."""
    before, behind = (
        dict(source.rows(f"SELECT {affix} AS a, sum(n) FROM texts GROUP BY a ORDER BY sum(n) DESC, a LIMIT 5"))
        for affix in affixes(signed("t", negative))
    )
    return before, behind


def _is_half_percent(source: Source, suffixes: Collection[str]) -> bool:
    """Whether some numbers are percentages and others may be fractions: 5% and 0.05, but not 5% and 0."""
    if "" not in suffixes or not {"%", "‰"} & set(suffixes):
        return False
    plain = "t NOT LIKE '%\\%%' ESCAPE '\\' AND t NOT LIKE '%‰%'"
    return bool(source.rows(f"SELECT bool_or(coalesce(TRY_CAST(t AS DOUBLE), 1) <> 0) FROM texts WHERE {plain}")[0][0])


def best_number_form(source: Source, decimal: str | None) -> tuple[NumberForm, int]:
    """The number form that reads the most cells of the last collected texts, and their number."""
    negative = _negative(source)
    before, behind = affixes(signed("t", negative))
    found = source.rows(
        f"SELECT {before} AS b, {behind} AS e FROM texts WHERE regexp_matches(t, '[0-9]') "
        "GROUP BY b, e ORDER BY sum(n) DESC, b, e LIMIT 1"
    )
    prefix, suffix = found[0] if found else ("", "")
    form = NumberForm(prefix=prefix, suffix=suffix, negative=negative)
    forms = [*_writings(decimal, NumberForm()), *_writings(decimal, form)]
    counts = ", ".join(f"coalesce(sum(CASE WHEN isfinite({form.sql('t')}) THEN n END), 0)" for form in forms)
    numbers = [int(count) for count in source.rows(f"SELECT {counts} FROM texts")[0]]
    best = max(range(len(forms)), key=lambda k: numbers[k])
    return forms[best], numbers[best]


def _negative(source: Source) -> str:
    """How some texts, but not all, write negative numbers other than with a leading "-" ("" if none does)."""
    found = ", ".join(
        f"coalesce(bool_or({cell}) AND NOT bool_and({cell}), false)"
        for cell in (written_negative("t", way) for way in NEGATIVE)
    )
    return next(
        (way for way, some in zip(NEGATIVE, source.rows(f"SELECT {found} FROM texts")[0], strict=True) if some), ""
    )


def _writings(decimal: str | None, form: NumberForm) -> list[NumberForm]:
    """The form with each pair of marks."""
    return [replace(form, decimal=d, group=g) for d, g in WRITINGS if decimal is None or d == decimal]


def _simplest(forms: list[NumberForm]) -> list[NumberForm]:
    """Without forms that only add a mark that no cell has."""
    plain = [form for form in forms if form.decimal == "." and not form.group]
    return plain or [form for form in forms if not _adds_a_mark(form, forms)]


def _adds_a_mark(form: NumberForm, forms: Sequence[NumberForm]) -> bool:
    """Whether one of the forms has no mark between thousands, or has a decimal point instead of a comma."""
    if not form.group:
        return False
    without = any(other.decimal == form.decimal and not other.group for other in forms)
    return without or (
        form.decimal == "," and any((other.decimal, other.group) == (".", form.group) for other in forms)
    )


def date_forms(source: Source, order: str | None) -> list[DateForm]:
    """The date forms that read all of the last collected texts."""
    likely = _reading_all(source, _in_order(order), "(SELECT t FROM texts LIMIT 50) AS sample")
    return [form for form in _reading_all(source, likely) if not _may_be_days(source, form)]


def _in_order(order: str | None) -> list[DateForm]:
    """The date forms in this order of day, month and year (None: in any), and those with only one order."""
    return [form for form in DATE_FORMS.values() if not (form.order and order) or form.order == order]


def _may_be_days(source: Source, form: DateForm) -> bool:
    """Whether Jan-05 may mean January 5 rather than a month of 2005, because there are many distinct numbers."""
    if form.name != "month year of two digits":
        return False
    texts, years = source.rows("SELECT count(*), count(DISTINCT right(trim(t), 2)) FROM texts")[0]
    return bool(years > max(2, texts / 3))


def best_date_form(source: Source, order: str | None) -> tuple[DateForm, int] | None:
    """The date form that reads the most cells of a sample of the last collected texts, and its number of all cells;
    None if no form reads any."""
    forms = _in_order(order)
    cells = [form.sql("t") for form in forms]
    counts = ", ".join(f"coalesce(sum(CASE WHEN isfinite({cell}) THEN n END), 0)" for cell in cells)
    likely = source.rows(f"SELECT {counts} FROM (SELECT t, n FROM texts ORDER BY n DESC, t LIMIT 50) AS sample")[0]
    best = max(range(len(forms)), key=lambda k: int(likely[k]))
    if not likely[best]:
        return None
    read = source.rows(f"SELECT sum(n) FROM texts WHERE isfinite({cells[best]})")[0][0]
    return forms[best], int(read)


def _reading_all(source: Source, forms: Sequence[_Form], relation: str = "texts") -> list[_Form]:
    """Those of the forms that read all texts."""
    if not forms:
        return []
    cells = ", ".join(f"bool_and(coalesce(isfinite({form.sql('t')}), false))" for form in forms)
    fits = source.rows(f"SELECT {cells} FROM {relation}")[0]
    return [form for form, fit in zip(forms, fits, strict=True) if fit]
