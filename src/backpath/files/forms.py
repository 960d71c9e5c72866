"""The forms of numbers in cells, and SQL that reads them.

A form reads a cell or returns NULL; a column has a form if the form reads all of its cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backpath.files.wording import quoted

# in any column, in any case
MISSING_TEXTS = ("", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "\\n", "?")
SAID_MISSING = (  # also missing among numbers and dates, with a note
    *("n.a.", "n/d", "n.d.", "nil", "nat", "(null)", "(blank)", "blank", "missing", "unknown", "undefined"),
    *("not available", "not applicable", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
)
DASHES = ("-", "--", "---", "–", "—")
# in a text column these are words
MISSING_AMONG_NUMBERS = (*MISSING_TEXTS, *DASHES, ".", "..", "...", "none", *SAID_MISSING)
_BLANKS = "E' \\t\\r\\n\N{NO-BREAK SPACE}'"
_GROUP_MARKS = {",": ",", ".": "\\.", " ": "[ \\x{a0}\\x{202f}]", "'": "['’]"}
_BETWEEN = r"[\s\x{a0}\x{202f}]*"
_PREFIX = (
    r"(?:\p{Sc}|[A-Z]{1,3}\p{Sc}|[A-Z]{3}\b|Rs\.?|[Kk]r\.?|Fr\.?|[~≈]|"
    "EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL)"
)
_SUFFIX = r"(?:%|‰|[°\p{L}\p{Sc}µ][\p{L}\p{Sc}²³/%°]{0,11})"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def trimmed(text: str) -> str:
    """SQL: a text cell without blanks around it."""
    return f"trim({text}, {_BLANKS})"


def is_missing(text: str, words: tuple[str, ...], own: tuple[str, ...] = ()) -> str:
    """SQL: whether a text cell means "no value"; ``own`` are the user's words, matched exactly."""
    cell = trimmed(text)
    found = f"{text} IS NULL OR lower({cell}) IN ({', '.join(map(literal, words))})"
    return f"({found} OR {cell} IN ({', '.join(map(literal, own))}))" if own else f"({found})"


def said_missing(text: str) -> str:
    """SQL: whether a text cell is a word that means "no value" only among numbers and dates."""
    return f"lower({trimmed(text)}) IN ({', '.join(map(literal, SAID_MISSING))})"


def plain_number(text: str, decimal: str = ".") -> str:
    """SQL: a text cell as a number, otherwise NULL. DuckDB itself accepts 1_000, and no decimal comma."""
    refused = "_" if decimal == "." else "_."
    digits = text if decimal == "." else f"replace({text}, ',', '.')"
    strange = " OR ".join(f"contains({text}, '{mark}')" for mark in refused)
    return f"CASE WHEN {strange} THEN NULL ELSE TRY_CAST({digits} AS DOUBLE) END"


@dataclass(frozen=True)
class NumberForm:
    """The form of a column's numbers.

    Attributes
    ----------
    decimal : "." or ","
    group : the separator of thousands: "", ",", ".", " " or "'"
    prefix, suffix : texts before and after each number, such as "$" and "%"
    lenient : whether cells that are not numbers count as missing
    negative : the form of negative numbers, if not a leading "-": one of NEGATIVE
    scaled : whether K, M or B after a number means thousands, millions or billions

    >>> NumberForm(",", ".", suffix="€").describe()
    "with decimal comma, '.' between thousands and '€' behind"
    """

    decimal: str = "."
    group: str = ""
    prefix: str = ""
    suffix: str = ""
    lenient: bool = False
    negative: str = ""
    scaled: bool = False

    def sql(self, text: str) -> str:
        """SQL: a text cell as a number, also without the prefix and suffix."""
        text = signed(text, self.negative)
        if not (self.group or self.prefix or self.suffix or self.scaled):
            return plain_number(text, self.decimal)
        pattern = literal(self._pattern())
        digits = f"regexp_replace({text}, {pattern}, '\\1\\2')"
        if self.group:
            digits = f"regexp_replace({digits}, {literal(_GROUP_MARKS[self.group])}, '', 'g')"
        if self.decimal == ",":
            digits = f"replace({digits}, ',', '.')"
        value = f"TRY_CAST({digits} AS DOUBLE)"
        if self.scaled:
            last = f"upper(right(trim({text}), 1))"
            value += f" * CASE {last} WHEN 'K' THEN 1e3 WHEN 'M' THEN 1e6 WHEN 'B' THEN 1e9 ELSE 1 END"
        return f"CASE WHEN regexp_full_match({text}, {pattern}) THEN {value} END"

    def _pattern(self) -> str:
        point = "\\." if self.decimal == "." else ","
        whole = "[0-9]+"
        if self.group:
            mark = _GROUP_MARKS[self.group]
            whole = f"(?:[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|[0-9]{{1,2}}(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}|[0-9]+)"
        number = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        before = f"(?:{re.escape(self.prefix)}{_BETWEEN})?" if self.prefix else ""
        mark = "[kKMB]" if self.scaled else re.escape(self.suffix)
        behind = f"(?:{_BETWEEN}{mark})?" if mark else ""
        return f"{_BETWEEN}([+-]?){before}([+-]?{number}){behind}{_BETWEEN}"

    def describe(self) -> str:
        """The special features of the form ("" if there are none)."""
        parts = ["decimal comma"] if self.decimal == "," else []
        parts += [f"{quoted(self.group)} between thousands"] if self.group else []
        parts += [f"{quoted(self.prefix)} before"] if self.prefix else []
        parts += [f"{quoted(self.suffix)} behind"] if self.suffix else []
        parts += ["K, M and B for thousands, millions and billions"] if self.scaled else []
        parts += [f"{NEGATIVE[self.negative]} negative ones"] if self.negative else []
        parts += ["other cells treated as missing"] if self.lenient else []
        return f"with {_and(parts)}" if parts else ""


PLAIN_NUMBER = NumberForm()
WRITINGS = ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"))  # decimal, group


NEGATIVE = {"()": "parentheses around", "−": "'−' before", "5-": "'-' behind"}
_IN_PARENTHESES = r"\s*([^()0-9+-]*)\(([^()+-]*[0-9][^()+-]*)\)([^()0-9]*)"
_MINUS_BEHIND = r"\s*([^-]*[0-9][^-]*)-\s*"


def written_negative(text: str, way: str) -> str:
    """SQL: whether a text cell is a negative number in that form."""
    if way == "()":  # possibly with a prefix and suffix
        return f"regexp_full_match({text}, {literal(_IN_PARENTHESES)})"
    pattern = _MINUS_BEHIND if way == "5-" else r"\s*\D{0,4}−[^-]*[0-9].*"
    return f"regexp_full_match({text}, {literal(pattern)})"


def signed(text: str, way: str) -> str:
    """SQL: a text cell with a leading minus: -$2.10 for ($2.10)."""
    if way == "()":
        return f"regexp_replace({text}, {literal(f'^{_IN_PARENTHESES}$')}, '-\\1\\2\\3')"
    if way == "5-":
        return f"regexp_replace({text}, {literal(f'^{_MINUS_BEHIND}$')}, '-\\1')"
    return f"replace({text}, '{way}', '-')" if way else text


def affixes(text: str) -> tuple[str, str]:
    """SQL: the prefix and the suffix of the number in a text cell ("" if there is none)."""
    before = literal(f"^{_BETWEEN}[+-]?({_PREFIX}){_BETWEEN}[+-]?[0-9.,]")
    behind = literal(f"[0-9.,]{_BETWEEN}({_SUFFIX}){_BETWEEN}$")
    return f"regexp_extract({text}, {before}, 1)", f"regexp_extract({text}, {behind}, 1)"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
