"""The benchmark: who computes something else is refused before it is timed; medians, spreads, ratios and the table."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import growth
from bench.check import Refused, check_weights
from bench.contenders import numpy as numpy_contender
from bench.measure import Contest, Measured, Timing, enough_epochs
from bench.report import duration, page, table
from bench.rows import ROWS, Row

ROOT = Path(__file__).parent.parent
XOR = ROWS[0]
SMALL = {
    "one": XOR,
    "steps": Row("steps", "", (8, 5, 3, 10), 64, "step", 16, "float32", checked=5),
    "population": Row("population", "", (2, 2, 1), 4, "network", networks=20),
}


def trained(row):
    (train,) = numpy_contender.forms(row).values()
    return train(row.checked)


def shifted(layer, entry):
    """A mistake: that weight is off by a millionth of itself."""

    def plant(row):
        weights = trained(row)
        weights[layer][entry] *= 1 + 1e-2 if row.dtype == "float32" else 1 + 1e-6
        return weights

    return plant


MISTAKES = {
    "does not train": lambda row: row.start(),
    "an epoch too few": lambda row: trained(replace(row, checked=row.checked - 1)),
    "a hundredth faster": lambda row: trained(replace(row, learning_rate=row.learning_rate * 1.01)),
    "another start": lambda row: [-W for W in trained(row)],
    "a wrong bias": shifted(0, (..., -1)),
    "a wrong weight of the last layer": shifted(-1, (..., 0)),
    "NaN": lambda row: [W * np.nan for W in trained(row)],
    "transposed": lambda row: [np.swapaxes(W, -1, -2) for W in trained(row)],
    "a layer missing": lambda row: trained(row)[:-1],
    "another number type": lambda row: [
        W.astype("float32" if row.dtype == "float64" else "float64") for W in trained(row)
    ],
}


@pytest.mark.parametrize("row", SMALL.values(), ids=SMALL)
def test_one_that_reaches_the_reference_s_weights_is_accepted(row):
    check_weights(row, "squared_error", trained(row))


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("row", SMALL.values(), ids=SMALL)
def test_one_that_computes_something_else_is_refused(row, mistake):
    with pytest.raises(Refused):
        check_weights(row, "squared_error", mistake(row))


def test_another_cost_is_refused():
    with pytest.raises(Refused, match="off by"):
        check_weights(XOR, "half_squared_error", trained(XOR))


PLANTED = """
from bench.contenders.numpy import COST, forms as right_forms

NAME = "planted"

def versions():
    return "planted 1"

def forms(row):
    return {"lazy": lambda epochs: list(right_forms(row).values())[0](max(1, epochs // 2))}
"""


def test_contest_in_real_processes(tmp_path, monkeypatch):
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "dying.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = []
    with Contest(["planted", "bench.contenders.numpy", "nowhere", "dying"], 3, 0.01, said.append) as contest:
        result = contest.measure(XOR)
    (timing,) = result.timings
    assert timing.contender == "NumPy"
    assert len(timing.times) == 3 and min(timing.times) > 0
    assert result.refused == ("planted",)
    assert "off by" in result.left_out["planted"]
    assert result.left_out["nowhere"] == "No module named 'nowhere'"
    assert result.left_out["dying"] == "its process has died"
    assert len(said) == 3
    assert contest.versions() == ["planted 1", f"NumPy {np.__version__}"]


def measured():
    ours = Timing("backpath", "train", (1e-6, 2e-6, 3e-6, 4e-6, 100e-6))
    slow, fast = Timing("JAX", "slow", (9e-6, 9e-6, 9e-6)), Timing("JAX", "fast", (6e-6, 7.5e-6, 9e-6))
    return Measured(XOR, (ours, slow, fast), {"torch": "No module named 'torch'"})


def test_medians_spreads_and_ratios():
    result = measured()
    ours = result.best()["backpath"]
    assert ours.median == 3e-6
    assert ours.spread == pytest.approx(1 / 3)  # quartiles 2 and 4 µs
    assert Timing("x", "", (1.0,)).spread == 0
    assert result.best()["JAX"].form == "fast"
    assert result.ratios() == {"backpath": 1.0, "JAX": pytest.approx(2.5)}
    assert Measured(XOR, result.timings[1:], {}).ratios() == {}


def test_table_and_page():
    assert table([measured(), Measured(ROWS[1], (), {})]).splitlines() == [
        "| work | backpath | JAX |",
        "|---|---|---|",
        f"| {XOR.title} | 3.00 µs ±33% | **2.50×** 7.50 µs ±10% |",
        f"| {ROWS[1].title} | — | — |",
    ]
    text = page([measured()], ["a machine"], rounds=3, growth=False)
    assert "\n- a machine\n" in text
    assert "\n- torch (xor): No module named 'torch'\n" in text
    assert "growth" not in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1.234e-7, "123 ns"), (9.996e-7, "1.00 µs"), (0.05, "50.0 ms"), (0.9999, "1.00 s"), (12.34, "12.3 s"),
     (4.4e-9, "4.40 ns"), (9.996e-9, "10.0 ns"), (4e-10, "0.40 ns")],
)  # fmt: skip
def test_durations(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize("per_epoch", [1e-9, 2e-5, 0.01, 3.0])
def test_epochs_fill_the_time_that_is_wanted(per_epoch):
    epochs = enough_epochs(lambda n: 1e-4 + n * per_epoch, 0.3)
    assert epochs == 1 or 0.15 <= 1e-4 + epochs * per_epoch <= 0.6


def test_growth_panels_vary_one_thing():
    for title, points in growth.panels().items():
        assert len({x for x, _ in points}) == len(points), title
        assert len({row for _, row in points}) == len(points), title


def test_the_command(tmp_path):
    command = [sys.executable, "-m", "bench", "--quick", "--rows", "xor,call", "--contenders", "backpath,numpy"]
    process = subprocess.run(
        [*command, "--out", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert process.returncode == 0, process.stderr
    header, _, *rows = process.stdout.splitlines()
    assert header == "| work | backpath | NumPy |"
    assert len(rows) == 2 and all("×**" in row for row in rows)
    assert process.stdout in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "<svg" in (tmp_path / "images" / "benchmarks.svg").read_text(encoding="utf-8")
