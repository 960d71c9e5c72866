"""A preparation goes to JSON and back, refuses what is not one, and gives predictions in the target's own terms."""

import copy
import csv
import io
import json

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput
from backpath.files.forms import NumberForm
from backpath.files.predictions import prediction_columns, prediction_names, print_columns, write_predictions
from backpath.files.preparation import Predictions, Preparation, Target

PREPARED = Preparation(
    (NumberInput("petal length", 3.75, 1.5), CategoryInput("colour", ("blue", "red"))),
    Target("species", "multiclass", classes=("a", "b", "c")),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
scales = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
inputs = st.one_of(
    st.builds(NumberInput, texts, finite, scales),
    st.builds(
        NumberInput, texts, finite, scales, st.none() | finite, st.booleans(), st.just(NumberForm(",", ".", "€"))
    ),
    st.builds(
        CategoryInput,
        texts,
        st.lists(texts, min_size=2, max_size=4, unique=True).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(DateInput, texts, st.just("ISO"), st.just(("days", "month")), finite, scales, finite, st.booleans()),
)
targets = st.one_of(
    st.builds(Target, texts, st.just("regression"), finite, scales),
    st.builds(Target, texts, st.just("binary"), classes=st.just(("no", "yes"))),
    st.builds(Target, texts, st.just("multiclass"), classes=st.lists(texts, min_size=3, unique=True).map(tuple)),
)
preparations = st.builds(Preparation, st.lists(inputs, min_size=1, max_size=4).map(tuple), targets)


@given(preparations)
def test_json_keeps_it_exactly(prepared):
    assert Preparation.from_dict(json.loads(json.dumps(prepared.to_dict()))) == prepared


def changed(path, value):
    kept = copy.deepcopy(PREPARED.to_dict())
    kept["inputs"][1]["categories"] = list(kept["inputs"][1]["categories"])
    kept["target"]["classes"] = list(kept["target"]["classes"])
    place = kept
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return kept


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (None, "the preparation must hold inputs, target, left_out, dialect"),
        ([], "the preparation must hold inputs, target, left_out, dialect"),
        (changed(["more"], 1), "the preparation must hold inputs, target, left_out, dialect, and nothing else"),
        (changed(["inputs"], {}), "inputs must be of type list, not dict"),
        (changed(["inputs"], []), "has no inputs"),
        (changed(["inputs", 0], 5), "input 1 must be of the kind number or categories or date"),
        (changed(["inputs", 0, "kind"], "os.system"), "input 1 must be of the kind number or categories or date"),
        (changed(["inputs", 0, "name"], 5), "input 1: name must be of type str, not int"),
        (changed(["inputs", 0, "mean"], True), "input 1: mean must be of type float, not bool"),
        (changed(["inputs", 0, "scale"], 0.0), "the scale above 0"),
        (changed(["inputs", 0, "scale"], float("inf")), "must be finite"),
        (changed(["inputs", 0, "mean"], float("nan")), "must be finite"),
        (changed(["inputs", 0, "scale"], KeyError), "input 1 must hold name, mean, scale"),
        (changed(["inputs", 1, "categories"], ["a"]), "input 2 must have at least two categories"),
        (changed(["inputs", 1, "categories"], ["a", "a"]), "input 2's categories must be different texts"),
        (changed(["inputs", 1, "categories"], ["a", 1]), "input 2: categories must be of type str, not int"),
        (changed(["target", "task"], "guess"), "the target's task 'guess' does not go with 3 classes"),
        (changed(["target", "task"], "binary"), "the target's task 'binary' does not go with 3 classes"),
        (changed(["target", "classes"], []), "the target's task 'multiclass' does not go with 0 classes"),
        (changed(["target"], None), "target must be of type dict, not NoneType"),
    ],
)
def test_anything_else_is_refused(kept, expected):
    with pytest.raises(InputError, match=expected.replace("(", r"\(")):
        Preparation.from_dict(kept)


def test_labels_and_description():
    assert PREPARED.input_labels == ("petal length", "colour = blue", "colour = red")
    assert PREPARED.describe() == [
        "X1  petal length: number, mean 3.75, standard deviation 1.5",
        "X2…X3  colour: one of 'blue', 'red'",
        "target  species: one of 'a', 'b', 'c'",
    ]
    unscaled = Preparation((NumberInput("x"),), Target("y", "regression", 2.0, 3.0))
    assert unscaled.describe() == ["X1  x: number, unscaled", "target  y: number, mean 2, standard deviation 3"]


def test_names_cannot_drive_a_terminal():
    prepared = Preparation((NumberInput("\x1b[31mred\n"),), Target("\x07", "regression"))
    assert prepared.input_labels == ("\\x1b[31mred\\n",)
    assert all(line.isprintable() for line in prepared.describe())


def test_predictions_of_numbers_are_in_the_targets_units():
    prepared = Preparation((NumberInput("x"),), Target("y", "regression", 10.0, 4.0))
    assert prepared.inverse_target(np.array([[0.0], [-1.5]])).values.tolist() == [10.0, 4.0]


def test_two_classes_have_both_probabilities():
    prepared = Preparation((NumberInput("x"),), Target("y", "binary", classes=("no", "yes")))
    found = prepared.inverse_target(np.array([[0.25], [0.5], [1.0]]))
    assert found.values.tolist() == ["no", "yes", "yes"]
    assert found.probabilities.tolist() == [[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]]


def test_classes_have_their_probabilities():
    found = PREPARED.inverse_target(np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]], dtype=np.float32))
    assert found.values.tolist() == ["b", "a"] and found.probabilities.shape == (2, 3)
    with pytest.raises(InputError, match=r"A must have shape \(N, 3\), but has shape \(2, 1\)"):
        PREPARED.inverse_target(np.zeros((2, 1)))


@given(st.lists(finite, min_size=1, max_size=20))
def test_predicted_numbers_keep_all_digits(values):
    file = io.StringIO()
    print_columns(file, ["price"], [prediction_columns(Predictions(np.array(values)))])
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert header == ["price"] and [float(row[0]) for row in rows] == values


CLASSES = ('a "b"', "x,y", "😀\n")
SOME = Predictions(np.array(CLASSES)[[2, 0]], np.array([[0.1, 0.2, 0.7], [0.6, 0.1, 0.3]]), CLASSES)
NAMES = prediction_names(Preparation((NumberInput("x"),), Target("kind", "multiclass", classes=CLASSES)), 3)


def test_predicted_classes_are_written_with_their_probabilities(tmp_path):
    write_predictions(tmp_path / "p.csv", NAMES, iter([prediction_columns(SOME)]))
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["kind", *(f"probability of {name}" for name in CLASSES)],
            ["😀\n", "0.1", "0.2", "0.7"],
            ['a "b"', "0.6", "0.1", "0.3"],
        ]
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


def test_predictions_in_blocks_as_parquet_and_json_lines(tmp_path):
    gap = prediction_columns(SOME, np.array([True, False]))
    write_predictions(tmp_path / "p.parquet", NAMES, iter([prediction_columns(SOME), gap]))
    found = duckdb.sql(f"SELECT * FROM '{tmp_path}/p.parquet'")
    assert found.columns == NAMES
    last = (None, None, None, None)
    assert found.fetchall() == [("😀\n", 0.1, 0.2, 0.7), ('a "b"', 0.6, 0.1, 0.3), ("😀\n", 0.1, 0.2, 0.7), last]
    write_predictions(tmp_path / "p.jsonl", NAMES, iter([gap]))
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text("utf-8").splitlines()]
    assert lines == [dict(zip(NAMES, row, strict=True)) for row in (("😀\n", 0.1, 0.2, 0.7), last)]


def test_text_that_a_spreadsheet_would_run_is_quoted():
    file = io.StringIO()
    cells = np.array(["=1+1", "@x", "-5", "+cmd", "a=b"], dtype=object)
    print_columns(file, ["=name"], [[cells]])
    assert [row[0] for row in csv.reader(io.StringIO(file.getvalue()))] == [
        "'=name",
        "'=1+1",
        "'@x",
        "-5",
        "'+cmd",
        "a=b",
    ]
