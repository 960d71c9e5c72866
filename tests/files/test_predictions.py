"""Predictions are written to files that other readers read exactly."""

import csv
import io
import json
import math

import duckdb
import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files.predictions import (
    check_ending,
    prediction_columns,
    prediction_names,
    print_columns,
    write_predictions,
)
from backpath.files.preparation import Predictions, Preparation, Target

NAMES = ["colour", 'the "share"', "when"]
BLOCKS = [
    [
        np.array(["red", "=1+1", "-5", "é, 'x'"]),
        np.array([0.1, -1e-300, 1 / 3, 2.0]),
        np.array(["a", None, "", "b"], object),
    ],
    [np.array(["@x"]), np.array([1e300]), np.array(["c\rd"], object)],
]
ROWS = [
    ("red", 0.1, "a"),
    ("=1+1", -1e-300, None),
    ("-5", 1 / 3, ""),
    ("é, 'x'", 2.0, "b"),
    ("@x", 1e300, "c\rd"),
]


@pytest.mark.parametrize("ending", ["csv", "txt", "CSV"])
def test_csv_has_all_digits_and_no_formulas(tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    write_predictions(path, NAMES, iter(BLOCKS))
    header, *rows = csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline=""))
    assert header == NAMES
    harmless = {"=1+1": "'=1+1", "@x": "'@x"}
    assert [(row[0], float(row[1]), row[2]) for row in rows] == [
        (harmless.get(text, text), number, when or "") for text, number, when in ROWS
    ]


@pytest.mark.parametrize("ending", ["jsonl", "ndjson"])
def test_json_lines(tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    write_predictions(path, NAMES, iter(BLOCKS))
    text = path.read_bytes().decode("utf-8")
    assert [json.loads(line) for line in text.splitlines()] == [dict(zip(NAMES, row)) for row in ROWS]
    assert "é" in text


@pytest.mark.parametrize("ending", ["parquet", "pq"])
def test_parquet_has_numbers_and_texts(tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    write_predictions(path, NAMES, iter(BLOCKS))
    found = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    assert found.columns == NAMES and [str(kind) for kind in found.types] == ["VARCHAR", "DOUBLE", "VARCHAR"]
    assert found.fetchall() == ROWS


@pytest.mark.parametrize("text", ["=1", "+a", "-a", "@a", "\ta", "\ra"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    written = io.StringIO()
    print_columns(written, [text], [[np.array([text, "a=b", "-1.5", "+2e3"])]])
    assert list(csv.reader(io.StringIO(written.getvalue(), newline=""))) == [
        [f"'{text}"],
        [f"'{text}"],
        ["a=b"],
        ["-1.5"],
        ["+2e3"],
    ]


def test_unusable_rows_have_no_prediction():
    found = Predictions(np.array(["a", "b", "b"]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), ("a", "b"))
    usable = np.array([True, False, True])
    assert [c.tolist() for c in prediction_columns(found, usable)] == [
        ["a", None, "b"],
        [0.9, None, 0.3],
        [0.1, None, 0.7],
    ]
    assert [c.tolist() for c in prediction_columns(found, usable | True)] == [
        c.tolist() for c in prediction_columns(found)
    ]
    numbers = Predictions(np.array([1.5, math.nan]))
    assert [c.tolist() for c in prediction_columns(numbers, np.array([True, False]))] == [[1.5, None]]


def test_a_prediction_is_named_after_the_target():
    classes = Preparation((), Target("kind", "binary", classes=("no", "yes")))
    shares = ["probability of no", "probability of yes"]
    assert prediction_names(classes, 1) == ["kind", *shares]
    assert prediction_names(classes, 1, taken=["size", "kind"]) == ["predicted kind", *shares]
    assert prediction_names(Preparation((), Target("size", "regression")), 1) == ["size"]
    assert prediction_names(None, 3) == ["A1", "A2", "A3"]


@pytest.mark.parametrize(("name", "said"), [("p.xlsx", "ends in '.xlsx'"), ("p", "has no ending")])
def test_other_endings_are_refused(tmp_path, name, said):
    for refused in (lambda: check_ending(tmp_path / name), lambda: write_predictions(tmp_path / name, ["a"], iter([]))):
        with pytest.raises(
            InputError, match=rf"{name} {said}; predictions are written to files that end in \.csv, \.txt"
        ):
            refused()
    assert list(tmp_path.iterdir()) == []
