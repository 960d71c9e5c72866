"""What ``backpath train`` says of how good a table's model is."""

import json
import re

import numpy as np
import pytest

import backpath as bp
from commands import backpath, done, refused


def write(path, header, rows):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 400))
    write(tmp_path / "rare.csv", "x,z,fraud", zip(x.round(4), z.round(4), np.where(np.arange(400) % 80, "no", "yes")))
    write(tmp_path / "bent.csv", "x,z,price", zip(x.round(4), z.round(4), (50 + 10 * np.abs(x)).round(4)))
    write(tmp_path / "visits.csv", "x,visits", zip(x.round(4), rng.poisson(np.exp(0.8 * x))))
    write(tmp_path / "noise.csv", "x,y", [(v, "pq"[k % 2]) for k, v in enumerate(x.round(4))])
    write(tmp_path / "few.csv", "x,y", [(k, "ab"[k % 2]) for k in range(12)])
    return tmp_path


def test_a_model_that_learned_nothing_is_said_to_be_no_better(folder):
    out = done("train", "rare.csv", "--target", "fraud", cwd=folder)
    assert "No better than always saying 'no'." in out
    assert "It never finds 'yes'." in out
    rows = dict(re.findall(r"^  (\w[\w ]*?)  +(\S.*)$", out, re.MULTILINE))
    assert rows["balanced accuracy"].split()[0] == "50.0%"


def test_a_poor_model_says_what_keeps_it_so(folder):
    slow = ("--solver", "gd", "--learning-rate", "0.00001", "--epochs", "3")
    out = done("train", "noise.csv", "--target", "y", *slow, cwd=folder)
    assert re.search(r"Why: a step with η = 0.00001 lowers the cost of 0\.\d+ by only 0\.\d+%", out)
    assert "Why:" not in done("train", "bent.csv", "--target", "price", cwd=folder)


def test_numbers_are_measured_in_their_own_units_beside_a_linear_model(folder):
    out = done("train", "bent.csv", "--target", "price", "--plot", "report.html", cwd=folder)
    mine, linear, mean = map(float, re.search(r"RMSE +(\S+) +(\S+) +(\S+)", out).groups())
    assert mine < 1 < linear < 10
    assert mean == pytest.approx(6, abs=2)  # 10 times the deviation of |x|
    assert re.search(r"x +\S+  █{20}\n", out)
    page = (folder / "report.html").read_text()
    assert "RMSE" in page and "data:image/svg+xml;base64," in page
    shown = done("show", "bent.safetensors", cwd=folder)
    for section in ("how good it is", "what matters"):
        assert section in shown
    assert f"RMSE  {mine:>14}".split() == re.search(r"RMSE +\S+", shown)[0].split()


def test_the_verdict_is_json_too_and_in_the_model(folder):
    found = json.loads(done("train", "bent.csv", "--target", "price", "--json", cwd=folder))
    record = bp.load_model(folder / "bent.safetensors").record
    assert found["verdict"] == record["verdict"]
    assert (record["verdict"]["on"], record["verdict"]["rows"]) == ("held-out", 80)
    assert set(record["importance"]) == {"x", "z"}
    shown = json.loads(done("show", "bent.safetensors", "--json", cwd=folder))
    assert shown["record"]["verdict"] == record["verdict"]
    assert shown["weights"]["W11_1"] == bp.load_model(folder / "bent.safetensors").network["W11_1"]


def test_few_rows_are_cross_validated_and_said_to_be_few(folder):
    out = done("train", "few.csv", "--target", "y", cwd=folder)
    assert "on all 12 rows, each held out once (5 parts)" in out
    assert "Only 12 rows: too few to judge." in out
    assert "W11_1 " not in out.split("try next")[0]  # the weights are shown by `show`
    assert "on all 400 rows, each held out once (3 parts)" in done(
        "train", "bent.csv", "--target", "price", "--cv", 3, "--hidden", 4, "--epochs", 20, cwd=folder
    )


def test_a_command_that_goes_on_is_given_whole(folder):
    call = ["train", "bent.csv", "--target", "price", "--hidden", "8", "--epochs", "5"]
    out = done(*call, cwd=folder)
    assert "Still improving at epoch 5, the last one; to train for up to 10:" in out
    assert "\n  backpath train bent.csv --target price --hidden 8 --epochs 10\n" in out


def test_counts_have_a_cost_of_their_own(folder):
    out = done("train", "visits.csv", "--target", "visits", "--task", "classification", cwd=folder)
    command = next(line for line in out.splitlines() if re.match(r" *backpath .*--cost poisson$", line))
    assert "looks like counts" in out
    done("train", "visits.csv", "--target", "visits", "--cost", "poisson", cwd=folder)
    assert command.split()[:4] == ["backpath", "train", "visits.csv", "--target"]
    network = bp.load_model(folder / "visits.safetensors").network
    assert network.activations[-1] == "exp"
    predicted = done("predict", "visits.safetensors", "visits.csv", cwd=folder).splitlines()[1:]
    assert min(map(float, predicted)) > 0
    true = [int(line.split(",")[1]) for line in (folder / "visits.csv").read_text().splitlines()[1:]]
    assert np.mean(list(map(float, predicted))) == pytest.approx(np.mean(true), rel=0.15)


def test_a_column_of_weights_is_no_input(folder):
    rng = np.random.default_rng(1)
    rows = [(x, 1, 2) for x in rng.normal(size=40).round(3)] + [(x, 0, 0) for x in rng.normal(size=40).round(3)]
    write(folder / "w.csv", "x,y,w", rows)
    done("train", "w.csv", "--target", "y", "--task", "regression", "--weights", "w", "--validation", 0, cwd=folder)
    model = bp.load_model(folder / "w.safetensors")
    assert [column.name for column in model.preparation.inputs] == ["x"]
    target = model.preparation.target
    found = model.network.predict([[0.0]])[0, 0] * target.scale + target.mean
    assert found == pytest.approx(1, abs=0.1)  # rows of weight 0 do not count


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--cv", "1"], "--cv must be a whole number of at least 2, but is 1"),
        (["--cv", "500"], "--cv divides the rows into 500 parts, but there are only 400"),
        (["--cv", "5", "--validation", "0.1"], "give only one of the two"),
        (["--balanced"], "--balanced is for classes"),
        (["--weights", "nope"], "no column 'nope' to weigh rows by"),
        (["--plot", "report.gif"], "--plot takes a file that ends in .html, .png, .svg, .pdf"),
        (["--decay", "-1"], "--decay must be a number of at least 0, but is -1"),
    ],
)
def test_what_does_not_go_is_refused(more, message, folder):
    assert message in refused("train", "bent.csv", "--target", "price", *more, cwd=folder)


def test_a_row_of_the_table_is_explained(folder):
    done("train", "bent.csv", "--target", "price", "--hidden", 2, "--epochs", 5, cwd=folder)
    cells = (folder / "bent.csv").read_text().splitlines()[3].split(",")
    by_row = done("explain", "bent.safetensors", "W11_1", "--data", "bent.csv", "--row", 3, cwd=folder)
    by_value = done("explain", "bent.safetensors", "W11_1", "--x", ",".join(cells[:2]), "--y", cells[2], cwd=folder)
    assert by_row == by_value
    beyond = backpath("explain", "bent.safetensors", "W11_1", "--data", "bent.csv", "--row", 401, cwd=folder)
    assert "has 400 rows, so there is no row 401" in beyond.stderr


def test_few_rows_of_a_class_are_said_to_be_few_with_what_would_do(folder):
    out = done("train", "rare.csv", "--target", "fraud", "--hidden", 4, "--epochs", 5, cwd=folder)
    few = re.search(r"Only (\d) of 'yes' (?:is|are) held out, so the recall says little about them\.", out)
    assert few and int(few[1]) == int(re.search(r"^  yes +(\d+) +(\d+)", out, re.MULTILINE)[1])
    command = "backpath train rare.csv --target fraud --hidden 4 --epochs 5 --balanced"
    assert f"To weight all classes equally:\n  {command}" in out
    assert "To weight all classes" not in done(*command.split()[1:], cwd=folder)


def test_counts_are_noted_before_training_and_the_epochs_agree(folder):
    call = ("train", "visits.csv", "--target", "visits", "--hidden", 4, "--epochs", 30, "--batch-size", 256)
    out = done(*call, cwd=folder)
    assert "looks like counts: try --cost poisson" in " ".join(out.split("network")[0].split())
    assert out.index("looks like counts, which have a special cost") < out.index("Still improving at epoch 30")
    assert "30 epochs" in out


@pytest.mark.parametrize(
    ("table", "target", "said"),
    [
        (
            "rare.csv",
            "fraud",
            "the target holds text ('yes'), so the task cannot be regression; leave --cost poisson out",
        ),
        ("visits.csv", "x", "--cost poisson needs a target of at least 0, but 'x' goes down to -"),
    ],
)
def test_the_cost_of_counts_needs_counts(folder, table, target, said):
    assert said in refused("train", table, "--target", target, "--cost", "poisson", cwd=folder)


def test_show_lists_what_matters_as_train_does(folder):
    out = done("train", "bent.csv", "--target", "price", "--hidden", 4, "--epochs", 20, cwd=folder)
    matters = out.split("what matters\n")[1].split("\n\n")[0]
    assert matters in done("show", "bent.safetensors", cwd=folder)


def test_rows_that_training_needs_are_not_said_to_be_held_out(folder):
    (folder / "rare.csv").write_text(
        "c,x,y\n" + "".join(f"{f'k{k}' if k % 8 else 'a'},{k},{k * k % 7}.5\n" for k in range(24))
    )
    out = done("train", "rare.csv", "--target", "y", "--categorical", "c", "--epochs", 3, cwd=folder)
    assert (
        "on 3 of 24 rows, each held out once (3 parts)" in out or "on 3 of 24 rows, each held out once (2 parts)" in out
    )
    (folder / "four.csv").write_text("c,y\na,1.5\nb,2.5\na,3.5\nb,5.5\n")
    out = done("train", "four.csv", "--target", "y", "--epochs", 3, cwd=folder)
    assert "on all 4 rows, each held out once (4 parts)" in out
