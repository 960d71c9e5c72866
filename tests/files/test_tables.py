"""Tables are read exactly: every number, category and name, whatever the file and its columns are called."""

import csv
import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput, NumberInput
from backpath.files.column_values import Categories, Numbers
from backpath.files.dialect import Dialect
from backpath.files.forms import MISSING_TEXTS
from backpath.files.opening import open_table
from backpath.files.predicting import PredictionTable
from backpath.files.tables import TrainingTable
from backpath.files.tables import read_training_table as read
from commands import needs_posix

STRANGE_NAMES = [
    'x"; DROP TABLE t; --',
    "x'); SELECT 1; --",
    "$path",
    "{table}",
    "<script>alert(1)</script>",
    "😀 Größe",
    "c0",
    "C0",
    "a,b",
    "%s",
    "../x",
    "row",
    "value",
]
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=1, max_size=12).filter(
    lambda name: name.strip() and not name.startswith("\ufeff")
)


def read_training_table(path, target, dialect=None, **choices):
    return read(path, target, Choices(**choices), dialect)


def read_prediction_table(path, prepared):
    with open_table(path, wanted=[kind.name for kind in prepared.inputs]) as source:
        return np.vstack([block.X for block in PredictionTable(source, prepared).blocks()])


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return path


def column(table, name):
    return next(c for c in (*table.columns, table.target) if c.name == name)


@given(st.data())
def test_numbers_and_names_are_read_exactly(tmp_path_factory, data):
    header = data.draw(st.lists(names, min_size=2, max_size=5, unique=True))
    rows = data.draw(st.lists(st.tuples(*[numbers] * len(header)), min_size=2, max_size=20))
    rows += [(0.25,) * len(header), (0.75,) * len(header)]  # no column is constant
    path = write(tmp_path_factory.mktemp("t") / "t.csv", [header, *[[repr(v) for v in row] for row in rows]])
    table = read_training_table(path, header[-1], Dialect(header=True), task="regression")
    assert [c.name for c in table.columns] == header[:-1]
    for k, name in enumerate(header):
        np.testing.assert_array_equal(column(table, name).values, [float(row[k]) for row in rows])


@given(st.lists(names | st.sampled_from(['"', "a\nb", "a\r\nb", 'say ""', "1,5", " x ", ";"]), min_size=2, max_size=20))
def test_categories_are_read_exactly(tmp_path_factory, cells):
    cells = [cell for cell in cells if cell.strip().lower() not in (*MISSING_TEXTS, "-", "none")] + ["one", "two"]
    path = write(tmp_path_factory.mktemp("t") / "t.csv", [["k", "y"], *[[cell, k] for k, cell in enumerate(cells)]])
    kinds = read_training_table(path, "y", categorical=["k"]).columns[0]
    assert [kinds.categories[code] for code in kinds.values] == cells


def test_names_never_reach_the_queries(tmp_path):
    path = write(
        tmp_path / "t.csv",
        [[*STRANGE_NAMES, "y"], *[[i * k for k in range(1, len(STRANGE_NAMES) + 2)] for i in range(3)]],
    )
    table = read_training_table(path, "y", categorical=[STRANGE_NAMES[0]])
    assert [c.name for c in table.columns] == STRANGE_NAMES
    assert column(table, STRANGE_NAMES[0]).categories == ("0", "1", "2")
    assert column(table, "C0").values.tolist() == [0, 8, 16]
    *_, prepared = table.split(0)
    assert read_prediction_table(path, prepared).shape == (3, len(STRANGE_NAMES) + 2)
    others = [name for name in STRANGE_NAMES if name != "C0"]  # which DuckDB renames when it writes c0 beside it
    quoted = ", ".join('i * {} AS "{}"'.format(k, n.replace('"', '""')) for k, n in enumerate(others, 1))
    parquet = str(tmp_path / "t.parquet")
    duckdb.execute(f"COPY (SELECT {quoted}, i AS y FROM range(3) r(i)) TO '{parquet}' (FORMAT parquet)")
    assert [c.name for c in read_training_table(parquet, "y").columns] == others


def test_categories_never_reach_the_queries(tmp_path):
    cells = ["'); DROP TABLE t; --", '"', "$k0", "{table}", "<b>", "😀", "two\nlines"]
    path = write(tmp_path / "t.csv", [["kind", "y"], *[[cell, k] for k, cell in enumerate(cells)]])
    table = read_training_table(path, "y", keep=("kind",))
    kinds = column(table, "kind")
    assert kinds.categories == tuple(sorted(cells))
    assert [kinds.categories[code] for code in kinds.values] == cells
    *_, prepared = table.split(0)
    assert read_prediction_table(path, prepared).argmax(axis=1).tolist() == kinds.values.tolist()


@pytest.mark.parametrize(
    "name",
    [
        *("a[1].csv", "a'b.csv", "$path.csv", "{x}.csv", "ü .csv"),
        *(pytest.param(name, marks=needs_posix) for name in ("a*b.csv", "a?b.csv", "a\\b.csv")),
    ],
)
def test_a_path_is_never_a_pattern(tmp_path, name):
    write(tmp_path / "a-b.csv", [["other"], [1]])
    write(tmp_path / "a1.csv", [["other"], [1]])
    path = write(tmp_path / name, [["x", "y"], [1, 2], [3, 4]])
    assert read_training_table(path, "y").rows == 2


def test_a_folder_name_adds_no_column(tmp_path):
    (tmp_path / "year=2024").mkdir()
    path = write(tmp_path / "year=2024" / "t.csv", [["x", "y"], [1, 2], [3, 4]])
    assert [c.name for c in read_training_table(path, "y").columns] == ["x"]


@pytest.mark.parametrize(
    ("encoding", "dialect"),
    [
        ("utf-8", Dialect()),
        ("utf-8-sig", Dialect()),
        ("utf-16", Dialect(encoding="utf-16")),
        ("utf-16-be", Dialect(encoding="utf-16-be")),
        ("latin-1", Dialect(encoding="latin-1")),
        ("cp1252", Dialect(encoding="cp1252")),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, dialect, end):
    (tmp_path / "t.csv").write_bytes(f'größe,y{end}" 1.5",é{end}2,"ü ö"{end}'.encode(encoding))
    table = read_training_table(tmp_path / "t.csv", "y", dialect=dialect)
    assert table.columns[0].name == "größe" and table.columns[0].values.tolist() == [1.5, 2.0]
    assert table.target.categories == ("é", "ü ö")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("row", "message"), [("many,2", "line 22, column 'x': .*'many'"), ("3,4,5", "line 22: expected 2 cells")]
)
def test_a_bad_row_is_found_on_its_line_whatever_ends_the_lines(tmp_path, end, row, message):
    lines = ["x,y", *(f"{k},{k * k}.5" for k in range(20)), row, "3,4", ""]
    (tmp_path / "t.csv").write_bytes(end.join(lines).encode())
    with pytest.raises(InputError, match=message):
        read_training_table(tmp_path / "t.csv", "y")


@pytest.mark.parametrize("delimiter", [";", "\t", "\\t", "|"])
def test_delimiters_and_the_decimal_comma(tmp_path, delimiter):
    mark = "\t" if delimiter == "\\t" else delimiter
    (tmp_path / "t.csv").write_text(f"x{mark}y\n1,5{mark}-2,25e1\n3{mark},5\n")
    table = read_training_table(tmp_path / "t.csv", "y", dialect=Dialect(delimiter=delimiter, decimal=","))
    assert table.columns[0].values.tolist() == [1.5, 3.0] and table.target.values.tolist() == [-22.5, 0.5]


def test_a_decimal_comma_makes_the_point_no_number(tmp_path):
    (tmp_path / "t.csv").write_text("x;y\n1,5;1\n2,5;2\n1.5;3\n")
    with pytest.raises(InputError, match=r"line 4, column 'x': expected a finite number, but found '1\.5'"):
        read_training_table(tmp_path / "t.csv", "y", dialect=Dialect(";", decimal=","))


def test_rows_keep_their_order_in_a_file_of_many_blocks(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=200_000)
    path = write(
        tmp_path / "t.csv", [["x", "kind", "y"], *[[repr(v), "ab"[v > 0], k] for k, v in enumerate(values.tolist())]]
    )
    assert path.stat().st_size > 4_000_000  # more than one of the blocks that are read at once
    table = read_training_table(path, "y")
    np.testing.assert_array_equal(table.columns[0].values, values)
    np.testing.assert_array_equal(table.columns[1].values, values > 0)
    np.testing.assert_array_equal(table.target.values, np.arange(200_000))


def test_rows_keep_their_order_with_many_words_for_missing_cells(tmp_path):
    """Columns are read in several queries, by several threads: each must give the rows in the file's order."""
    path, rows = tmp_path / "t.csv", 200_000  # too large to be kept in memory as text
    duckdb.sql(
        f"COPY (SELECT {', '.join(f'{k} * range + {k} AS x{k}' for k in range(1, 16))} FROM range({rows})) "
        f"TO '{path}' (HEADER)"
    )
    assert path.stat().st_size > 16_000_000
    table = read_training_table(path, "x15", Dialect(missing=("-1", "-2", "-3", "-4", "-5")))
    for k, column in enumerate((*table.columns, table.target), 1):
        np.testing.assert_array_equal(column.values, k * np.arange(rows) + k)


def test_parquet_types(tmp_path):
    path = str(tmp_path / "t.parquet")
    duckdb.execute(
        "COPY (SELECT i::UTINYINT AS u, (i / 4)::DECIMAL(6, 2) AS d, i::FLOAT AS f, i % 2 = 0 AS b, "
        f"('k' || i % 3) AS t, i::HUGEINT AS h, i AS y FROM range(6) r(i)) TO '{path}' (FORMAT parquet)"
    )
    table = read_training_table(path, "y")
    assert column(table, "u").values.tolist() == column(table, "h").values.tolist() == [0, 1, 2, 3, 4, 5]
    assert column(table, "d").values.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert column(table, "b").categories == ("false", "true") and column(table, "b").values.tolist() == [
        1,
        0,
        1,
        0,
        1,
        0,
    ]
    assert column(table, "t").values.tolist() == [0, 1, 2, 0, 1, 2]


def test_csv_and_parquet_give_the_same(tmp_path):
    csv_path, parquet = str(tmp_path / "t.csv"), str(tmp_path / "t.parquet")
    query = "SELECT i * 0.1 AS x, 'k' || i % 3 AS k, (i * i)::DOUBLE AS y FROM range(50) r(i)"
    duckdb.execute(f"COPY ({query}) TO '{csv_path}' (FORMAT csv, HEADER)")
    duckdb.execute(f"COPY ({query}) TO '{parquet}' (FORMAT parquet)")
    for mine, theirs in zip(
        read_training_table(csv_path, "y").split(0.2, 3), read_training_table(parquet, "y").split(0.2, 3), strict=True
    ):
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs)
        else:
            assert (mine.inputs, mine.target) == (theirs.inputs, theirs.target)


@pytest.mark.parametrize(
    ("cells", "task", "expected"),
    [
        (["no", "yes", "no"], None, ("binary", ("no", "yes"))),
        (["b", "c", "a"], None, ("multiclass", ("a", "b", "c"))),
        (["1", "0", "0"], None, ("binary", ("0", "1"))),
        (["1", "2", "1"], None, ("regression", ())),
        (["1", "2.5", "1"], "classification", ("binary", ("1", "2.5"))),
        (["10", "9", "1e1", "2"], "classification", ("multiclass", ("2", "9", "10"))),
        (["0", "1", "1"], "regression", ("regression", ())),
    ],
)
def test_the_target_decides_the_task_unless_it_is_forced(tmp_path, cells, task, expected):
    path = write(tmp_path / "t.csv", [["x", "y"], *[[k, cell] for k, cell in enumerate(cells)]])
    *_, prepared = read_training_table(path, "y", task=task).split(0)
    assert (prepared.target.task, prepared.target.classes) == expected


def test_a_target_of_few_whole_numbers_is_classes_and_that_is_reported(tmp_path):
    path = write(tmp_path / "t.csv", [["x", "y"], *[[k, k % 3] for k in range(60)]])
    table = read_training_table(path, "y")
    assert table.notes == (
        "target 'y' has 3 different whole numbers and is treated as classes; --task regression treats it as a number",
    )
    assert table.split(0)[-1].target.classes == ("0", "1", "2")
    assert read_training_table(path, "y", task="regression").notes == ()
    assert read_training_table(path, "y", task="regression").split(0)[-1].target.task == "regression"
    assert read_training_table(path, "y", task="classification").notes == ()
    assert read_training_table(path, "x").split(0)[-1].target.task == "regression"


def test_columns_of_zeros_are_left_out_and_that_is_reported(tmp_path):
    path = write(tmp_path / "t.csv", [["x", "dark", "y"], *[[k, 0, k / 2] for k in range(9)]])
    table = read_training_table(path, "y")
    assert table.notes == ("left out 'dark': the same in every row",)
    assert table.split(0)[-1].input_labels == ("x",)
    only = write(tmp_path / "o.csv", [["dark", "y"], *[[0, k / 2] for k in range(9)]])
    with pytest.raises(InputError, match=r"nothing is left to learn from .'dark': the same in every row"):
        read_training_table(only, "y")


def test_listed_columns_are_categories_or_left_out(tmp_path):
    path = write(tmp_path / "t.csv", [["zip", "id", "y"], ["01", "a1", 1], ["1", "b2", 2], ["x", "3", 3]])
    table = read_training_table(path, "y", categorical=["zip"], ignore=["id"])
    assert [c.name for c in table.columns] == ["zip"] and table.columns[0].categories == ("01", "1", "x")


def numbers_table(rows=50, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(3, 5, size=(rows, 2))
    return X, TrainingTable((Numbers("a", X[:, 0]), Numbers("b", X[:, 1])), Numbers("y", X.sum(axis=1)), True, ())


def test_the_scaler_sees_training_rows_only():
    _, table = numbers_table()
    X, y, X_valid, y_valid, prepared = table.split(0.2, seed=1)
    assert X.shape == (40, 2) and X_valid.shape == (10, 2) and y.shape == (40, 1) and y_valid.shape == (10, 1)
    raw = X * [c.scale for c in prepared.inputs] + [c.mean for c in prepared.inputs]
    raw_valid = X_valid * [c.scale for c in prepared.inputs] + [c.mean for c in prepared.inputs]
    scaler = StandardScaler().fit(raw)
    np.testing.assert_allclose(X, scaler.transform(raw), atol=1e-12)
    np.testing.assert_allclose(X_valid, scaler.transform(raw_valid), atol=1e-12)
    np.testing.assert_allclose(prepared.inverse_target(y_valid).values, raw_valid.sum(axis=1), rtol=1e-12)


def test_a_split_holds_each_row_once_and_follows_its_seed():
    values, table = numbers_table()
    X, _, X_valid, _, prepared = table.split(0.3, seed=5)
    back = np.vstack([X, X_valid]) * [c.scale for c in prepared.inputs] + [c.mean for c in prepared.inputs]
    np.testing.assert_allclose(np.sort(back[:, 0]), np.sort(values[:, 0]))
    np.testing.assert_array_equal(table.split(0.3, seed=5)[0], X)
    assert not np.array_equal(table.split(0.3, seed=6)[0], X)


def test_no_share_holds_out_nothing():
    _, table = numbers_table(4)
    for share in (0, 0.2):
        X, _, X_valid, y_valid, _ = table.split(share)
        assert X.shape == (4, 2) and X_valid.shape == (0, 2) and y_valid.shape == (0, 1)
    for share in (-0.1, 1, math.nan):
        with pytest.raises(InputError, match="validation share must be from 0 to less than 1"):
            table.split(share)


@given(st.integers(0, 1000), st.floats(0, 0.95))
def test_training_sees_every_category_class_and_two_numbers(seed, share):
    rows = 30
    rare = np.zeros(rows, dtype=np.int16)
    rare[7], rare[8] = 1, 2
    spike = np.zeros(rows)
    spike[20] = 1.0
    table = TrainingTable(
        (Categories("k", rare, ("a", "b", "c")), Numbers("s", spike)), Categories("y", rare, ("p", "q", "r")), True, ()
    )
    X, y, X_valid, y_valid, prepared = table.split(share, seed)
    assert (X[:, :3].sum(axis=0) >= 1).all() and (y.sum(axis=0) >= 1).all() and np.ptp(X[:, 3]) > 0
    assert len(X) + len(X_valid) == rows and len(X_valid) == len(y_valid) <= rows * share
    assert prepared.inputs[0] == CategoryInput("k", ("a", "b", "c"))


def test_standardising_can_be_switched_off(tmp_path):
    path = write(tmp_path / "t.csv", [["x", "y"], [1, 20], [3, 40]])
    X, y, *_, prepared = read_training_table(path, "y", standardize=False).split(0)
    assert sorted(X.ravel().tolist()) == [1, 3] and sorted(y.ravel().tolist()) == [20, 40]
    assert prepared.inputs == (NumberInput("x", 0.0, 1.0, fill=2.0),)


@pytest.mark.parametrize("size", [1e-150, 1e150, 1e307])
def test_any_unit_can_be_standardised(tmp_path, size):
    path = write(tmp_path / "t.csv", [["x", "y"], *[[repr(k * size), k] for k in range(5)]])
    X, *_ = read_training_table(path, "y").split(0)
    np.testing.assert_allclose(np.sort(X.ravel()), (np.arange(5) - 2) / np.sqrt(2), rtol=1e-12)


def test_a_unit_beyond_floats_is_refused(tmp_path):
    for low, high in (("-1.7e308", "1.7e308"), ("0", "5e-324")):
        path = write(tmp_path / "t.csv", [["x", "y"], [low, 1], [high, 2], [high, 3]])
        with pytest.raises(InputError, match=r"column 'x' cannot be standardised.*give it in another unit"):
            read_training_table(path, "y").split(0)


def test_columns_to_predict_are_matched_by_name(tmp_path):
    write(tmp_path / "train.csv", [["a", "k", "b", "y"], [1, "u", 10, 5], [2, "v", 30, 6], [3, "u", 20, 9]])
    *_, prepared = read_training_table(tmp_path / "train.csv", "y", standardize=False).split(0)
    write(tmp_path / "new.csv", [["b", "note", "y", "k", "a"], [7, "", "?", "v", 8], [9, "x", "", "u", 1]])
    assert read_prediction_table(tmp_path / "new.csv", prepared).tolist() == [[8, 0, 1, 7], [1, 1, 0, 9]]
    write(tmp_path / "one.csv", [["b", "k", "a"], [7, "v", 8]])
    assert read_prediction_table(tmp_path / "one.csv", prepared).tolist() == [[8, 0, 1, 7]]
