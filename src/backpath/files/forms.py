"""How numbers and dates are written in cells, and SQL that reads them.

A form reads a cell or gives NULL; a column is of a form if the form reads all of its cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backpath.files.wording import quoted

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "?")  # of any column, upper or lower case
MISSING_AMONG_NUMBERS = (*MISSING, "none", "-", "--", ".")  # words that in a column of text may be words
_BLANKS = "E' \\t\\r\\n\N{NO-BREAK SPACE}'"
_GROUP_MARKS = {",": ",", ".": "\\.", " ": "[ \\x{a0}\\x{202f}]", "'": "['’]"}
_PREFIX = r"(?:\p{Sc}|[A-Z]{2,3}\p{Sc}|[A-Z]{3}\b)"
_SUFFIX = r"(?:%|‰|[°\p{L}\p{Sc}µ][\p{L}\p{Sc}²³/%°]{0,11})"


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def missing(text: str, words: tuple[str, ...], own: tuple[str, ...] = ()) -> str:
    """SQL: whether a text cell stands for "no value"; ``own`` are the user's words, taken as they are."""
    trimmed = f"trim({text}, {_BLANKS})"
    found = f"{text} IS NULL OR lower({trimmed}) IN ({', '.join(map(literal, words))})"
    return f"({found} OR {trimmed} IN ({', '.join(map(literal, own))}))" if own else f"({found})"


def plain_number(text: str, decimal: str = ".") -> str:
    """SQL: a text cell as a number, NULL if it is none. DuckDB would also take 1_000, and knows no decimal comma."""
    refused = "_" if decimal == "." else "_."
    digits = text if decimal == "." else f"replace({text}, ',', '.')"
    strange = " OR ".join(f"contains({text}, '{mark}')" for mark in refused)
    return f"CASE WHEN {strange} THEN NULL ELSE TRY_CAST({digits} AS DOUBLE) END"


@dataclass(frozen=True)
class NumberForm:
    """How a column writes its numbers.

    Attributes
    ----------
    decimal : "." or ","
    group : what may stand between thousands: "", ",", ".", " " or "'"
    prefix, suffix : what stands before and behind each number, such as "$" and "%"
    lenient : whether cells that are no numbers count as missing
    parentheses : whether a number in parentheses is negative, as accountants write it

    >>> NumberForm(",", ".", suffix="€").describe()
    "with decimal comma, '.' between thousands and '€' behind"
    """

    decimal: str = "."
    group: str = ""
    prefix: str = ""
    suffix: str = ""
    lenient: bool = False
    parentheses: bool = False

    def sql(self, text: str) -> str:
        """A text cell as a number. A plain one is read too, without prefix and suffix."""
        if self.parentheses:
            text = signed(text)
        if not (self.group or self.prefix or self.suffix):
            return plain_number(text, self.decimal)
        pattern = literal(self._pattern())
        digits = f"regexp_replace({text}, {pattern}, '\\1\\2')"
        if self.group:
            digits = f"regexp_replace({digits}, {literal(_GROUP_MARKS[self.group])}, '', 'g')"
        if self.decimal == ",":
            digits = f"replace({digits}, ',', '.')"
        return f"CASE WHEN regexp_full_match({text}, {pattern}) THEN TRY_CAST({digits} AS DOUBLE) END"

    def _pattern(self) -> str:
        point = "\\." if self.decimal == "." else ","
        whole = "[0-9]+"
        if self.group:
            whole = f"(?:[0-9]{{1,3}}(?:{_GROUP_MARKS[self.group]}[0-9]{{3}})+|[0-9]+)"
        number = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        before = f"(?:{re.escape(self.prefix)}\\s*)?" if self.prefix else ""
        behind = f"(?:\\s*{re.escape(self.suffix)})?" if self.suffix else ""
        return f"\\s*([+-]?){before}([+-]?{number}){behind}\\s*"

    def describe(self) -> str:
        """What is special about it ("" if nothing is)."""
        parts = ["decimal comma"] if self.decimal == "," else []
        parts += [f"{quoted(self.group)} between thousands"] if self.group else []
        parts += [f"{quoted(self.prefix)} before"] if self.prefix else []
        parts += [f"{quoted(self.suffix)} behind"] if self.suffix else []
        parts += ["parentheses around negative ones"] if self.parentheses else []
        parts += ["cells that are no numbers taken as missing"] if self.lenient else []
        return f"with {_and(parts)}" if parts else ""


PLAIN = NumberForm()
WRITINGS = tuple(
    NumberForm(d, g) for d, g in ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"))
)


_IN_PARENTHESES = r"\s*([^()0-9+-]*)\(([^()+-]*[0-9][^()+-]*)\)([^()0-9]*)"


def in_parentheses(text: str) -> str:
    """SQL: whether a text cell is a number in parentheses, with what may stand before and behind it."""
    return f"regexp_full_match({text}, {literal(_IN_PARENTHESES)})"


def signed(text: str) -> str:
    """SQL: a text cell with a minus instead of parentheses: -$2.10 for ($2.10)."""
    return f"regexp_replace({text}, {literal(f'^{_IN_PARENTHESES}$')}, '-\\1\\2\\3')"


def affixes(text: str) -> tuple[str, str]:
    """SQL: what stands before the number in a text cell, and what behind it ("" if nothing does)."""
    before = literal(f"^\\s*[+-]?({_PREFIX})\\s*[+-]?[0-9.,]")
    behind = literal(f"[0-9.,]\\s*({_SUFFIX})\\s*$")
    return f"regexp_extract({text}, {before}, 1)", f"regexp_extract({text}, {behind}, 1)"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


@dataclass(frozen=True)
class DateForm:
    """How a column writes its dates: what it is called, and the formats of which each cell has one.

    >>> DATE_FORMS["day/month/year"].formats[0]
    '%d/%m/%Y'
    """

    name: str
    formats: tuple[str, ...]
    order: str = ""  # "day-first" or "month-first" where the same cells may be read both ways

    def sql(self, text: str) -> str:
        """A text cell as days since 1970-01-01, with the time of day as a fraction."""
        trimmed = f"trim({text}, {_BLANKS})"
        if self.name == "ISO":  # with a time zone: the time in UTC
            long_enough = f"regexp_matches({trimmed}, '^[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}')"
            moment = f"CASE WHEN {long_enough} THEN TRY_CAST({trimmed} AS TIMESTAMP) END"
        else:
            formats = ", ".join(map(literal, self.formats))
            moment = f"try_strptime({trimmed}, [{formats}])"
            if "%Y" in self.formats[0]:  # which would take the year 99 too
                moment = f"CASE WHEN year({moment}) >= 1000 THEN {moment} END"
        return f"(epoch({moment}) / 86400.0)"


def _forms() -> dict[str, DateForm]:
    times = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
    found = [DateForm("ISO", ())]
    for name, formats, order in (
        ("year-month", ("%Y-%m",), ""),
        ("year/month/day", ("%Y/%m/%d",), ""),
        ("year.month.day", ("%Y.%m.%d",), ""),
        ("day.month.year", ("%d.%m.%Y",), ""),
        ("day/month/year", ("%d/%m/%Y",), "day-first"),
        ("month/day/year", ("%m/%d/%Y",), "month-first"),
        ("day-month-year", ("%d-%m-%Y",), "day-first"),
        ("month-day-year", ("%m-%d-%Y",), "month-first"),
        ("day.month.year of two digits", ("%d.%m.%y",), ""),
        ("day/month/year of two digits", ("%d/%m/%y",), "day-first"),
        ("month/day/year of two digits", ("%m/%d/%y",), "month-first"),
        ("day month year", ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%d. %B %Y"), ""),
        ("day month year of two digits", ("%d %b %y", "%d-%b-%y"), ""),
        ("month day year", ("%b %d %Y", "%b %d, %Y", "%B %d %Y", "%B %d, %Y", "%b-%d-%Y"), ""),
        ("month year", ("%b %Y", "%B %Y", "%b-%Y"), ""),
        ("weekday month day", ("%a %b %d %H:%M:%S %Y",), ""),
    ):
        found.append(DateForm(name, tuple(f"{form}{time}" for form in formats for time in times), order))
    found.append(DateForm("time of day", ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")))
    return {form.name: form for form in found}


DATE_FORMS = _forms()
