"""Numbers and dates as people write them, each form read and reported."""

import datetime

import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput
from backpath.files.tables import read_table

DAYS = [datetime.date(2023, 1, 5) + datetime.timedelta(days=11 * k) for k in range(40)]
MOMENTS = [datetime.datetime(2023, 1, 5, 3, 5, 7) + datetime.timedelta(days=3 * k, minutes=71 * k) for k in range(40)]


@pytest.fixture
def column(tmp_path):
    """What a column of these cells is read as, beside another one and a target."""

    def read(cells, **settings):
        rows = [f'"{cell}",{k * 7 % 11},{k * k % 37}.5' for k, cell in enumerate(cells)]
        path = tmp_path / "t.csv"
        path.write_text("\n".join(["c,x,y", *rows]) + "\n", encoding="utf-8")
        table = read_table(path, "y", **settings)
        found = [column for column in table.columns if column.name == "c"]
        kinds = [kind for kind in table.preparation.inputs if kind.name == "c"]
        return found[0].values if found else None, kinds[0] if kinds else None, table.notes

    return read


def refused(column, cells, **settings):
    with pytest.raises(InputError) as caught:
        column(cells, **settings)
    return str(caught.value), caught.value.options


@pytest.mark.parametrize(
    ("cells", "values", "said"),
    [
        (["−5", "7", "−1.5"], [-5, 7, -1.5], "'−' before negative ones"),
        (["5-", "7", "1.5-"], [-5, 7, -1.5], "'-' behind negative ones"),
        (["€1.5M", "€500K", "€2B", "€7"], [1.5e6, 5e5, 2e9, 7], "K, M and B for thousands"),
        (["₹1,23,456", "₹12,34,567", "₹99"], [123456, 1234567, 99], "',' between thousands"),
        (["5 kg", "7", "1.5kg"], [5, 7, 1.5], "'kg' behind; 1 cell without 'kg'"),
        (["$5", "0", "$1.5"], [5, 0, 1.5], "'$' before; 1 cell without '$'"),
        (["5%", "0", "1.5%"], [5, 0, 1.5], "'%' behind; 1 cell without '%'"),
        (["\N{NO-BREAK SPACE}5", "7\N{NO-BREAK SPACE}", "1.5"], [5, 7, 1.5], "is read as numbers"),
    ],
)
def test_numbers_in_other_ways(column, cells, values, said):
    found, kind, notes = column(cells)
    assert isinstance(kind, NumberInput) and found.tolist() == values
    assert any(said in note for note in notes)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["5 kg", "7 g", "3 kg"], "its numbers have different units: 'kg' (2), 'g' (1)"),
        (["$5", "€7", "$3"], "its numbers have different units: '$' (2), '€' (1)"),
        (["5%", "7%", "0.03"], "its numbers have different units: '%' (2), none (1)"),
    ],
)
def test_numbers_in_several_units_are_refused(column, cells, said):
    message, options = refused(column, cells)
    assert said in message and options == ("--ignore", "c")


@pytest.mark.parametrize("word", ["unknown", "Missing", "n.a.", "#DIV/0!", "NaT", "(blank)"])
def test_words_that_mean_missing_among_numbers_are_treated_so_and_reported(column, word):
    found, kind, notes = column([*map(str, range(10, 40)), *[word] * 3])
    assert isinstance(kind, NumberInput) and kind.missing and np.isnan(found[-3:]).all()
    assert f"treated as missing in 'c': '{word}' (3)" in notes
    _, kind, notes = column([*["a", "b"] * 15, *[word] * 3])
    assert isinstance(kind, CategoryInput) and word in kind.categories


@pytest.mark.parametrize("word", ["\\N", "<NA>", "#NA", "-nan"])
def test_words_of_databases_and_pandas_are_missing_in_any_column(column, word):
    for cells in ([*map(str, range(10, 40)), word], [*["a", "b"] * 15, word]):
        _, kind, _ = column(cells)
        assert kind.missing and kind.labels[-1] == "c: missing"


def test_a_minus_beside_a_plus_is_a_category(column):
    _, kind, _ = column(["+", "-"] * 10)
    assert kind.categories == ("+", "-") and not kind.missing
    _, kind, _ = column([*["a", "b"] * 10, "-"])
    assert kind.categories == ("a", "b") and kind.missing


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%b-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"),
        *("%m-%d-%Y", "%m.%d.%Y", "%d.%m.%y", "%d/%b/%Y", "%d%b%Y", "%d-%b-%y", "%d %B %Y", "%B %d, %Y", "%b. %d, %Y"),
        *("%A, %B %d, %Y", "%a, %d %b %Y", "%A %d %B %Y"),
    ],
)
def test_dates_in_many_forms(column, form):
    found, kind, notes = column([day.strftime(form) for day in DAYS])
    assert isinstance(kind, DateInput), notes
    np.testing.assert_array_equal(found, [(day - datetime.date(1970, 1, 1)).days for day in DAYS])


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%d.%m.%Y %H:%M:%S"),
        *("%d/%m/%Y, %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y, %I:%M:%S %p", "%Y-%m-%d %I:%M:%S %p"),
    ],
)
def test_dates_with_times_in_many_forms(column, form):
    found, kind, notes = column([moment.strftime(form) for moment in MOMENTS])
    assert isinstance(kind, DateInput), notes
    seconds = [(moment - datetime.datetime(1970, 1, 1)).total_seconds() for moment in MOMENTS]
    np.testing.assert_allclose(found, np.array(seconds) / 86400, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("form", "first"),
    [
        (lambda day: f"{day.year}Q{day.month // 4 + 1}", "2023-01-01"),
        (lambda day: f"Q{day.month // 4 + 1} {day.year}", "2023-01-01"),
        (lambda day: day.strftime("%G-W%V"), "2023-01-02"),
        (lambda day: day.strftime("%Y%m"), "2023-01-01"),
        (lambda day: day.strftime("%m/%Y"), "2023-01-01"),
        (lambda day: day.strftime("%b-%y"), "2023-01-01"),
    ],
)
def test_months_quarters_and_weeks(column, form, first):
    found, kind, notes = column(list(map(form, DAYS)))
    assert isinstance(kind, DateInput), notes
    assert found[0] == (datetime.date.fromisoformat(first) - datetime.date(1970, 1, 1)).days


@pytest.mark.parametrize(("form", "order"), [("%y-%m-%d", "year-first"), ("%d-%m-%y", "day-first")])
def test_dates_of_two_digits_are_asked_about_and_the_likely_order_is_advised(column, form, order):
    cells = [day.strftime(form) for day in DAYS]
    message, options = refused(column, cells)
    assert "can be read two ways, year first or day first" in message and options == ("--dates", order)
    found, _, _ = column(cells, dates=order)
    np.testing.assert_array_equal(found, [(day - datetime.date(1970, 1, 1)).days for day in DAYS])


@pytest.mark.parametrize(
    "cells", [[f"{k % 3 + 1}.{k % 5}.{k % 7}" for k in range(40)], ["1/2", "3/4", "1/4", "2/3"] * 10]
)
def test_versions_and_fractions_are_no_dates(column, cells):
    assert not isinstance(column(cells)[1], DateInput)


def test_numbers_that_are_dates_by_chance_stay_numbers(column):
    assert isinstance(column(["20240105", "20240106", "20240107"])[1], NumberInput)
    assert isinstance(column([str(20240105 + k) for k in range(40)])[1], NumberInput)  # there is no January 40
    cells = [day.strftime("%Y%m%d") for day in DAYS]
    assert isinstance(column(cells, numeric=["c"])[1], NumberInput)


def test_decimal_commas_of_another_column_decide(tmp_path):
    rows = [f"{k},5 kg;{k % 7},{100 + 37 * k};{k}" for k in range(1, 20)]
    (tmp_path / "t.csv").write_text("a;c;y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    table = read_table(tmp_path / "t.csv", "y")
    assert table.columns[1].values.tolist() == [float(f"{k % 7}.{100 + 37 * k}") for k in range(1, 20)]
    assert "'c' is read as numbers with decimal comma, as 'a' has it (--decimal)" in table.notes


def test_a_decimal_mark_that_no_cell_of_a_column_has_makes_it_no_text(column, tmp_path):
    values, kind, notes = column(["33,5 ml", "7,25 ml", "8 ml"], decimal=".")
    assert values.tolist() == [33.5, 7.25, 8] and isinstance(kind, NumberInput)
    said = "'c' is read as numbers with decimal comma and 'ml' behind: its decimal mark is ',' in spite of --decimal ."
    assert said in notes
    (tmp_path / "p.csv").write_text("a;y\n33.5;1\n7.25;2\n8;4\n", encoding="utf-8")
    table = read_table(tmp_path / "p.csv", "y", decimal=",")
    assert table.columns[0].values.tolist() == [33.5, 7.25, 8]
    assert "'a' is read as numbers: its decimal mark is '.' in spite of --decimal ," in table.notes
