"""The forms of dates and times in cells, and SQL that reads them as days since 1970-01-01.

A form reads a cell or returns NULL; a column has a form if the form reads all of its cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from backpath.files.forms import literal, trimmed

DATE_ORDERS = ("day-first", "month-first", "year-first")


@dataclass(frozen=True)
class DateForm:
    """The form of a column's dates: its name, and formats, one of which each cell has.

    >>> DATE_FORMS["day/month/year"].formats[0]
    '%d/%m/%Y'
    """

    name: str
    formats: tuple[str, ...] = ()
    order: str = ""  # one of DATE_ORDERS, if the same cells may also be read in another order
    pattern: str = ""  # a further condition on cells, if the formats alone would accept more

    def sql(self, text: str) -> str:
        """A text cell as days since 1970-01-01, with the time of day as a fraction."""
        cell = trimmed(text)
        if self.name == "ISO":  # with a time zone: the time in UTC
            moment = f"TRY_CAST({cell} AS TIMESTAMP)"
        elif self.name == "year and quarter":
            year, quarter = (
                f"CAST(regexp_extract({cell}, '{part}', 1) AS INT)" for part in ("([0-9]{4})", "[Qq]([1-4])")
            )
            moment = f"make_date({year}, 3 * {quarter} - 2, 1)"
        elif self.name == "year and week":  # ISO weeks begin on Monday; January 4 is in week 1
            year, week = (
                f"CAST(regexp_extract({cell}, '{part}', 1) AS INT)" for part in ("^([0-9]{4})", "W([0-9]{2})")
            )
            first = f"make_date({year}, 1, 4)"
            moment = f"{first} + CAST(7 * ({week} - 1) - isodow({first}) + 1 AS INT)"
        else:
            formats = ", ".join(map(literal, self.formats))
            moment = f"try_strptime({cell}, [{formats}])"
            if "%Y" in self.formats[0]:  # would also accept the year 99
                moment = f"CASE WHEN year({moment}) >= 1000 THEN {moment} END"
        if self.pattern:
            moment = f"CASE WHEN regexp_matches({cell}, {literal(self.pattern)}) THEN {moment} END"
        return f"(epoch({moment}) / 86400.0)"


_TIMES = ("", *(f"{comma} {time}" for comma in ("", ",") for time in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")))
_TWO_DIGITS = r"^[0-9]+[-/.][0-9]+[-/.][0-9]{2}([^0-9]|$)"  # because %y would also accept one digit
_ISO = (  # the cast would ignore anything after it, such as PM
    "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    "([ Tt][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)? ?([Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"
)

_DAYS = (  # the last one that fits is used
    DateForm("year-month-day", ("%Y-%m-%d",)),
    DateForm("ISO", pattern=_ISO),
    DateForm("yearmonthday", ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%d%H%M%S"), pattern="^[12][0-9]{7}"),
    DateForm("yearmonth", ("%Y%m",), pattern="^[12][0-9]{5}$"),
    DateForm("month.year", ("%m.%Y",), pattern=r"^(0?[1-9]|1[0-2])\.(19|20)[0-9]{2}$"),
    DateForm("year-month", ("%Y-%m",)),
    DateForm("year/month", ("%Y/%m",)),
    DateForm("month/year", ("%m/%Y", "%m-%Y")),
    DateForm("year and quarter", pattern="^([0-9]{4}[ -/]?[Qq][1-4]|[Qq][1-4][ -/]?[0-9]{4})$"),
    DateForm("year and week", pattern="^[0-9]{4}-?W[0-9]{2}$"),
    DateForm("year/month/day", ("%Y/%m/%d",)),
    DateForm("year.month.day", ("%Y.%m.%d",)),
    DateForm("year month day", ("%Y-%b-%d", "%Y %b %d", "%Y-%B-%d", "%Y %B %d")),
    DateForm("month.day.year", ("%m.%d.%Y",)),  # only if a day is greater than 12
    DateForm("day.month.year", ("%d.%m.%Y",)),
    DateForm("day/month/year", ("%d/%m/%Y",), "day-first"),
    DateForm("month/day/year", ("%m/%d/%Y",), "month-first"),
    DateForm("day-month-year", ("%d-%m-%Y",), "day-first"),
    DateForm("month-day-year", ("%m-%d-%Y",), "month-first"),
    DateForm("day.month.year of two digits", ("%d.%m.%y",), pattern=_TWO_DIGITS),
    DateForm("day/month/year of two digits", ("%d/%m/%y",), "day-first", _TWO_DIGITS),
    DateForm("month/day/year of two digits", ("%m/%d/%y",), "month-first", _TWO_DIGITS),
    DateForm("year of two digits-month-day", ("%y-%m-%d",), "year-first"),
    DateForm("day-month-year of two digits", ("%d-%m-%y",), "day-first", _TWO_DIGITS),
    DateForm("month-day-year of two digits", ("%m-%d-%y",), "month-first", _TWO_DIGITS),
    DateForm(
        "day month year",
        ("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d%b%Y", "%d %b, %Y", "%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%d %B, %Y"),
    ),
    DateForm("day month year of two digits", ("%d %b %y", "%d-%b-%y"), pattern="[^0-9][0-9]{2}([^0-9]|$)"),
    DateForm(
        "month day year", ("%b %d %Y", "%b %d, %Y", "%b. %d, %Y", "%b-%d-%Y", "%B %d %Y", "%B %d, %Y")
    ),
    DateForm("month year", ("%b %Y", "%B %Y", "%b-%Y", "%b/%Y", "%Y %b", "%Y-%b")),
    DateForm("month year of two digits", ("%b-%y",), pattern="-[0-9]{2}$"),
    DateForm("weekday day month year", ("%a, %d %b %Y", "%a %d %b %Y", "%A, %d %B %Y", "%A %d %B %Y")),
    DateForm("weekday month day year", ("%a, %b %d, %Y", "%a %b %d %Y", "%A, %B %d, %Y")),
    DateForm("weekday month day", ("%a %b %d %H:%M:%S %Y",)),
)  # fmt: skip
_HOURS = DateForm(
    "time of day",
    ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I %p"),
    pattern="^[0-9]{1,2}(:[0-9]{2}| ?[AaPp])",
)

DATE_FORMS = {
    form.name: replace(form, formats=tuple(f"{day}{time}" for day in form.formats for time in _TIMES)) for form in _DAYS
} | {_HOURS.name: _HOURS}
