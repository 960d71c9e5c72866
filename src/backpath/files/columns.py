"""Counts what the cells of columns contain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from backpath.files.column_inputs import NumberInput
from backpath.files.forms import (
    NumberForm,
    plain_number,
    said_missing,
)
from backpath.files.reading import missing_number, missing_text, number_sql
from backpath.files.sources import Column, Source

_PLANNED = 200  # columns in one query of few rows
FIRST = 500  # rows that show what to look for in all rows
THOUSANDS = "[+-]?[1-9][0-9]{0,2}[.][0-9]{3}"
WHOLE_LIMIT = 2.0**53  # beyond, a float64 cannot represent every whole number


@dataclass(frozen=True)
class Profile:
    """What the cells of a column contain.

    Attributes
    ----------
    rows, missing : all cells, and those that mean "no value" (among numbers, if the column has any)
    numbers, infinite : finite numbers, and infinite ones such as 1e999
    codes : whole numbers with a leading zero
    said_missing : missing cells that contain a word for it, which are reported among numbers
    low, high : the range of the finite numbers
    perhaps_thousands : whether the points in the first rows may separate thousands: 1.234 beside 567
    """

    rows: int
    missing: int
    numbers: int
    infinite: int
    codes: int
    said_missing: int
    low: float | None
    high: float | None
    perhaps_thousands: bool = False

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def all_numbers(self) -> bool:
        return self.numbers == self.present > 0


@dataclass(frozen=True)
class Texts:
    """The distinct texts of a column.

    Attributes
    ----------
    missing, present : cells
    distinct : distinct texts
    with_digit : distinct texts that contain a digit
    words : words per text, on average
    most : cells with the most frequent text
    """

    missing: int
    present: int
    distinct: int
    with_digit: int
    words: float
    most: int


def plain_form(source: Source) -> NumberForm:
    """Numbers with the caller's decimal mark, or a point."""
    return NumberForm(source.dialect.decimal or ".")


def profiles(source: Source, columns: Sequence[Column]) -> list[Profile]:
    """Profiles of all columns, in passes of some columns each, and a second time if a column has more than numbers."""
    found = _in_passes(source, columns, _plain_profiles)
    mixed = [column for column in columns if not found[column.name].all_numbers or found[column.name].missing]
    found |= _in_passes(source, mixed, _mixed_profiles)
    texts = [column for column in columns if not column.number and found[column.name].numbers]
    points = _points(source, texts) if source.dialect.decimal is None else set()
    return [replace(found[column.name], perhaps_thousands=column.name in points) for column in columns]


def _in_passes(
    source: Source, columns: Sequence[Column], profile: Callable[[Source, Sequence[Column]], list[Profile]]
) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for start in range(0, len(columns), source.batch):
        batch = columns[start : start + source.batch]
        found |= dict(zip((column.name for column in batch), profile(source, batch), strict=True))
    return found


def _plain_profiles(source: Source, columns: Sequence[Column]) -> list[Profile]:
    """Profiles as if every cell were a number; cells that are not finite numbers count as missing."""
    cells, counts = _cells(source, columns), []
    for k, column in enumerate(columns):
        counts += [f"count(n{k})", f"min(n{k})", f"max(n{k})", "0" if column.number else _count_of_codes(k)]
    rows, *numbers = source.rows(f"SELECT count(*), {', '.join(counts)} FROM (SELECT {cells} FROM {{table}})")[0]
    found = []
    for k in range(0, len(numbers), 4):
        count, low, high, codes = numbers[k : k + 4]
        if not count or count < rows or not (isfinite(low) and isfinite(high)):  # NaN is greater than all numbers
            found.append(Profile(rows, rows, 0, 0, 0, 0, None, None))
        else:
            found.append(Profile(rows, 0, rows, 0, codes, 0, low, high))
    return found


def _mixed_profiles(source: Source, columns: Sequence[Column]) -> list[Profile]:
    own, cells = source.dialect.missing, _cells(source, columns)
    gaps = [missing_number(Column(c.name, f"t{k}"), own) for k, c in enumerate(columns)]
    counts = ", ".join(_counts(k, gap, bool(c.number)) for k, (c, gap) in enumerate(zip(columns, gaps, strict=True)))
    rows, *numbers = source.rows(f"SELECT count(*), {counts} FROM (SELECT {cells} FROM {{table}})")[0]
    return [Profile(rows, *numbers[k : k + 7]) for k in range(0, len(numbers), 7)]


def _cells(source: Source, columns: Sequence[Column]) -> str:
    """SQL for the texts t0, t1, … of columns, and the numbers n0, n1, …"""
    own, plain = source.dialect.missing, NumberInput("", form=plain_form(source))
    return ", ".join(f"{c.text} AS t{k}, {number_sql(c, plain, own)} AS n{k}" for k, c in enumerate(columns))


def _count_of_codes(k: int) -> str:
    """SQL; the nested CASE applies the expensive test to few cells."""
    code = f"regexp_full_match(t{k}, '0[0-9]+')"
    return f"count(CASE WHEN t{k} < '0:' AND t{k} >= '00' THEN CASE WHEN {code} THEN 1 END END)"


def _counts(k: int, gap: str, typed: bool) -> str:
    """SQL: missing, finite, infinite, codes, words for missing, lowest, highest. It counts cases, because ``FILTER``
    takes quadratic memory."""
    finite = f"CASE WHEN isfinite(n{k}) THEN n{k} END"
    gap = f"{gap} OR isnan(n{k})" if typed else gap
    return ", ".join(
        (
            f"count(CASE WHEN n{k} IS NULL OR isnan(n{k}) THEN CASE WHEN {gap} THEN 1 END END)",
            f"count({finite})",
            f"count(CASE WHEN isinf(n{k}) THEN 1 END)",
            "0" if typed else _count_of_codes(k),
            "0" if typed else f"count(CASE WHEN n{k} IS NULL THEN CASE WHEN {said_missing(f't{k}')} THEN 1 END END)",
            f"min({finite})",
            f"max({finite})",
        )
    )


def _points(source: Source, columns: Sequence[Column]) -> set[str]:
    """Columns in which every number with a point in the first rows has three digits after it and does not begin with 0.
    Beside whole numbers, or a column with decimal commas, the points may separate thousands."""
    first = f"(SELECT * FROM {{table}} LIMIT {FIRST})"
    suspect = _three_digits_after_points(source, columns, first)
    if not suspect:
        return set()
    with_comma = " OR ".join(
        f"regexp_full_match({c.text}, '[+-]?[0-9]+,[0-9]{{1,2}}')" for c in source.columns[:_PLANNED]
    )
    commas = source.rows(f"SELECT bool_or({with_comma}) FROM {first}")[0][0]
    whole = ", ".join(f"bool_or(regexp_full_match({c.text}, '[+-]?[0-9]+'))" for c in suspect)
    beside_whole = source.rows(f"SELECT {whole} FROM {first}")[0]
    return {column.name for column, is_so in zip(suspect, beside_whole, strict=True) if is_so or commas}


def _three_digits_after_points(source: Source, columns: Sequence[Column], relation: str) -> list[Column]:
    suspect: list[Column] = []
    for start in range(0, len(columns), _PLANNED):
        batch = columns[start : start + _PLANNED]
        cells = ", ".join(
            f"bool_and(CASE WHEN contains({c.text}, '.') THEN regexp_full_match({c.text}, '{THOUSANDS}') END)"
            for c in batch
        )
        found = source.rows(f"SELECT {cells} FROM {relation}")[0]
        suspect += [column for column, is_so in zip(batch, found, strict=True) if is_so]
    return suspect


def collect_texts(source: Source, column: Column, is_target: bool) -> Texts:
    """Collects the distinct texts of a column in the temporary table ``texts`` (t, n), until the next call."""
    gap = missing_text(column, source.dialect.missing, is_target, known=("-",))
    source.rows(
        f"CREATE OR REPLACE TEMP TABLE texts AS SELECT t, count(*) AS n FROM "
        f"(SELECT {column.text} AS t, {gap} AS gap FROM {{table}}) WHERE NOT gap GROUP BY t"
    )
    if not source.rows("SELECT 1 FROM texts WHERE trim(t) = '+'"):  # beside "+", "-" is not a dash for "missing"
        source.rows("DELETE FROM texts WHERE trim(t) = '-'")
    rows = source.rows("SELECT count(*) FROM {table}")[0][0]
    found = source.rows(
        "SELECT coalesce(sum(n), 0), count(*), count(CASE WHEN regexp_matches(t, '[0-9]') THEN 1 END), "
        "coalesce(avg(length(t) - length(replace(trim(t), ' ', '')) + 1), 0), coalesce(max(n), 0) FROM texts"
    )[0]
    present = int(found[0])
    distinct, with_digit, words, most = found[1:]
    return Texts(rows - present, present, int(distinct), int(with_digit), float(words), int(most))


def most_frequent(source: Source, most: int) -> list[tuple[str, int]]:
    """The most frequent of the last collected texts."""
    return source.rows(f"SELECT t, n FROM texts ORDER BY n DESC, t LIMIT {most}")


def lookalikes(source: Source) -> list[list[str]]:
    """Last collected texts that differ only in case or in blanks."""
    found = source.rows(
        "SELECT list(t ORDER BY n DESC, t) FROM texts GROUP BY lower(trim(t)) HAVING count(*) > 1 LIMIT 3"
    )
    return [row[0] for row in found]


def merges(source: Source, column: Column) -> bool:
    """Whether different whole numbers in the cells are equal as float64."""
    number = column.number or plain_number(column.text, source.dialect.decimal or ".")
    texts, numbers = source.rows(
        f"SELECT count(DISTINCT t), count(DISTINCT n) FROM (SELECT {column.text} AS t, {number} AS n FROM {{table}}) "
        "WHERE regexp_full_match(t, '[+-]?[0-9]+')"
    )[0]
    return bool(texts > numbers)
