"""What a careful person would do with a column is done and reported: each test is a small table of one kind."""

import bz2
import gzip
import json
from importlib.util import find_spec

import duckdb
import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput
from backpath.files.dialect import Dialect
from backpath.files.looking import look
from backpath.files.opening import open_table
from backpath.files.predicting import PredictionTable
from backpath.files.preparation import Preparation
from backpath.files.tables import read_table, read_training_table
from spreadsheets import as_spreadsheet

pytestmark = pytest.mark.usefixtures("in_folder")


def table(text, target="y", encoding="utf-8", name="t.csv", **settings):
    content = text if isinstance(text, bytes) else text.encode(encoding)
    with open(name, "wb") as file:  # noqa: PTH123 - a name in the test's own folder
        file.write(content)
    return read_table(name, target, **settings)


def column(cells, name="c"):
    """A table of that column, and a target."""
    return f"{name},y\n" + "".join(f"{cell},{k * k}.5\n" for k, cell in enumerate(cells))


def refusal(text, target="y", **settings):
    with pytest.raises(InputError) as caught:
        table(text, target, **settings)
    return str(caught.value), caught.value.options


@pytest.mark.parametrize("word", ["", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-", "."])
def test_missing_numbers_are_filled_with_the_median_and_marked(word):
    found = table(column(["1", word, "5", "3", "3"]))
    assert found.preparation.input_labels == ("c", "c: missing")
    assert found.preparation.inputs[0].fill == 3
    raw = np.array([1, 3, 5, 3, 3])
    np.testing.assert_allclose(found.X[:, 0], (raw - raw.mean()) / raw.std())
    assert found.X[:, 1].tolist() == [0, 1, 0, 0, 0]
    assert found.notes == ("filled 1 missing cell: 1 of 'c' with its median; --missing drop leaves 4 of 5 rows",)


def test_missing_text_is_a_separate_category():
    found = table(column(["a", "NA", "b", "a", "b", ""]))
    assert found.preparation.input_labels == ("c = a", "c = b", "c: missing")
    assert found.X[:, 2].tolist() == [0, 1, 0, 0, 0, 1]


def test_the_user_names_a_word_for_missing():
    assert refusal(column(["1", "2", "-999", "n.v.", "5"]))[1] == ("--numeric", "c")
    found = table(column(["1", "2", "-999", "n.v.", "5"]), na=["n.v.", "-999"])
    assert found.preparation.inputs[0].fill == 2 and found.X[:, 1].sum() == 2


def test_rows_with_missing_cells_are_dropped_or_the_table_refused():
    text = column(["1", "NA", "5", "3", "3"])
    found = table(text, missing="drop")
    assert found.rows == 4 and found.notes == ("left out 1 row of 5 with missing cells, in 'c'",)
    message, options = refusal(text, missing="refuse")
    assert "1 cell of 5 is missing" in message and options == ("--missing", "fill")
    with pytest.raises(InputError, match="missing must be fill, drop or refuse"):
        Choices(missing="guess")


def test_the_held_out_rows_do_not_change_what_missing_ones_are_filled_with():
    found = table(column([*map(str, range(20)), "", ""]))
    X, _, _, _, prepared = found.split(0.4, seed=3)
    kept = X[:, 0] * prepared.inputs[0].scale + prepared.inputs[0].mean
    present = kept[X[:, 1] == 0] if X.shape[1] > 1 else kept
    assert prepared.inputs[0].fill == pytest.approx(np.median(present))


def test_a_missing_target_is_no_class():
    found = table("x,y\n" + "".join(f"{k},{('good', 'bad', 'NA')[k % 3]}\n" for k in range(30)))
    assert found.target.categories == ("bad", "good") and found.rows == 20
    assert "left out 10 rows of 30 in which the target is missing" in found.notes


def test_none_may_be_a_class_and_that_is_reported():
    found = table("x,y\n" + "".join(f"{k},{('None', 'Some')[k % 2]}\n" for k in range(30)))
    assert found.target.categories == ("None", "Some")
    assert "'None' in 'y' is treated as a class; --na None leaves its rows out" in found.notes


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["5"] * 6, "the same in every row"),
        ([""] * 6, "every cell is missing"),
        ([f"id{k}x" for k in range(6)], "a different text in each row"),
        ([f"the {k} th cell is free text" for k in range(6)], "free text"),
        ([f"{k:03}" for k in range(6)], "a different text in each row"),
        ([str(2**60 + k) for k in range(6)], "a different text in each row: whole numbers beyond 2⁵³"),
    ],
)
def test_uninformative_columns_are_left_out_and_reported(cells, reason):
    text = "c,x,y\n" + "".join(f"{cell},{k % 4},{k * k}.5\n" for k, cell in enumerate(cells))
    found = table(text)
    assert [c.name for c in found.columns] == ["x"] and found.left_out == ("c", "y")
    assert found.notes[0].startswith(f"left out 'c': {reason}")
    if len(set(cells)) > 1:
        assert [c.name for c in table(text, keep=["c"]).columns] == ["c", "x"]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "rownames", "index", "id"])
def test_a_column_that_counts_rows_is_left_out(name):
    found = table(f"{name},x,y\n" + "".join(f"{k},{k % 4},{k * k}.5\n" for k in range(1, 9)))
    assert [c.name for c in found.columns] == ["x"]
    assert any("it counts the rows" in note for note in found.notes)


def test_a_header_that_lacks_the_row_names():
    found = table("x y\n" + "".join(f"r{k} {k % 4} {k * k}.5\n" for k in range(8)))
    assert [c.name for c in found.columns] == ["x"]
    assert (
        "the header has one name fewer than the rows have cells, as in R: the first column has no name" in found.notes
    )


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (['"$1,000.00"', '"$2,500.50"', "$7"], [1000, 2500.5, 7]),
        (["-$5", "$3", "$4.5"], [-5, 3, 4.5]),
        (["5%", "10 %", "7.5%"], [5, 10, 7.5]),
        (["5 kg", "10 kg", "7.5 kg"], [5, 10, 7.5]),
        (['"1,5"', '"2,25"', "3"], [1.5, 2.25, 3]),
        (['"1.234,5 €"', '"2 €"', '"3,5 €"'], [1234.5, 2, 3.5]),
        (["1 000", "2 500", "12"], [1000, 2500, 12]),
        (["1'000", "2'500", "12"], [1000, 2500, 12]),
        (['"1,000,000"', '"2,500"', "12"], [1e6, 2500, 12]),
    ],
)
def test_written_numbers_are_read_when_the_column_reads_one_way(cells, values):
    found = table(column(cells))
    assert found.columns[0].values.tolist() == values
    assert any(note.startswith("'c' is read as numbers with") for note in found.notes)


def test_numbers_that_read_two_ways_are_refused_with_both():
    message, options = refusal(column(['"1,000"', '"2,500"', '"3,125"']))
    assert message == (
        "t.csv, column 'c': its numbers can be read two ways: '1,000' is 1000 with --decimal '.' or 1 with "
        "--decimal ','"
    )
    assert options == ("--decimal", ".")
    assert table(column(['"1,000"', '"2,500"', '"3,125"']), decimal=".").columns[0].values.tolist() == [
        1000,
        2500,
        3125,
    ]


@pytest.mark.parametrize(
    ("cells", "day"),
    [
        (["2024-01-05", "2024-01-06", "2024-03-07"], "2024-01-05"),
        (["2024/01/05", "2024/01/06", "2024/03/07"], "2024-01-05"),
        (["5.1.2024", "6.1.2024", "7.3.2024"], "2024-01-05"),
        (["1/13/2024", "1/14/2024", "3/7/2024"], "2024-01-13"),
        (["13/1/2024", "14/1/2024", "7/3/2024"], "2024-01-13"),
        (["Jan 5 2024", "Jan 6 2024", "Mar 7 2024"], "2024-01-05"),
        (["5-Jan-24", "6-Jan-24", "7-Mar-24"], "2024-01-05"),
        (["2024-01-05T00:00:00Z", "2024-01-06T00:00:00Z", "2024-03-07T00:00:00Z"], "2024-01-05"),
    ],
)
def test_dates_are_seen(cells, day):
    found = table(column(cells))
    first = np.datetime64(int(found.columns[0].values[0]), "D")
    assert str(first) == day and isinstance(found.preparation.inputs[0], DateInput)
    assert any(note.startswith("'c' is read as dates") for note in found.notes)


def test_day_and_month_that_read_both_ways_are_refused():
    message, options = refusal(column(["3/4/2024", "5/6/2024", "7/8/2024"]))
    assert "day first or month first, such as '3/4/2024'" in message and options[0] == "--dates"
    found = table(column(["3/4/2024", "5/6/2024", "7/8/2024"]), dates="day-first")
    assert found.columns[0].values[0] == (np.datetime64("2024-04-03") - np.datetime64("1970-01-01")).astype(int)


def test_the_parts_of_a_date_fit_its_spread():
    daily = np.arange("2024-01-01", "2026-03-11", dtype="datetime64[D]").astype(str).tolist()
    found = table(column(daily))
    assert found.preparation.input_labels == (
        "c: days",
        "c: year",
        *(f"c: {part} ({half})" for part in ("month", "weekday") for half in ("sin", "cos")),
    )
    april = daily.index("2024-04-01")
    assert found.X[april, 2:4] == pytest.approx([1, 0], abs=1e-12)  # a quarter of the year's circle
    monthly = table(column([f"2024-{m:02}-01" for m in range(1, 13)]))
    assert monthly.preparation.inputs[0].parts == ("days", "month")
    hours = table(column(["10:30", "16:30", "4:30"]))
    assert hours.preparation.input_labels == ("c: hour (sin)", "c: hour (cos)")


def test_many_categories_become_the_frequent_ones_and_other():
    cells = [f"k{j}" for j in range(5) for _ in range(40)] + [f"rare{j}x" for j in range(80)]
    found = table(column(cells))
    kind = found.preparation.inputs[0]
    assert kind == CategoryInput("c", ("k0", "k1", "k2", "k3", "k4"), other=True)
    assert found.X[-1].tolist() == [0, 0, 0, 0, 0, 1]
    assert found.notes == (
        "'c' has 85 different texts: the 5 most frequent ones are inputs, the others' 80 rows are 'other'",
    )


def test_classes_are_the_text_of_the_cells():
    rows = "x,y\n" + "".join(f"{k},{('001', '002', '010')[k % 3]}\n" for k in range(30))
    assert table(rows).target.categories == ("001", "002", "010")
    big = "x,y\n" + "".join(f"{k},{2**53 + k % 4}\n" for k in range(40))
    assert table(big, task="classification").target.categories == tuple(str(2**53 + k) for k in range(4))
    floats = "x,y\n" + "".join(f"{k},{k % 3}.0\n" for k in range(40))
    assert table(floats).target.categories == ("0.0", "1.0", "2.0")


def test_classes_that_look_alike_are_reported():
    found = table("x,y\n" + "".join(f"{k},{('yes', 'Yes', 'no', 'yes ')[k % 4]}\n" for k in range(40)))
    assert len(found.target.categories) == 4
    assert "'Yes', 'yes', 'yes ' in 'y' look alike, but are treated as different" in found.notes


ROWS = [("x", "k", "y"), *((str(k % 4), "ab"[k % 2], f"{k * k}.5") for k in range(8))]


def rows(mark):
    return "".join(mark.join(row) + "\n" for row in ROWS)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "  ", " \t "])
def test_the_delimiter_is_detected_and_reported(mark):
    found = table(rows(mark))
    assert [c.name for c in found.columns] == ["x", "k"] and found.rows == 8
    assert bool(found.notes) == (mark != ",")


def test_two_delimiters_that_fit_are_refused_unless_the_target_tells():
    message, options = refusal("a;x,b\n1;2,3\n2;3,4\n", "q")
    assert "t.csv may be separated by ',' (2 columns) or ';' (2 columns)" in message and options[0] == "--delimiter"
    assert table("a;x,y\n1;2,3\n2;3,4\n3;1,7\n", "y", keep=["a;x"]).rows == 3


def test_the_line_of_excel_and_blanks_after_delimiters():
    assert table("sep=;\n" + rows(";")).rows == 8
    found = table(rows(", "))
    assert found.columns[1].categories == ("a", "b") and "blanks after delimiters are removed" in found.notes
    quoted = table('"0"," 0"," y"\n1,2,3\n2,3,4\n5,4,1\n', " y")  # these belong to the names
    assert [column.name for column in quoted.columns] == ["0", " 0"]


def test_a_header_of_numbers_is_asked_about():
    text = "0.1,0.2,0.5\n" + "".join(f"{k}.5,{k % 3},{k * k}\n" for k in range(8))
    message, options = refusal(text, "0.5")
    assert "the header holds only numbers" in message and options == ("--no-header", "--target", "column 3")
    assert table(text, "column 3", header=False).rows == 9
    assert table(text, "0.5", header=True).rows == 8


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(encoding):
    assert table(rows(",").replace("ab", "é"), encoding=encoding).rows == 8


def test_windows_quotes_are_said_to_be_cp1252():
    text = "c,y\n" + "".join(f"{('“good”', '5 €')[k % 2]},{k}.5\n" for k in range(8))
    with open("w.csv", "wb") as file:  # noqa: PTH123
        file.write(text.encode("cp1252"))
    with pytest.raises(InputError, match="byte 0x93 is not utf-8; try --encoding cp1252") as caught:
        read_table("w.csv", "y")
    assert caught.value.options == ("--encoding", "cp1252")
    assert read_table("w.csv", "y", encoding="cp1252").columns[0].categories == ("5 €", "“good”")


def test_compressed_files_and_json_lines():
    plain = table(rows(","))
    content = rows(",").encode()
    duckdb.execute("COPY (SELECT * FROM read_csv('t.csv', all_varchar=true)) TO 't.csv.zst' (COMPRESSION zstd)")
    lines = "".join(json.dumps({"x": int(x), "k": k, "y": float(y)}) + "\n" for x, k, y in ROWS[1:])
    forms = {
        "t.csv.gz": gzip.compress(content),
        "t.csv.bz2": bz2.compress(content),
        "t.jsonl": lines.encode(),
        "t.jsonl.gz": gzip.compress(lines.encode()),
    }
    for name, data in forms.items():
        found = table(data, name=name)
        np.testing.assert_array_equal(found.X, plain.X, name)
        np.testing.assert_array_equal(found.y, plain.y, name)
    np.testing.assert_array_equal(read_table("t.csv.zst", "y").X, plain.X)


@pytest.mark.skipif(
    not find_spec("python_calamine"), reason="the extra excel, which reads spreadsheets, is not installed"
)
def test_a_spreadsheet():
    plain, found = table(rows(",")), table(as_spreadsheet(rows(",").splitlines()), name="t.xlsx")
    np.testing.assert_array_equal(found.X, plain.X)
    np.testing.assert_array_equal(found.y, plain.y)


def test_several_files_follow_each_other(in_folder):
    whole = table(rows(","))
    header, *lines = rows(",").splitlines(keepends=True)
    (in_folder / "part1.csv").write_text(header + "".join(lines[:3]))
    (in_folder / "part2.csv").write_text(header + "".join(lines[3:]))
    for given in ("part*.csv", ["part1.csv", "part2.csv"]):
        np.testing.assert_array_equal(read_training_table(given, "y").X, whole.X)
    (in_folder / "part3.csv").write_text("x,other,y\n1,2,3\n")
    with pytest.raises(InputError, match=r"part3\.csv has different columns"):
        read_training_table("part*.csv", "y")
    with pytest.raises(InputError, match=r"no file matches none\*\.csv"):
        read_training_table("none*.csv", "y")


def test_parquet_has_its_own_types():
    duckdb.execute(
        "COPY (SELECT DATE '2024-01-01' + (i * 40)::INTEGER AS d, i % 2 = 0 AS b, (i / 4)::DECIMAL(6, 2) AS n, "
        "18446744073709551000 + i::UBIGINT AS u, i * i + 0.5 AS y FROM range(40) r(i)) TO 't.parquet' (FORMAT parquet)"
    )
    found = read_table("t.parquet", "y")
    kinds = {kind.name: kind for kind in found.preparation.inputs}
    assert isinstance(kinds["d"], DateInput) and kinds["b"].categories == ("false", "true")
    assert isinstance(kinds["n"], NumberInput)
    assert any("'u'" in note and "beyond 2⁵³" in note for note in found.notes)


def test_look_tells_what_train_would_do():
    text = "id,when,size,y\n" + "".join(f"r{k}x,2024-01-{k + 1:02},{k if k else 'NA'},{k}.5\n" for k in range(12))
    table(text)
    found = look("t.csv", "y")
    assert {c.name: c.use for c in found.columns} == {"id": "left out", "when": "input", "size": "input", "y": "target"}
    size = next(c for c in found.columns if c.name == "size")
    assert (size.kind, size.missing, size.low, size.high, sum(size.histogram)) == ("number", 1, "1", "11", 11)
    when = next(c for c in found.columns if c.name == "when")
    assert (when.kind, when.low, when.high) == ("date", "2024-01-01", "2024-01-12")
    name = next(c for c in found.columns if c.name == "id")
    assert (name.kind, name.low, name.high, name.histogram, name.distinct, name.estimated) == (
        "",
        "",
        "",
        (),
        12,
        False,
    )
    assert look("t.csv").refusal == ""


@pytest.mark.parametrize("numbers", [[1, 2, 2, 3, 7, 11, 11, 10.5], [-5, -4, -1, 0, 0, -2.5], [0, 0.5, 20, 4, 4, 4]])
def test_look_counts_the_numbers_in_ten_parts_of_their_range(numbers):
    table("c,x,y\n" + "".join(f"{number},{k},{k * k}.5\n" for k, number in enumerate(numbers)) + ",0,7.5\n")
    found = {column.name: column for column in look("t.csv", "y").columns}["c"]
    assert list(found.histogram) == np.histogram(numbers, bins=10)[0].tolist()
    assert (found.distinct, found.missing) == (len(set(numbers)), 1)
    assert (float(found.low), float(found.high)) == (min(numbers), max(numbers))


def predicted(text, prepared: Preparation, **settings):
    with open("new.csv", "w") as file:  # noqa: PTH123
        file.write(text)
    with open_table("new.csv", None, prepared.dialect, [kind.name for kind in prepared.inputs]) as source:
        found = PredictionTable(source, prepared, **settings)
        return next(found.blocks()), found.check()


def test_new_rows_are_read_as_those_of_training():
    train = "city;size;when;y\n" + "".join(
        f"{('Bern', 'Basel')[k % 2]};{k},5;{k % 28 + 1}.{k % 3 + 1}.2024;{k * k}\n" for k in range(1, 30)
    )
    found = table(train)
    prepared = Preparation.from_dict(json.loads(json.dumps(found.preparation.to_dict())))
    assert prepared == found.preparation and prepared.dialect.delimiter == ";"
    block, counts = predicted(train, prepared, keep=["city"])
    np.testing.assert_array_equal(block.X, found.X)
    assert block.kept[0].tolist()[:2] == ["Basel", "Bern"] and counts.unusable == 0
    block, counts = predicted("city;size;when\nChur;;\nBern;big;1.2.2024\nBern;1;soon\n;2;1.2.2024\n", prepared)
    assert block.problems.tolist() == ["", "'size': 'big' is not a number", "'when': 'soon' is not a date", ""]
    assert counts.unknown == {"city": 1} and counts.unusable == 2
    assert counts.filled == {"city": 1, "size": 1, "when": 1}
    assert block.X[0, :2].tolist() == [0, 0]
    size = prepared.inputs[1]
    assert block.X[0, 2] == pytest.approx((size.fill - size.mean) / size.scale)


def test_a_long_table_is_predicted_in_blocks(monkeypatch):
    from backpath.files import predicting

    prepared = table(column([str(k) for k in range(50)])).preparation
    monkeypatch.setattr(predicting, "_SPOOLED", 100)
    monkeypatch.setattr(predicting, "_BLOCK", 1)
    duckdb.execute("COPY (SELECT i AS c FROM range(3500) r(i)) TO 'long.parquet' (FORMAT parquet)")
    with open_table("long.parquet") as source:
        blocks = [block.X[:, 0] for block in PredictionTable(source, prepared).blocks()]
    assert [len(block) for block in blocks] == [1000, 1000, 1000, 500]
    kind = prepared.inputs[0]
    np.testing.assert_allclose(np.concatenate(blocks) * kind.scale + kind.mean, np.arange(3500), atol=1e-9)


def test_a_wide_table_is_read_column_by_column():
    header = ",".join(f"g{k}" for k in range(300)) + ",y\n"
    values = np.arange(300 * 6).reshape(6, 300) % 17
    text = header + "".join(",".join(map(str, row)) + f",{k}.5\n" for k, row in enumerate(values.tolist()))
    found = table(text)
    np.testing.assert_array_equal(np.column_stack([c.values for c in found.columns]), values)


def test_a_dialect_keeps_what_is_given():
    assert Dialect(delimiter=" ").delimiter == "whitespace" and Dialect(delimiter="tab").delimiter == "\t"


ACCOUNTS = ["$15.03", "($2.10)", "$1,204.00", "$(7.5)", "($1,000.00)", "$3"]


def test_a_number_in_parentheses_is_negative_as_accountants_write_it():
    found = table(column([f'"{cell}"' for cell in ACCOUNTS]))
    raw = np.array([15.03, -2.1, 1204, -7.5, -1000, 3])
    np.testing.assert_allclose(found.X[:, 0], (raw - raw.mean()) / raw.std())
    assert found.notes[0].endswith(
        "'c' is read as numbers with ',' between thousands, '$' before and parentheses around negative ones"
    )
    again = Preparation.from_dict(json.loads(json.dumps(found.preparation.to_dict())))
    assert again.inputs == found.preparation.inputs


def test_cells_that_are_all_in_parentheses_are_text():
    found = table(column([f"({k % 3})" for k in range(9)]))
    assert isinstance(found.preparation.inputs[0], CategoryInput)


def test_forced_numbers_are_read_in_the_form_of_most_cells():
    cells = [f"${k}.5" for k in range(30)]
    text = "x,c\n" + "".join(f"{k * k},{cell}\n" for k, cell in enumerate([*cells, "n.v."]))
    for settings in ({}, {"task": "regression"}):
        message, options = refusal(text, "c", **settings)
        assert "column 'c': 1 cell of 31 cannot be read as a number, such as 'n.v.'" in message
        assert options == ("--numeric", "c")
    found = table(text, "c", numeric=["c"])
    assert found.labels.tolist() == [k + 0.5 for k in range(30)]
    message, options = refusal("x,c\n1,a\n2,b\n3,c\n", "c", numeric=["c"])
    assert message.endswith("none of its cells can be read as a number, such as 'a'; leave --numeric out")


def test_repeated_texts_among_numbers_or_dates_may_mean_missing():
    numbers = [str(20 + k) for k in range(40)] + ["n.v.", "see below"] * 12
    message, options = refusal(column(numbers))
    assert "column 'c': 40 numbers and 24 cells of text: 'n.v.' (12), 'see below' (12)" in message
    assert options == ("--na", "n.v.", "--na", "see below")
    found = table(column(numbers), na=["n.v.", "see below"])
    assert isinstance(found.preparation.inputs[0], NumberInput)
    days = [f"{1 + k % 28:02}.{1 + k % 12:02}.2024" for k in range(30)] + ["00.00.0000"] * 3
    message, options = refusal(column(days))
    assert "30 dates and 3 cells of text: '00.00.0000' (3)" in message and options == ("--na", "00.00.0000")
    assert isinstance(table(column(days), na=["00.00.0000"]).preparation.inputs[0], DateInput)
    seen = look("t.csv", "y")
    assert seen.options == options and seen.refusal == message


def test_a_number_that_perhaps_means_missing_and_one_that_counts_rows_are_noted():
    cells = [str(20 + k % 37) for k in range(60)] + ["-99"] * 3
    assert (
        "'c' is -99 in 3 rows and otherwise never below 0; --na -99 treats it as missing" in table(column(cells)).notes
    )
    cells[-3:] = ["999.0"] * 3
    assert (
        "'c' is 999.0 in 3 rows and otherwise never above 56; --na 999.0 treats it as missing"
        in table(column(cells)).notes
    )
    days = [f"2024-{1 + k % 12:02}-{1 + k % 28:02}" for k in range(60)] + ["9999-12-31"] * 3
    assert any(
        note.startswith("'c' is 9999-12-31 in 3 rows, far from all others") for note in table(column(days)).notes
    )
    text = "flat,size,y\n" + "".join(f"{k + 1},{k * k % 91},{k % 7}.5\n" for k in range(60))
    assert any(note.startswith("'flat' is a different number in each row") for note in table(text).notes)


def test_look_counts_different_numbers_exactly_and_says_what_the_target_becomes():
    counts = [
        n for n, times in enumerate((40, 60, 45, 30, 20, 12, 8, 5, 4, 3, 2, 2, 2, 1, 1, 1, 1)) for _ in range(times)
    ]
    table("c,y\n" + "".join(f"{k}.5,{n}\n" for k, n in enumerate(counts)))
    columns = {column.name: column for column in look("t.csv", "y").columns}
    assert (columns["c"].distinct, columns["y"].distinct) == (len(counts), 17)
    assert not columns["y"].estimated
    assert "treated as 17 classes" in columns["y"].says and "--cost poisson" in columns["y"].says
    table("c,y\n" + "".join(f"{k}.5,{k % 2}\n" for k in range(20)))
    assert "treated as 2 classes; --task regression treats it as a number" in look("t.csv", "y").columns[1].says


def test_true_and_false_are_the_same_however_a_new_table_spells_them():
    trained = table(column(["True", "False"] * 5))
    with open("new.csv", "w") as file:  # noqa: PTH123 - a name in the test's own folder
        file.write("c\ntrue\nFALSE\nTrue\n")
    with open_table("new.csv") as source:
        rows = PredictionTable(source, trained.preparation)
        X = np.concatenate([block.X for block in rows.blocks()])
    assert X.tolist() == [[0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([f"{k // 5 + 1}{'A' if k in (3, 4, 33) else ''}" for k in range(60)], "1A"),
        ([f"{k % 20 + 1}{'ABC'[k % 3] if k % 4 == 0 else ''}" for k in range(60)], "13A"),
    ],
)
def test_numbers_of_which_some_have_a_letter_are_codes(cells, code):
    found = table(column(cells))
    assert set(found.columns[0].categories) == set(cells)
    assert f"'c' holds codes such as '{code}', treated as text (--numeric treats them as numbers)" in found.notes


@pytest.mark.parametrize(
    "cells",
    [
        ["5", "7", "10A", "3"] * 15,  # perhaps amperes
        ["20C", "70F", "30", "21C"] * 15,
        [*[f"{k}.5" for k in range(58)], "5A", "5A"],
        [*[str(k) for k in range(58)], "5A", "6A"],  # too many different numbers for codes
    ],
)
def test_letters_that_may_be_units_are_refused(cells):
    assert "its numbers have different units" in refusal(column(cells))[0]
