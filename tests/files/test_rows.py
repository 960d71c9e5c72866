"""Rows of a table, or another table, become the inputs and targets that they were in training."""

import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files.prepared_table import read_prepared
from backpath.files.single_rows import encode_targets, read_rows
from backpath.files.tables import read_table

ROWS = ["50,gas,a", ",gas,b", "70,oil,a", "90,,c", "55,oil,b", "61,gas,a"]
PRICES = ["200", "230.5", "260", "300", "210", "222"]


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, rows):
    with open(name, "w", encoding="utf-8") as file:  # noqa: PTH123 - a name in the test's own folder
        file.write("size,fuel,kind,price\n" + "".join(f"{row}\n" for row in rows))


@pytest.fixture
def whole(in_folder):
    write("t.csv", [f"{row},{price}" for row, price in zip(ROWS, PRICES)])


TARGETS = ["price", "kind", "fuel"]  # a number, three classes, two classes


@pytest.mark.parametrize("target", TARGETS)
def test_single_rows_are_those_of_training(whole, target):
    table = read_table("t.csv", target)
    rows = np.arange(6) if table.numbers is None else table.numbers - 1
    places = [3, 0, 0, 2]
    X, y = read_rows("t.csv", table.preparation, (rows[places] + 1).tolist())
    np.testing.assert_allclose(X, table.X[places], atol=1e-15)
    np.testing.assert_allclose(y, table.y[places], atol=1e-15)


@pytest.mark.parametrize("number", [0, -1, 7])
def test_there_is_no_such_row(whole, number):
    preparation = read_table("t.csv", "price").preparation
    with pytest.raises(InputError, match=rf"^t\.csv has 6 rows, so there is no row {number}; rows count from 1$"):
        read_rows("t.csv", preparation, [1, number])
    assert len(read_rows("t.csv", preparation, [6])[0]) == 1


def test_a_row_that_training_could_not_have_read(whole):
    numbers, classes = (read_table("t.csv", target).preparation for target in ("price", "kind"))
    write("t.csv", ["50,gas,d,200", "big,gas,a,230.5"])
    with pytest.raises(InputError, match=r"^t\.csv, column 'kind' must be one of 'a', 'b', 'c', but is 'd'"):
        read_rows("t.csv", classes, [1])
    with pytest.raises(InputError, match="'size'"):
        read_rows("t.csv", numbers, [2])


def test_targets_in_their_own_words(whole):
    price, kind, fuel = (read_table("t.csv", target).preparation for target in TARGETS)
    mean, scale = np.mean(list(map(float, PRICES))), np.std(list(map(float, PRICES)))
    np.testing.assert_allclose(encode_targets(price, ["230.5", "200"], "--y")[:, 0] * scale + mean, [230.5, 200])
    assert encode_targets(kind, ["c", "a"], "--y").tolist() == [[0, 0, 1], [1, 0, 0]]
    assert encode_targets(fuel, ["oil", "gas"], "--y").tolist() == [[1], [0]]


@pytest.mark.parametrize("target", TARGETS)
def test_another_table_is_prepared_as_in_training(whole, target):
    table = read_table("t.csv", target)
    found = read_prepared("t.csv", table.preparation)
    rows = np.arange(1, 7) if table.numbers is None else table.numbers
    assert found.numbers.tolist() == rows.tolist() and found.left_out == 6 - len(rows)
    np.testing.assert_allclose(found.X, table.X, atol=1e-15)
    np.testing.assert_allclose(found.y, table.y, atol=1e-15)


def test_rows_with_a_cell_that_cannot_be_used_are_left_out(whole):
    numbers, classes = (read_table("t.csv", target).preparation for target in ("price", "kind"))
    write("new.csv", ["50,gas,a,200", "big,gas,a,200", "60,coal,d,much", "70,oil,b,260"])
    found = read_prepared("new.csv", numbers)
    assert (found.numbers.tolist(), found.left_out) == ([1, 4], 2)
    np.testing.assert_allclose(found.y[:, 0] * numbers.target.scale + numbers.target.mean, [200, 260])
    found = read_prepared("new.csv", classes)
    assert (found.numbers.tolist(), found.left_out) == ([1, 4], 2)  # class d is not one of those in training
    assert found.y.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_table_without_a_row_that_can_be_used(whole):
    numbers, classes = (read_table("t.csv", target).preparation for target in ("price", "kind"))
    write("new.csv", ["big,gas,d,200", "bigger,gas,d,200"])
    needed = "new.csv has no row in which all cells can be used; the model needs "
    for preparation, said in (
        (numbers, "'size', 'fuel', 'kind' and the target 'price'"),
        (classes, "'size', 'fuel', 'price' and the target 'kind', one of 'a', 'b', 'c',"),
    ):
        with pytest.raises(InputError) as caught:
            read_prepared("new.csv", preparation)
        assert str(caught.value) == needed + said


def test_more_numbers_than_allowed(whole):
    preparation = read_table("t.csv", "price").preparation
    columns = len(preparation.input_labels) + 1
    assert len(read_prepared("t.csv", preparation, most=6 * columns).X) == 6
    with pytest.raises(InputError, match=f"t.csv has {6 * columns} numbers, .*; at most 47 are allowed"):
        read_prepared("t.csv", preparation, most=47)
