"""``backpath check`` in real processes, on real files."""

import json
import shutil

import pytest

import oracles
from commands import backpath, done, refused


@pytest.fixture
def folder(tmp_path):
    for case in oracles.CASES.glob("*.json"):
        shutil.copy(case, tmp_path)
    return tmp_path


def written(folder, **changes):
    case = json.loads((folder / "missing_derivative.json").read_text())
    (folder / "case.json").write_text(json.dumps(case | changes))
    return "case.json"


@pytest.mark.parametrize("case", ["mazur.json", "han_kamber.json"])
def test_right_figures_end_with_0(folder, case):
    assert "figures are right" in done("check", case, cwd=folder)


def test_a_mistake_ends_with_1_and_its_name(folder):
    process = backpath("check", "missing_derivative.json", cwd=folder)
    assert process.returncode == 1
    assert process.stderr == ""
    assert "6 of 11 figures are not right: σ′(u) is missing at H1, H2." in process.stdout
    assert "«σ′(u_H1)»" in process.stdout


def test_json_for_programs_and_a_page_for_people(folder):
    process = backpath("check", "missing_derivative.json", "--format", "json", cwd=folder)
    assert json.loads(process.stdout)["alternatives"][0][0]["where"] == ["H1", "H2"]
    process = backpath("check", "missing_derivative.json", "--format", "html", "--out", "page.html", cwd=folder)
    assert process.returncode == 1
    assert "<!DOCTYPE html>" in (folder / "page.html").read_text("utf-8")


BAD = [
    (
        {"claimed": {"gradients": {"W13_1": "1"}}},
        "claimed.gradients: the network 2-2-1 has no weight 'W13_1'; did you mean",
    ),
    ({"claimed": {"gradients": {"W11_1": "NaN"}}}, "claimed.gradients.W11_1 must be a finite number"),
    ({"claimed": {"gradients": {}}}, "there is no figure to check"),
    ({"claimed": {"weights": {"W11_1": "1"}}}, 'add "learning_rate"'),
    ({"x": [[1, 2, 3]]}, "expected 2 numbers for one input"),
    ({"claimed": {"gradient": {}}}, "claimed has no field 'gradient'; did you mean 'gradients'?"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_a_file_that_makes_no_sense_ends_with_2(folder, changes, message):
    case = written(folder, **changes)
    assert message in refused("check", case, cwd=folder)


def test_malformed_json_is_reported_with_line_and_column(folder):
    (folder / "bad.json").write_text('{"network": {\n "sizes": [2,, 1]}}')
    assert "bad.json, line 2, column 14: not JSON" in refused("check", "bad.json", cwd=folder)


def test_the_file_that_is_read_is_not_written_over(folder):
    assert "this command reads it" in refused("check", "mazur.json", "--out", "mazur.json", cwd=folder)


def test_a_network_without_biases_printed_digits_and_lists(folder):
    case = {
        "network": {"sizes": [2, 1], "weights": {"W11_1": "0.90", "W12_1": "0.30"}, "activations": "linear"},
        "x": [["1.0", "2.0"]],
        "y": [[1]],
        "cost": "mse",
        "claimed": {"gradients": [[["1.0", "2.0"]]]},
    }
    (folder / "case.json").write_text(json.dumps(case))
    said = done("check", "case.json", cwd=folder)
    assert "All 2 figures are right." in said
    assert "'linear' is read as identity. 'mse' is read as squared_error." in said
