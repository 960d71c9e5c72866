"""What the cells of columns are, counted over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backpath.files.column_inputs import NumberInput
from backpath.files.forms import (
    DATE_FORMS,
    WRITINGS,
    DateForm,
    NumberForm,
    affixes,
    in_parentheses,
    plain_number,
    signed,
)
from backpath.files.reading import missing_number, missing_text, number_sql
from backpath.files.sources import Column, Source

WHOLE_LIMIT = 2.0**53  # beyond, a float64 cannot represent every whole number


@dataclass(frozen=True)
class Profile:
    """How many cells of a column are what.

    Attributes
    ----------
    rows, missing : all cells, and those that stand for "no value" (among numbers, if the column has any)
    numbers, infinite : finite numbers, and such as 1e999
    codes : whole numbers with a leading zero
    low, high : the range of the finite numbers
    """

    rows: int
    missing: int
    numbers: int
    infinite: int
    codes: int
    low: float | None
    high: float | None

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def all_numbers(self) -> bool:
        return self.numbers == self.present > 0


@dataclass(frozen=True)
class Texts:
    """The different texts of a column.

    Attributes
    ----------
    missing, present : cells
    distinct : different texts
    with_digit : of these, those that hold a digit
    words : how many a text has on average
    most : how often the most frequent one occurs
    """

    missing: int
    present: int
    distinct: int
    with_digit: int
    words: float
    most: int


def profiles(source: Source, columns: Sequence[Column]) -> list[Profile]:
    """In passes over the table of some columns each."""
    own, plain = source.dialect.missing, NumberInput("", form=NumberForm(source.dialect.decimal or "."))
    found: list[Profile] = []
    for start in range(0, len(columns), source.batch):
        batch = columns[start : start + source.batch]
        cells = ", ".join(f"{c.text} AS t{k}, {number_sql(c, plain, own)} AS n{k}" for k, c in enumerate(batch))
        gaps = [missing_number(Column(c.name, f"t{k}"), own) for k, c in enumerate(batch)]
        counts = ", ".join(_counts(k, gap, bool(c.number)) for k, (c, gap) in enumerate(zip(batch, gaps, strict=True)))
        rows, *numbers = source.rows(f"SELECT count(*), {counts} FROM (SELECT {cells} FROM {{table}})")[0]
        found += [Profile(rows, *numbers[k : k + 6]) for k in range(0, len(numbers), 6)]
    return found


def _counts(k: int, gap: str, typed: bool) -> str:
    """Missing, finite, infinite, codes, lowest, highest. They count cases, because ``FILTER`` takes quadratic memory; a
    CASE in a CASE asks few cells what is costly."""
    finite = f"CASE WHEN isfinite(n{k}) THEN n{k} END"
    gap = f"{gap} OR isnan(n{k})" if typed else gap
    code = f"regexp_full_match(t{k}, '0[0-9]+')"
    return ", ".join(
        (
            f"count(CASE WHEN n{k} IS NULL OR isnan(n{k}) THEN CASE WHEN {gap} THEN 1 END END)",
            f"count({finite})",
            f"count(CASE WHEN isinf(n{k}) THEN 1 END)",
            "0" if typed else f"count(CASE WHEN t{k} < '0:' AND t{k} >= '00' THEN CASE WHEN {code} THEN 1 END END)",
            f"min({finite})",
            f"max({finite})",
        )
    )


def collect_texts(source: Source, column: Column, is_target: bool) -> Texts:
    """The different texts of a column, kept in the temporary table ``texts`` (t, n) until the next call."""
    gap = missing_text(column, source.dialect.missing, is_target)
    source.rows(
        f"CREATE OR REPLACE TEMP TABLE texts AS SELECT t, count(*) AS n FROM "
        f"(SELECT {column.text} AS t, {gap} AS gap FROM {{table}}) WHERE NOT gap GROUP BY t"
    )
    rows = source.rows("SELECT count(*) FROM {table}")[0][0]
    found = source.rows(
        "SELECT coalesce(sum(n), 0), count(*), count(CASE WHEN regexp_matches(t, '[0-9]') THEN 1 END), "
        "coalesce(avg(length(t) - length(replace(trim(t), ' ', '')) + 1), 0), coalesce(max(n), 0) FROM texts"
    )[0]
    present = int(found[0])
    distinct, with_digit, words, most = found[1:]
    return Texts(rows - present, present, int(distinct), int(with_digit), float(words), int(most))


def number_forms(source: Source, decimal: str | None) -> list[NumberForm]:
    """The forms of numbers that read all of the texts collected last."""
    text, negative = _number_text(source)
    before, behind = affixes(text)
    prefixes, prefix, suffixes, suffix = source.rows(
        f"SELECT count(DISTINCT {before}), min({before}), count(DISTINCT {behind}), min({behind}) FROM texts"
    )[0]
    if (prefixes, suffixes) != (1, 1):
        return []
    forms = _writings(decimal, prefix, suffix, negative)
    fits = _reading_all(source, [form.sql("t") for form in forms])
    return _simplest([form for form, fit in zip(forms, fits, strict=True) if fit])


def best_number_form(source: Source, decimal: str | None) -> tuple[NumberForm, int]:
    """The form of numbers that reads most of the cells of the texts collected last, and how many."""
    text, negative = _number_text(source)
    before, behind = affixes(text)
    found = source.rows(
        f"SELECT {before} AS b, {behind} AS e FROM texts WHERE regexp_matches(t, '[0-9]') "
        "GROUP BY b, e ORDER BY sum(n) DESC, b, e LIMIT 1"
    )
    prefix, suffix = found[0] if found else ("", "")
    forms = [*_writings(decimal, "", "", False), *_writings(decimal, prefix, suffix, negative)]
    counts = ", ".join(f"coalesce(sum(CASE WHEN isfinite({form.sql('t')}) THEN n END), 0)" for form in forms)
    numbers = [int(count) for count in source.rows(f"SELECT {counts} FROM texts")[0]]
    best = max(range(len(forms)), key=lambda k: numbers[k])
    return forms[best], numbers[best]


def _number_text(source: Source) -> tuple[str, bool]:
    """SQL for a text without accountants' parentheses, and whether some of the texts have them, but not all."""
    some, all_of_them = source.rows(
        f"SELECT coalesce(bool_or({in_parentheses('t')}), false), coalesce(bool_and({in_parentheses('t')}), false) "
        "FROM texts"
    )[0]
    negative = bool(some and not all_of_them)
    return (signed("t") if negative else "t"), negative


def _writings(decimal: str | None, prefix: str, suffix: str, parentheses: bool) -> list[NumberForm]:
    return [
        NumberForm(w.decimal, w.group, prefix, suffix, parentheses=parentheses)
        for w in WRITINGS
        if decimal is None or w.decimal == decimal
    ]


def _simplest(forms: list[NumberForm]) -> list[NumberForm]:
    """Without those that only add a mark which no cell has."""
    if any(form.decimal == "." and not form.group for form in forms):
        return [form for form in forms if form.decimal == "." and not form.group]
    bare = {form.decimal for form in forms if not form.group}
    pointed = {form.group for form in forms if form.decimal == "."}
    return [
        form
        for form in forms
        if not form.group or (form.decimal not in bare and not (form.decimal == "," and form.group in pointed))
    ]


def date_forms(source: Source, order: str | None) -> list[DateForm]:
    """The forms of dates that read all of the texts collected last."""
    forms = [form for form in DATE_FORMS.values() if not (form.order and order) or form.order == order]
    sample = "(SELECT t FROM texts LIMIT 50) AS sample"
    likely = _reading_all(source, [form.sql("t") for form in forms], sample)
    forms = [form for form, fit in zip(forms, likely, strict=True) if fit]
    fits = _reading_all(source, [form.sql("t") for form in forms]) if forms else []
    return [form for form, fit in zip(forms, fits, strict=True) if fit]


def best_date_form(source: Source, order: str | None) -> tuple[DateForm, int] | None:
    """The form of dates that reads most of the cells of some of the texts collected last, and how many of all; None if
    none reads any."""
    forms = [form for form in DATE_FORMS.values() if not (form.order and order) or form.order == order]
    cells = [form.sql("t") for form in forms]
    counts = ", ".join(f"coalesce(sum(CASE WHEN isfinite({cell}) THEN n END), 0)" for cell in cells)
    likely = source.rows(f"SELECT {counts} FROM (SELECT t, n FROM texts ORDER BY n DESC, t LIMIT 50) AS sample")[0]
    best = max(range(len(forms)), key=lambda k: int(likely[k]))
    if not likely[best]:
        return None
    read = source.rows(f"SELECT sum(n) FROM texts WHERE isfinite({cells[best]})")[0][0]
    return forms[best], int(read)


def _reading_all(source: Source, cells: Sequence[str], relation: str = "texts") -> list[bool]:
    return list(
        source.rows(f"SELECT {', '.join(f'bool_and(coalesce(isfinite({c}), false))' for c in cells)} FROM {relation}")[
            0
        ]
    )


def most_frequent(source: Source, most: int) -> list[tuple[str, int]]:
    """Of the texts collected last."""
    return source.rows(f"SELECT t, n FROM texts ORDER BY n DESC, t LIMIT {most}")


def lookalikes(source: Source) -> list[list[str]]:
    """Texts that differ only in upper and lower case or in blanks, of those collected last."""
    found = source.rows(
        "SELECT list(t ORDER BY n DESC, t) FROM texts GROUP BY lower(trim(t)) HAVING count(*) > 1 LIMIT 3"
    )
    return [row[0] for row in found]


def merges(source: Source, column: Column) -> bool:
    """Whether whole numbers that the cells write in digits are the same as float64, though they are not."""
    number = column.number or plain_number(column.text, source.dialect.decimal or ".")
    texts, numbers = source.rows(
        f"SELECT count(DISTINCT t), count(DISTINCT n) FROM (SELECT {column.text} AS t, {number} AS n FROM {{table}}) "
        "WHERE regexp_full_match(t, '[+-]?[0-9]+')"
    )[0]
    return bool(texts > numbers)
