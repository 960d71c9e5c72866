"""Every table that is not what it should be ends in one plain line: what, file, line, column, value, what would do."""

import os

import duckdb
import pytest

from backpath.errors import InputError
from backpath.files.dialect import Dialect
from backpath.files.preparation import CategoryInput, NumberInput, Preparation, Target
from backpath.files.tables import read_prediction_table, read_training_table

HEADER = b"a,b,y\n"
ROWS = b"0,red,0\n1,green,1\n2,red,4\n3,green,9\n4,red,16\n"  # lines 2 to 6
GOOD = HEADER + ROWS
QUOTE = 'a quote (") is opened but not closed before the cell ends; close it, or write "" for a quote in a quoted cell'
MEND = "mend the row (a cell with ',' in it must be quoted)"
AS_CATEGORIES = ", or take the column's cells as categories (--categorical 'a')"

BAD = {
    "empty file": (b"", "t.csv is empty; expected a header line and rows"),
    "header only": (HEADER, "t.csv holds a header but no rows; add rows below it"),
    "long row": (
        GOOD + b"5,red,25,1\n" + ROWS,
        f"t.csv, line 7: expected 3 cells as in the header, but found 4 cells; {MEND}",
    ),
    "short row": (
        GOOD + b"5\n" + ROWS,
        f"t.csv, line 7: expected 3 cells as in the header, but found 1 cell; {MEND}",
    ),
    "long first row": (
        HEADER + b"5,red,25,1\n" + ROWS,
        f"t.csv, line 2: expected 3 cells as in the header, but found 4 cells; {MEND}",
    ),
    "short first row": (
        HEADER + b"5,red\n" + ROWS,
        f"t.csv, line 2: expected 3 cells as in the header, but found 2 cells; {MEND}",
    ),
    "text in a number column": (
        GOOD + b"many,red,1\n" + ROWS,
        "t.csv, line 7, column 'a': expected a finite number, but found 'many'; correct it or leave the row out"
        + AS_CATEGORIES,
    ),
    "number in a text column": (
        GOOD + b"5,7,1\n" + ROWS,
        "t.csv, line 7, column 'b': '7' is a number among text; correct it, or take the column's cells as categories "
        "(--categorical 'b')",
    ),
    "a thousands separator": (
        GOOD + b'"1,000",red,1\n' + ROWS,
        "t.csv, line 7, column 'a': expected a finite number, but found '1,000'; write it without the thousands "
        "separators" + AS_CATEGORIES,
    ),
    "thousands separators in every row": (
        b'a,y\n"1,000",2\n"2,000",3\n',
        "t.csv, line 2, column 'a': expected a finite number, but found '1,000'; write it without the thousands "
        "separators" + AS_CATEGORIES,
    ),
    "a decimal comma": (
        b'a,y\n1,2\n2,3\n"1,5",2\n',
        "t.csv, line 4, column 'a': expected a finite number, but found '1,5'; if ',' is the decimal mark, try "
        "--decimal ','" + AS_CATEGORIES,
    ),
    "an underscore in a number": (
        GOOD + b"1_000,red,1\n",
        "t.csv, line 7, column 'a': expected a finite number, but found '1_000'; correct it or leave the row out"
        + AS_CATEGORIES,
    ),
    "a number beyond all floats": (
        GOOD + b"1e999,red,1\n",
        "t.csv, line 7, column 'a': expected a finite number, but found '1e999'; correct it or leave the row out",
    ),
    "nan": (
        GOOD + b"nan,red,1\n",
        "t.csv, line 7, column 'a': expected a finite number, but found 'nan'; correct it or leave the row out",
    ),
    "inf": (
        GOOD + b"5,red,-inf\n",
        "t.csv, line 7, column 'y': expected a finite number, but found '-inf'; correct it or leave the row out",
    ),
    "a column of nan": (
        b"a,y\nnan,1\nNaN,2\n",
        "t.csv, line 2, column 'a': expected a finite number, but found 'nan'; correct it or leave the row out",
    ),
    "blank number": (
        GOOD + b",red,1\n",
        "t.csv, line 7, column 'a': the cell is blank; fill it in, or leave the row out",
    ),
    "blank category": (
        GOOD + b"5,,1\n",
        "t.csv, line 7, column 'b': the cell is blank; fill it in, or leave the row out",
    ),
    "quoted blank": (
        GOOD + b'5,red,"  "\n',
        "t.csv, line 7, column 'y': the cell is blank; fill it in, or leave the row out",
    ),
    "latin-1": (
        GOOD + "5,rød,1\n".encode("latin-1"),
        "t.csv, line 7: byte 0xf8 is not utf-8; try --encoding latin-1, or save the file as UTF-8",
    ),
    "utf-16": (
        GOOD.decode().encode("utf-16"),
        "t.csv, line 1: the file is UTF-16, not UTF-8; try --encoding utf-16",
    ),
    "utf-16 without its mark": (
        GOOD.decode().encode("utf-16-le"),
        "t.csv, line 1: every other byte is NUL, as in UTF-16; try --encoding utf-16-le or utf-16-be",
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
    "a bad cell below a quoted line end": (
        HEADER + b'1,"re\nd",2\n2,blue,3\nmany,blue,5\n4,blue,5\n',
        "t.csv, line 5, column 'a': expected a finite number, but found 'many'; correct it or leave the row out"
        + AS_CATEGORIES,
    ),
    "a bad cell below blank lines": (
        HEADER + b"1,red,2\n\n\n2,blue,3\n3,,4\n",
        "t.csv, line 6, column 'b': the cell is blank; fill it in, or leave the row out",
    ),
    "two line ends": (
        b"a,b,y\n1,2,3\r\n2,3,4\n",
        "t.csv, line 2: the line ends with '\\r\\n', the lines before with '\\n'; make them the same",
    ),
    "duplicate names": (
        b"a,b,a,y\n1,2,3,4\n",
        "t.csv, line 1: columns 1 and 3 are both named 'a'; rename one of them",
    ),
    "blank name": (
        b",a,y\n0,1,2\n1,2,3\n",
        "t.csv, line 1: column 1 has no name; name it, or leave it out (pandas: to_csv(…, index=False))",
    ),
    "a line end in a name": (
        b'a,"b\r",y\n1,2,3\n2,3,4\n',
        "t.csv, line 1: the name 'b\\r' of column 2 holds a line end; rename it",
    ),
    "blank header": (b"\n" + GOOD, "t.csv, line 1: the line is blank; expected the column names"),
    "semicolons": (
        b"a;b;y\n1;2;3\n",
        "t.csv, line 1: the header holds one column, 'a;b;y'; if ';' separates its columns, try --delimiter ';'",
    ),
    "tabs": (
        b"a\tb\ty\n1\t2\t3\n",
        "t.csv, line 1: the header holds one column, 'a\\tb\\ty'; if a tab separates its columns, try "
        "--delimiter '\\t'",
    ),
    "missing target, near": (b"a,Y \n1,2\n", "t.csv has no column 'y' to be the target; did you mean 'Y '?"),
    "missing target": (b"a,b\n1,2\n", "t.csv has no column 'y' to be the target; its columns are 'a', 'b'"),
    "one class": (
        b"a,y\n1,up\n2,up\n",
        "t.csv, column 'y': every row is of the same class, 'up'; there must be at least two",
    ),
    "constant target": (
        b"a,y\n1,7\n2,7\n",
        "t.csv, column 'y': the target is 7 in every row; there is nothing to learn",
    ),
    "constant column": (
        b"a,b,y\n1,5,1\n2,5,2\n",
        "t.csv, column 'b': every row holds the same, so nothing can be learnt from it; leave it out (--ignore 'b')",
    ),
    "constant columns": (
        b"a,b,c,y\nred,5,1,1\nred,5,2,2\n",
        "t.csv, columns 'a', 'b': every row holds the same, so nothing can be learnt from it; leave it out "
        "(--ignore 'a' --ignore 'b')",
    ),
    "a name for each row": (
        b"a,y\n" + b"".join(b"name%dx,%d\n" % (k, k) for k in range(100)),
        "t.csv, column 'a': about 100 different values in 100 rows are too many for categories; leave the column out "
        "(--ignore 'a')",
    ),
    "one row": (HEADER + b"1,red,2\n", "t.csv holds 1 row; training needs at least 2"),
    "one column": (b"y\n1\n2\n", "t.csv has no column but the target 'y'; there must be one to learn from"),
    "gzip": (b"\x1f\x8b\x08\x00", "t.csv is not a CSV file but compressed with gzip; unpack it first"),
    "a spreadsheet": (
        b"PK\x03\x04\x00",
        "t.csv is not a CSV file but a zip archive or a spreadsheet; export it as CSV",
    ),
    "broken Parquet": (b"PAR1 and no more", None),
}


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    assert refusal(read_training_table, ".", "y") == ". is a folder; give a CSV or Parquet file in it"
    assert refusal(read_training_table, "/dev/null", "y").startswith("/dev/null is not a regular file")
    assert "cannot be the path of a file" in refusal(read_training_table, 5, "y")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
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
        "t.csv, line 2, column 'b': the target holds text ('red'), so it cannot be regression; drop --task"
    )
    many = b"a,y\n" + b"".join(b"%d,%d.5\n" % (k * k, k) for k in range(50))
    (in_folder / "t.csv").write_bytes(many)
    assert refusal(read_training_table, "t.csv", "y", task="classification") == (
        "t.csv, column 'y': about 50 different values in 50 rows are too many for classes; give a target with few, "
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
        ({"decimal": ","}, "the delimiter and the decimal mark are both ','"),
        ({"encoding": "klingon"}, "unknown encoding 'klingon'; try utf-8, utf-16, latin-1"),
        ({"encoding": "base64"}, "unknown encoding 'base64'"),
    ],
)
def test_a_dialect_that_is_none(settings, expected):
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
        "correct it, or train again with rows that have it",
    ),
    "text for a number": (
        b"b,a\nred,1\ngreen,x\n",
        "t.csv, line 3, column 'a': expected a finite number, but found 'x'; correct it or leave the row out",
    ),
    "blank category": (
        b"b,a\nred,1\n,2\n",
        "t.csv, line 3, column 'b': the cell is blank; fill it in, or leave the row out",
    ),
    "blank number": (b"b,a\nred,\n", "t.csv, line 2, column 'a': the cell is blank; fill it in, or leave the row out"),
    "infinite number": (
        b"a,b\n1e400,red\n",
        "t.csv, line 2, column 'a': expected a finite number, but found '1e400'; correct it or leave the row out",
    ),
    "header only": (b"a,b\n", "t.csv holds a header but no rows; add rows below it"),
    "empty": (b"", "t.csv is empty; expected a header line and rows"),
    "short row": (b"a,b\n1\n", f"t.csv, line 2: expected 2 cells as in the header, but found 1 cell; {MEND}"),
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
    "null": ("SELECT * FROM (VALUES (1, 2), (NULL, 3)) t(a, y)", "row 2, column 'a': the cell is blank"),
    "nan": ("SELECT * FROM (VALUES (1::DOUBLE, 2), ('nan', 3)) t(a, y)", "row 2, column 'a': expected a finite number"),
    "inf": ("SELECT * FROM (VALUES (1, 2::DOUBLE), (3, 'inf')) t(a, y)", "row 2, column 'y': expected a finite number"),
    "date": ("SELECT DATE '2024-01-01' AS a, 1 AS y", "column 'a': is of type DATE; expected numbers or text"),
    "list": ("SELECT [1, 2] AS a, 1 AS y", "column 'a': is of type INTEGER[]; expected numbers or text"),
    "struct": ("SELECT {'p': 1} AS a, 1 AS y", "column 'a': is of type STRUCT"),
    "mixture": (
        "SELECT * FROM (VALUES ('1', 2), ('2', 3), ('x', 4)) t(a, y)",
        "row 3, column 'a': expected a finite number, but found 'x'",
    ),
    "constant": ("SELECT * FROM (VALUES (1, 2), (1, 3)) t(a, y)", "column 'a': every row holds the same"),
    "no rows": ("SELECT 1 AS a, 2 AS y WHERE false", "holds a header but no rows"),
    "one row": ("SELECT 1 AS a, 2 AS y", "holds 1 row"),
    "no target": ("SELECT 1 AS a, 2 AS b", "has no column 'y' to be the target"),
}


@pytest.mark.parametrize("name", BAD_PARQUET)
def test_a_bad_parquet_table_is_refused_with_its_row(name):
    query, expected = BAD_PARQUET[name]
    duckdb.execute(f"COPY ({query}) TO 't.parquet' (FORMAT parquet)")
    message = refusal(read_training_table, "t.parquet", "y")
    assert message.startswith("t.parquet") and expected in message
