"""Every invalid table ends in one plain line: what, file, line, column, value, and a remedy."""

import os

import duckdb
import pytest

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, NumberInput
from backpath.files.dialect import Dialect
from backpath.files.opening import open_table
from backpath.files.predicting import PredictionTable
from backpath.files.preparation import Preparation, Target
from backpath.files.tables import read_training_table as read

pytestmark = pytest.mark.usefixtures("in_folder")

HEADER = b"a,b,y\n"
ROWS = b"0,red,0\n1,green,1\n2,red,4\n3,green,9\n4,red,16\n"  # lines 2 to 6
GOOD = HEADER + ROWS
QUOTE = 'a quote (") is opened but not closed before the cell ends; close it, or write "" for a quote in a quoted cell'
CORRECT = "correct the row (a cell with ',' in it must be quoted)"
OTHERWISE = (
    "; correct it, or treat such cells as missing (--numeric 'a'), or the column as categories (--categorical 'a')"
)

BAD = {
    "empty file": (b"", "t.csv is empty; expected a header line and rows"),
    "header only": (HEADER, "t.csv holds a header but no rows; add rows below it"),
    "long row": (
        GOOD + b"5,red,25,1\n" + ROWS,
        f"t.csv, line 7: expected 3 cells as in the header, but found 4 cells; {CORRECT}",
    ),
    "short row": (
        GOOD + b"5\n" + ROWS,
        f"t.csv, line 7: expected 3 cells as in the header, but found 1 cell; {CORRECT}",
    ),
    "long first row": (
        HEADER + b"5,red,25,1\n" + ROWS,
        f"t.csv, line 2: expected 3 cells as in the header, but found 4 cells; {CORRECT}",
    ),
    "short first row": (
        HEADER + b"5,red\n" + ROWS,
        f"t.csv, line 2: expected 3 cells as in the header, but found 2 cells; {CORRECT}",
    ),
    "text in a number column": (
        GOOD + b"many,red,1\n" + ROWS,
        f"t.csv, line 7, column 'a': expected a finite number, but found 'many' (1 cell of 11){OTHERWISE}",
    ),
    "number in a text column": (
        GOOD + b"5,7,1\n" + ROWS,
        "t.csv, line 7, column 'b': '7' is a number among text; correct it, or treat the column's cells as categories "
        "(--categorical 'b')",
    ),
    "a thousands separator, or a decimal comma": (
        GOOD + b'"1,000",red,1\n' + ROWS,
        "t.csv, column 'a': its numbers can be read two ways: '1,000' is 1000 with --decimal '.' or 1 with "
        "--decimal ','",
    ),
    "an underscore in a number": (
        GOOD + b"1_000,red,1\n",
        f"t.csv, line 7, column 'a': expected a finite number, but found '1_000' (1 cell of 6){OTHERWISE}",
    ),
    "a number beyond all floats": (
        GOOD + b"1e999,red,1\n",
        f"t.csv, line 7, column 'a': expected a finite number, but found '1e999' (1 cell of 6){OTHERWISE}",
    ),
    "inf": (
        GOOD + b"5,red,-inf\n",
        "t.csv, line 7, column 'y': expected a finite number, but found '-inf' (1 cell of 6)"
        + OTHERWISE.replace("'a'", "'y'"),
    ),
    "a column of nan": (
        b"a,y\nnan,1\nNaN,2\n",
        "t.csv: nothing is left to learn from ('a': every cell is missing)",
    ),
    "two reasons": (
        b"a,b,y\n1,2,0\n2,x,1\n3,4,2\nz,5,3\n",
        "t.csv cannot be trained on, for 2 reasons: (1) line 5, column 'a': expected a finite number, but found 'z' "
        f"(1 cell of 4){OTHERWISE}; (2) line 3, column 'b': expected a finite number, but found 'x' (1 cell of 4)"
        + OTHERWISE.replace("'a'", "'b'"),
    ),
    "latin-1": (
        GOOD + "5,rød,1\n".encode("latin-1"),
        "t.csv, line 7: byte 0xf8 is not utf-8; try --encoding latin-1, or save the file as UTF-8",
    ),
    "utf-16 without its mark": (
        GOOD.decode().encode("utf-16-le"),
        "t.csv, line 1: every other byte is NUL, as in UTF-16; try --encoding utf-16-le or utf-16-be",
    ),
    "utf-16 with other letters": (  # 7 of 20 bytes are NUL
        "aбвгaa,aa\n".encode("utf-16-le"),
        "t.csv, line 1: every other byte is NUL, as in UTF-16; try --encoding utf-16-le or utf-16-be",
    ),
    "few NUL bytes": (  # less than a third
        b"a,b\0\0\n" * 2,
        "t.csv, line 1: a NUL byte; the file is damaged or not text, export it again",
    ),
    "NUL byte": (
        GOOD + b"5,re\0d,1\n",
        "t.csv, line 7: a NUL byte; the file is damaged or not text, export it again",
    ),
    "unclosed quote": (GOOD + b'5,"red,1\n' + ROWS, f"t.csv, line 7: {QUOTE}"),
    "unclosed quote before a quoted cell": (GOOD + b'5,"red,1\n6,"red",2\n', f"t.csv, line 7: {QUOTE}"),
    "text behind a quote": (HEADER + b'5,"red"x,1\n' + ROWS, f"t.csv, line 2: {QUOTE}"),
    "unclosed quote before much text": (
        HEADER + b'5,"red,1\n' + ROWS * 20_000,
        't.csv, line 2: a cell is longer than 131,072 characters; perhaps a quote (") is not closed',
    ),
    "a name of many characters": (
        b"a" * 140_000 + b",y\n0,1\n1,2\n",
        't.csv, line 1: a cell is longer than 131,072 characters; perhaps a quote (") is not closed',
    ),
    "a bad cell below a quoted line end": (
        HEADER + b'1,"re\nd",2\n2,blue,3\nmany,blue,5\n4,blue,5\n',
        f"t.csv, line 5, column 'a': expected a finite number, but found 'many' (1 cell of 4){OTHERWISE}",
    ),
    "a bad cell below blank lines": (
        HEADER + b"1,red,2\n\n\n2,blue,3\n4,red,7\nx,red,4\n8,red,4\n",
        f"t.csv, line 7, column 'a': expected a finite number, but found 'x' (1 cell of 5){OTHERWISE}",
    ),
    "two line ends": (
        b"a,b,y\n1,2,3\r\n2,3,4\n",
        "t.csv, line 2: the line ends with '\\r\\n', the lines before with '\\n'; make them the same",
    ),
    "duplicate names": (
        b"a,b,a,y\n1,2,3,4\n",
        "t.csv, line 1: columns 1 and 3 are both named 'a'; rename one of them, or leave the later one out as "
        "'a (column 3)' (--ignore; --keep-column keeps both)",
    ),
    "a line end in a name": (
        b'a,"b\r",y\n1,2,3\n2,3,4\n',
        "t.csv, line 1: the name 'b\\r' of column 2 contains a line break; rename it",
    ),
    "blank header": (b"\n" + GOOD, "t.csv, line 1: the line is blank; expected the column names"),
    "missing target, near": (b"a,Y \n1,2\n", "t.csv has no column 'y' to predict; did you mean 'Y '?"),
    "missing target": (b"a,b\n1,2\n", "t.csv has no column 'y' to predict; its columns are 'a', 'b'"),
    "one class": (
        b"a,y\n1,up\n2,up\n",
        "t.csv, column 'y': every row is of the same class, 'up'; there must be at least two",
    ),
    "constant target": (
        b"a,y\n1,7\n2,7\n",
        "t.csv, column 'y': the target is 7 in every row; there is nothing to learn",
    ),
    "constant columns": (
        b"a,b,y\nred,5,1\nred,5,2\n",
        "t.csv: nothing is left to learn from ('a': the same in every row; 'b': the same in every row)",
    ),
    "a name for each row": (
        b"a,y\n" + b"".join(b"name%dx,%d\n" % (k, k) for k in range(100)),
        "t.csv: nothing is left to learn from ('a': a different text in each row)",
    ),
    "one row": (HEADER + b"1,red,2\n", "t.csv holds 1 row; training needs at least 2"),
    "one column": (b"y\n1\n2\n", "t.csv has no column but the target 'y'; there must be one to learn from"),
    "gzip": (
        b"\x1f\x8b\x08\x00",
        "t.csv cannot be unpacked: Compressed file ended before the end-of-stream marker was reached; the file is "
        "damaged or truncated",
    ),
    "a spreadsheet": (
        b"PK\x03\x04\x00",
        "t.csv is a zip archive, but not a spreadsheet that can be read (Cannot detect file format); export it as CSV",
    ),
    "broken Parquet": (b"PAR1 and no more", None),
}


def read_training_table(path, target, dialect=None, **choices):
    return read(path, target, Choices(**choices), dialect)


def read_prediction_table(path, prepared, dialect=None):
    with open_table(path, dialect) as source:
        return PredictionTable(source, prepared).check(refuse_unknown=True, strict=True)


def refusal(read, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        read(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_in_one_line(in_folder, name):
    content, expected = BAD[name]
    (in_folder / "t.csv").write_bytes(content)
    message = refusal(read_training_table, "t.csv", "y")
    if expected is None:
        assert message.startswith("t.csv cannot be read as Parquet: ")
    else:
        assert message == expected
    assert [path.name for path in in_folder.iterdir()] == ["t.csv"]


def test_the_good_table_is_read(in_folder):
    (in_folder / "t.csv").write_bytes(GOOD)
    assert read_training_table("t.csv", "y").rows == 5


def test_paths_that_are_no_file():
    assert refusal(read_training_table, "no.csv", "y") == "there is no file no.csv; check the path"
    assert (
        refusal(read_training_table, ".", "y") == ". is a folder; give a table: CSV, Parquet, JSON lines or .xlsx in it"
    )
    assert refusal(read_training_table, os.devnull, "y").startswith(f"{os.devnull} is not a regular file")
    assert "cannot be the path of a file" in refusal(read_training_table, 5, "y")


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root, or a user of Windows, reads every file")
def test_a_file_without_permission(in_folder):
    (in_folder / "t.csv").write_bytes(GOOD)
    (in_folder / "t.csv").chmod(0)
    assert refusal(read_training_table, "t.csv", "y") == "t.csv cannot be read: Permission denied"


def test_options_that_do_not_fit_the_table(in_folder):
    (in_folder / "t.csv").write_bytes(GOOD)
    assert "no column 'c' to take as categories" in refusal(read_training_table, "t.csv", "y", categorical=["c"])
    assert "no column 'c' to ignore" in refusal(read_training_table, "t.csv", "y", ignore=["c"])
    assert "both the target and ignored" in refusal(read_training_table, "t.csv", "y", ignore=["y"])
    assert "no column but the target" in refusal(read_training_table, "t.csv", "y", ignore=["a", "b"])
    assert "must be regression or classification" in refusal(read_training_table, "t.csv", "y", task="guess")
    assert refusal(read_training_table, "t.csv", "b", task="regression") == (
        "t.csv, column 'b': the target holds text ('red'), so the task cannot be regression; leave --task out"
    )
    many = b"a,y\n" + b"".join(b"%d,%d.5\n" % (k * k, k) for k in range(50))
    (in_folder / "t.csv").write_bytes(many)
    assert refusal(read_training_table, "t.csv", "y", task="classification") == (
        "t.csv, column 'y': 50 different values in 50 rows are too many for classes; give a target with few, "
        "or --task regression if they are numbers"
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"delimiter": ""}, "the delimiter must be one character"),
        ({"delimiter": ",,"}, "the delimiter must be one character"),
        ({"delimiter": '"'}, "the delimiter must be one character"),
        ({"delimiter": "é"}, "the delimiter must be one character"),
        ({"decimal": ";"}, "the decimal mark must be '.' or ','"),
        ({"decimal": ",", "delimiter": ","}, "the delimiter and the decimal mark are both ','"),
        ({"encoding": "klingon"}, "unknown encoding 'klingon'; try utf-8, utf-16, latin-1"),
        ({"encoding": "base64"}, "unknown encoding 'base64'"),
    ],
)
def test_an_invalid_dialect(settings, expected):
    assert refusal(Dialect, **settings).startswith(expected)


def test_a_wrong_encoding_names_the_line(in_folder):
    (in_folder / "t.csv").write_bytes(GOOD + "5,rød,1\n".encode("latin-1"))
    assert refusal(read_training_table, "t.csv", "y", dialect=Dialect(encoding="ascii")) == (
        "t.csv, line 7: byte 0xf8 is not ascii; try another --encoding"
    )
    message = refusal(read_training_table, "t.csv", "y", dialect=Dialect(encoding="utf-16"))
    assert message.startswith("t.csv") and "is not utf-16" in message


PREPARED = Preparation(
    (NumberInput("a", 2.0, 1.0), CategoryInput("b", ("green", "red"))), Target("y", "regression", 6.0, 3.0)
)
NOT_STRICT = "; correct it, or leave --strict out"
BAD_TO_PREDICT = {
    "missing column": (
        b"a,B2\n1,red\n",
        "t.csv has no column 'b' which the model was trained with; did you mean 'B2'?",
    ),
    "no near column": (
        b"a,colour\n1,red\n",
        "t.csv has no column 'b' which the model was trained with; its columns are 'a', 'colour'",
    ),
    "new category": (
        b"b,a\nred,1\ngreen,2\nblue,3\n",
        "t.csv, line 4, column 'b': 'blue' was not among the categories in training, which were 'green', 'red'; "
        "correct it, train again with rows that have it, or leave --unknown refuse out",
    ),
    "text for a number": (
        b"b,a\nred,1\ngreen,x\n",
        f"t.csv, line 3: 'a': 'x' is not a number{NOT_STRICT}",
    ),
    "blank number": (b"b,a\nred,\n", f"t.csv, line 2: 'a' is missing{NOT_STRICT}"),
    "infinite number": (
        b"a,b\n1e400,red\n",
        f"t.csv, line 2: 'a': '1e400' is not a number{NOT_STRICT}",
    ),
    "header only": (b"a,b\n", "t.csv holds a header but no rows; add rows below it"),
    "empty": (b"", "t.csv is empty; expected a header line and rows"),
    "short row": (b"a,b\n1\n", f"t.csv, line 2: expected 2 cells as in the header, but found 1 cell; {CORRECT}"),
}


@pytest.mark.parametrize("name", BAD_TO_PREDICT)
def test_a_bad_table_to_predict_is_refused_in_one_line(in_folder, name):
    content, expected = BAD_TO_PREDICT[name]
    (in_folder / "t.csv").write_bytes(content)
    assert refusal(read_prediction_table, "t.csv", PREPARED) == expected


def test_known_categories_are_abbreviated(in_folder):
    (in_folder / "t.csv").write_bytes(b"b\nz\n")
    prepared = Preparation((CategoryInput("b", tuple(f"k{i}" for i in range(100))),), PREPARED.target)
    assert "'k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7' … (100 in all)" in refusal(
        read_prediction_table, "t.csv", prepared
    )


BAD_PARQUET = {
    "inf": ("SELECT * FROM (VALUES (1, 2::DOUBLE), (3, 'inf')) t(a, y)", "row 2, column 'y': expected a finite number"),
    "list": (
        "SELECT [1, 2] AS a, i AS y FROM range(3) r(i)",
        "column 'a': is of type INTEGER[]; expected numbers or text",
    ),
    "struct": ("SELECT {'p': 1} AS a, i AS y FROM range(3) r(i)", "column 'a': is of type STRUCT"),
    "mixture": (
        "SELECT * FROM (VALUES ('1', 2), ('2', 3), ('x', 4)) t(a, y)",
        "row 3, column 'a': expected a finite number, but found 'x'",
    ),
    "constant": ("SELECT * FROM (VALUES (1, 2), (1, 3)) t(a, y)", "('a': the same in every row)"),
    "no rows": ("SELECT 1 AS a, 2 AS y WHERE false", "holds a header but no rows"),
    "one row": ("SELECT 1 AS a, 2 AS y", "holds 1 row"),
    "no target": ("SELECT 1 AS a, 2 AS b", "has no column 'y' to predict"),
}


@pytest.mark.parametrize("name", BAD_PARQUET)
def test_a_bad_parquet_table_is_refused_with_its_row(name):
    query, expected = BAD_PARQUET[name]
    duckdb.execute(f"COPY ({query}) TO 't.parquet' (FORMAT parquet)")
    message = refusal(read_training_table, "t.parquet", "y")
    assert message.startswith("t.parquet") and expected in message


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(("bad", "what"), [(b"\xf8", "byte 0xf8 is not utf-8"), (b"\0", "a NUL byte")])
def test_a_bad_byte_is_found_on_its_line_whatever_ends_the_lines(tmp_path, end, bad, what):
    """The line is the seventh, and again the first after a block of the reader's size."""
    for before in (6, 400_000):
        path = tmp_path / "t.csv"
        path.write_bytes(b"a,b" + end + (b"1,2" + end) * (before - 1) + b"1," + bad + end)
        with pytest.raises(InputError) as caught:
            read_training_table(path, "b")
        assert f"t.csv, line {before + 1:,}: {what}".replace(",", "") in str(caught.value).replace(",", "")
