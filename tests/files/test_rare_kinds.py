"""Rarer columns than those in `test_real_kinds`: each test is a small table of one kind."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files import parquet
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput
from backpath.files.opening import open_table
from backpath.files.parquet import write_parquet
from backpath.files.predicting import PredictionTable, encode_texts
from backpath.files.preparation import Preparation, Target
from backpath.files.tables import read_table
from backpath.files.training_table import BLOCK

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def table(in_folder):
    def read(cells, **settings):
        """A table of that column, another one, and a target."""
        rows = "".join(f"{cell},{k % 4},{k * k}.5\n" for k, cell in enumerate(cells))
        (in_folder / "t.csv").write_text(f"c,x,y\n{rows}", encoding="utf-8")
        return read_table("t.csv", "y", **settings)

    return read


def test_letters_for_thousands_millions_and_billions(table):
    found = table(["1.5K", "2M", "3B", "2k", "0.5M"])
    assert found.columns[0].values.tolist() == [1500, 2e6, 3e9, 2000, 5e5]
    assert table(["1.5K", "200", "3K", "250", "2M", "7K"]).columns[0].values.tolist() == [
        1500,
        200,
        3000,
        250,
        2e6,
        7e3,
    ]


def test_points_that_may_separate_thousands(table):
    refused = "its numbers can be read two ways: '1.234' is 1.234 with --decimal '.' or 1234 with --decimal ','"
    with pytest.raises(InputError) as caught:
        table(["1.234", "567", "12.345"])
    assert refused in str(caught.value) and caught.value.options == ("--decimal", ",")
    assert table(["1.234", "567", "12.345"], decimal=".").columns[0].values.tolist() == [1.234, 567, 12.345]
    for cells in (["1.234", "567", "12.34"], ["0.234", "567", "0.345"], ["1.234", "2.345", "12.345"]):
        assert table(cells).columns[0].values.tolist() == list(map(float, cells))


def test_points_beside_a_column_with_decimal_commas(in_folder):
    (in_folder / "t.csv").write_text("c;x;y\n1.234;1,5;1\n2.345;2,5;2\n3.456;7,5;4\n")
    with pytest.raises(InputError, match=r"column 'c': its numbers can be read two ways: '1\.234'"):
        read_table("t.csv", "y")


def test_percentages_beside_fractions(table):
    assert table(["5%", "0", "7%", "8%"]).columns[0].values.tolist() == [5, 0, 7, 8]
    with pytest.raises(InputError):
        table(["5%", "0.05", "7%", "8%"])


def test_cells_without_the_unit_of_the_others_are_counted(table):
    found = table(["5 kg", "6 kg", "7", "8 kg", "9"])
    assert found.columns[0].values.tolist() == [5, 6, 7, 8, 9]
    assert found.notes[0] == "'c' is read as numbers with 'kg' behind; 2 cells without 'kg'"


@pytest.mark.parametrize("word", ["none", ".", "--", "unknown", "#DIV/0!"])
def test_words_for_missing_among_written_numbers(table, word):
    found = table(["$5", word, "$7", "$9.5"])
    assert found.columns[0].values[[0, 2, 3]].tolist() == [5, 7, 9.5] and found.columns[0].missing.tolist() == [
        0,
        1,
        0,
        0,
    ]
    assert isinstance(table(["5.1.2024", word, "6.3.2024", "7.4.2023"]).preparation.inputs[0], DateInput)


def test_a_dash_is_missing_unless_there_is_a_plus(table):
    dashes, signs = table(["a", "-", "b", "a", "b"]), table(["+", "-", "+", " - ", "+"])
    assert dashes.preparation.input_labels[:3] == ("c = a", "c = b", "c: missing")
    assert dashes.columns[0].missing.tolist() == [0, 1, 0, 0, 0]
    assert signs.columns[0].categories == (" - ", "+", "-") and not signs.columns[0].missing.any()


def test_months_with_years_of_two_digits(table):
    found = table(["Jan-05", "Feb-05", "Jan-06", "Mar-05", "Feb-06", "Mar-06"])
    assert isinstance(found.preparation.inputs[0], DateInput)
    assert found.columns[0].values[2] == (np.datetime64("2006-01-01") - np.datetime64("1970-01-01")).astype(int)
    assert "c" in table([f"Jan-{day:02}" for day in range(5, 14)]).left_out  # January 5, 6, 7 …


def test_numbers_in_several_forms(table):
    with pytest.raises(InputError, match=r"its numbers have several forms: '1,5' and '2\.5'") as caught:
        table(['"1,5"', '"3,5"', "2.5", "7"])
    assert caught.value.options == ("--numeric", "c")


def test_forced_numbers_count_the_rest_as_missing(table):
    found = table(["1", "2", "x", "4", "y"], numeric=["c"])
    kind = found.preparation.inputs[0]
    assert isinstance(kind, NumberInput) and (kind.fill, kind.missing) == (2, True)
    assert "filled 2 missing cells: 2 of 'c' with its median" in found.notes[-1]
    with pytest.raises(InputError, match="column 'c': 2 cells of 5 are missing"):
        table(["1", "2", "x", "4", "y"], numeric=["c"], missing="refuse")
    with pytest.raises(InputError, match="none of its cells is a number"):
        table(["", "", ""], numeric=["c"])
    assert table(["5", "x", "5"], numeric=["c"]).left_out == ("c", "y")


@pytest.mark.parametrize(
    ("name", "numbers", "said"),
    [
        ("id", [11, 15, 12, 19], "a different number in each row"),
        ("patientID", [3, 1, 2, 4], "it counts the rows"),
        ("column 1", [0, 2, 1, 3], "it counts the rows"),
        ("id", [11, 15, 12, 11], ""),
        ("id", [1.5, 2, 3, 4], ""),
        ("column 1", [11, 15, 12, 19], ""),
        ("identity", [1, 2, 3, 4], ""),
    ],
)
def test_numbers_that_name_the_rows(in_folder, name, numbers, said):
    rows = "".join(f"{n},{k % 3},{k * k}.5\n" for k, n in enumerate(numbers))
    (in_folder / "t.csv").write_text(f"{name},x,y\n{rows}")
    found = read_table("t.csv", "y")
    if said:
        assert found.notes == (f"left out {name!r}: {said} (--keep-column keeps it)",)
        assert read_table("t.csv", "y", keep=[name]).columns[0].name == name
    else:
        assert found.columns[0].name == name


def test_a_date_that_is_the_same_where_the_target_is_known(in_folder):
    (in_folder / "t.csv").write_text("c,x,y\n2024-01-01,1,1.5\n2024-01-02,3,\n2024-01-01,2,2.5\n")
    found = read_table("t.csv", "y")
    assert [column.name for column in found.columns] == ["x"]
    assert "left out 'c': the same in every row" in found.notes


def test_numbers_only_where_the_target_is_unknown(in_folder):
    (in_folder / "t.csv").write_text("c,x,y\n5,1,\n7,3,\n,2,2.5\n,4,3.5\n,4,9.5\n")
    found = read_table("t.csv", "y")
    assert [column.name for column in found.columns] == ["x"]
    assert "left out 'c': the same in every row" in found.notes


def test_how_columns_become_inputs_in_words():
    columns = (
        NumberInput("a", 1.5, 2.0, 3.0, True),
        CategoryInput("b", ("x", "y"), True, True),
        DateInput("d", "year-month-day", ("days", "month"), 19000.0, 10.0, 19723.5, True),
        DateInput("t", "time of day", ("hour",)),
    )
    lines = Preparation(columns, Target("y", "binary", classes=("no", "yes"))).describe()
    assert [line.split("  ")[0] for line in lines] == ["X1…X2", "X3…X6", "X7…X10", "X11…X12", "target"]
    assert lines[0].endswith("missing cells count as 3") and lines[1].endswith("b: one of 'x', 'y' or other or missing")
    assert lines[2].endswith("d: date (year-month-day) as days, month, missing cells count as 2024-01-01 12:00")
    assert lines[3].endswith("t: time (time of day) as hour") and lines[4].endswith("y: one of 'no', 'yes'")
    assert not any(column.is_plain for column in columns) and NumberInput("z").is_plain


def test_inputs_take_little_memory(in_folder):
    (in_folder / "t.csv").write_text(
        "a,b,c,d,y\n" + "".join(f"{k},{k / 2},{k + 0.1},{k or ''},{k}.5\n" for k in range(9))
    )
    found = read_table("t.csv", "y")
    assert [str(column.values.dtype) for column in found.columns] == ["float16", "float16", "float64", "float16"]
    assert found.target.values.dtype == np.float64


def test_a_date_may_have_all_parts():
    kind = DateInput("d", "ISO", ("days", "year", "month", "weekday", "hour"), 19000.0, 10.0)
    kept = Preparation((kind,), Target("y", "regression")).to_dict()
    assert Preparation.from_dict(json.loads(json.dumps(kept))).inputs == (kind,)
    kept["inputs"][0]["parts"] = ["days", "minute"]
    with pytest.raises(InputError, match="input 1: the date's form 'ISO' or its parts are unknown"):
        Preparation.from_dict(json.loads(json.dumps(kept)))


def test_blocks_hold_every_row_once_in_an_order_of_the_epoch(in_folder):
    rows = 2 * BLOCK + 5
    (in_folder / "t.csv").write_text("x,y\n" + "".join(f"{k},{k}.5\n" for k in range(rows)))
    found = read_table("t.csv", "y", standardize=False)
    epochs = [[X[:, 0] for X, _ in found.blocks(seed, epoch)] for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert [len(X) for X in epochs[0]] == [BLOCK, BLOCK, 5]
    orders = [np.concatenate(blocks) for blocks in epochs]
    assert all(sorted(order) == list(range(rows)) for order in orders)
    assert all((order == orders[0]).mean() < 0.01 for order in orders[1:])
    for X, y in found.blocks():
        assert found.preparation.labels(y) == pytest.approx(X[:, 0] + 0.5)
    for first, again in zip(found.blocks(), found.blocks(0, 0), strict=True):
        np.testing.assert_array_equal(first[0], again[0])


def test_only_columns_with_gaps_are_refused_for_them(in_folder):
    (in_folder / "t.csv").write_text("a,b,c,d,y\n1,,x,5,1.5\n2,3,,5,2.5\n3,7,x,5,5.5\n2,,z,5,7.5\n")
    with pytest.raises(InputError) as caught:
        read_table("t.csv", "y", missing="refuse")
    assert "2 reasons: (1) column 'b': 2 cells of 4 are missing; --missing fill" in str(caught.value)
    assert "(2) column 'c': 1 cell of 4 is missing; --missing fill" in str(caught.value)
    assert caught.value.options == ("--missing", "fill")


def test_arrays_are_not_printed(table):
    found = table(range(10))
    division = found.division(0.2, 0)
    for name in ("X=", "y=", "X_held_out=", "y_held_out=", "preparation=", "weight=", "stream="):
        assert name not in repr(division)
    assert "weight=" not in repr(found) and "numbers=" not in repr(found)


def test_a_target_may_keep_its_units(table):
    found = table(range(10))
    division = found.division(0.2, 3, scale_target=False)
    np.testing.assert_array_equal(division.y[:, 0], found.target.values[division.rows])
    assert (division.preparation.target.mean, division.preparation.target.scale) == (0, 1)
    scaled = found.division(0.2, 3)
    assert (scaled.y.mean(), scaled.y.std()) == pytest.approx((0, 1))
    assert sorted([*division.rows, *division.held_out]) == list(range(10)) and len(division.held_out) == 2


def test_a_bad_cell_is_found_in_its_file(in_folder):
    for part, rows in enumerate((["1,2", "3,4", "5,7"], ["6,8", "7,9"], ["2,1", "many,3"])):
        (in_folder / f"{part}.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    with pytest.raises(InputError, match=r"2\.csv, line 3, column 'x': expected a finite number, but found 'many'"):
        read_table(["0.csv", "1.csv", "2.csv"], "y")
    (in_folder / "1.csv").write_text("x,y\n6,8\n7\n")
    with pytest.raises(InputError, match=r"1\.csv, line 3: expected 2 cells as in the header, but found 1 cell"):
        read_table(["0.csv", "1.csv"], "y")


def test_a_table_from_standard_input(in_folder):
    code = "from backpath.files.tables import read_table; t = read_table('-', 'y'); print(t.columns[0].values.tolist())"
    process = subprocess.run(
        [sys.executable, "-c", code], input="x,y\n1,2\n3,4\n8,9\n", capture_output=True, text=True, check=True
    )
    assert process.stdout == "[1.0, 3.0, 8.0]\n"
    process = subprocess.run([sys.executable, "-c", code], input="", capture_output=True, text=True, check=False)
    assert process.stderr.endswith("standard input is empty; expected a header line and rows\n")


def test_json_lines_of_which_the_first_is_long(in_folder):
    rows = [{"x": k, "long": "ab"[k % 2] * 70_000, "y": k * k} for k in range(4)]
    (in_folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_table("t.jsonl", "y")
    assert found.columns[0].values.tolist() == [0, 1, 2, 3] and found.rows == 4


PREPARED = Preparation(
    (NumberInput("a", 1.0, 2.0), CategoryInput("b", ("x", "y")), DateInput("d", "year-month-day", ("days",))),
    Target("y", "regression"),
)


def test_rows_as_texts():
    X = encode_texts(PREPARED, [["5", "y", "1970-01-03"], ["1e1", "x", "1970-01-01"]], "--x")
    assert X.tolist() == [[2, 0, 1, 2], [4.5, 1, 0, 0]]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["big", "x", "1970-01-01"], "--x, column 'a' must be a finite number, but is 'big'"),
        (["", "x", "1970-01-01"], "--x, column 'a' must be a finite number, but is ''"),
        (["1", "z", "1970-01-01"], "--x, column 'b' must be one of 'x', 'y', but is 'z'"),
        (["1", "x", "soon"], "--x, column 'd' must be a date or time as in training, but is 'soon'"),
    ],
)
def test_rows_as_texts_that_cannot_be_read(row, said):
    with pytest.raises(InputError) as caught:
        encode_texts(PREPARED, [["5", "y", "1970-01-03"], row], "--x")
    assert str(caught.value) == said


def test_a_bad_row_beyond_the_first_block_is_named(in_folder, monkeypatch):
    monkeypatch.setattr("backpath.files.predicting._BLOCK", 1)
    (in_folder / "t.csv").write_text("x\n" + "1\n" * 2500 + "much\n")
    prepared = Preparation((NumberInput("x"),), Target("y", "regression"))
    with open_table("t.csv") as source:
        rows = PredictionTable(source, prepared)
        assert (rows.check().rows, rows.check().unusable, rows.check().largest) == (2501, 1, 1)
        with pytest.raises(InputError, match=r"t\.csv, line 2502: 'x': 'much' is not a number"):
            rows.check(strict=True)


def test_repeated_names_in_a_table_to_predict(in_folder):
    (in_folder / "t.csv").write_text("a,b,a\n1,2,3\n")
    for left_out, fits in (((), False), (("a (column 3)",), True)):
        prepared = Preparation((NumberInput("b"),), Target("y", "regression"), left_out)
        with open_table("t.csv") as source:
            if fits:
                assert next(PredictionTable(source, prepared).blocks()).X.tolist() == [[2]]
            else:
                with pytest.raises(InputError, match="columns 1 and 3 are both named 'a'; rename one of them"):
                    PredictionTable(source, prepared)


@pytest.mark.parametrize("opened", ["/proc/self/fd", "not here"])  # on Linux, and elsewhere
def test_arrays_as_parquet(in_folder, monkeypatch, opened):
    monkeypatch.setattr(parquet, "_OPEN_FILES", Path(opened))
    rows = 5000
    columns = {
        'the "weight"': np.arange(rows) / 7,
        "epochs": np.where(np.arange(rows) % 10, np.arange(rows), -1),
        "single": np.arange(rows, dtype=np.float32),
    }
    write_parquet("it's.parquet", columns, {"epochs": -1})
    found = duckdb.sql("""SELECT * FROM 'it''s.parquet'""")
    assert found.columns == list(columns) and [str(kind) for kind in found.types] == ["DOUBLE", "BIGINT", "FLOAT"]
    weights, epochs, single = zip(*found.fetchall())
    assert list(weights) == columns['the "weight"'].tolist() and list(single) == list(range(rows))
    assert list(epochs) == [k if k % 10 else None for k in range(rows)]
    groups = duckdb.sql("SELECT DISTINCT row_group_num_rows FROM parquet_metadata('it''s.parquet')").fetchall()
    assert groups == [(rows,)]
    wide = {f"c{k}": np.arange(rows) for k in range(1000)}
    write_parquet("wide.parquet", wide)
    most = duckdb.sql("SELECT max(row_group_num_rows) FROM parquet_metadata('wide.parquet')").fetchall()[0][0]
    assert most <= 2048  # a wide table is written in smaller groups, to take less memory
