"""The network that fits a table."""

import numpy as np
import pytest

import backpath as bp
from backpath.errors import DivergenceError
from backpath.files.tables import read_training_table
from backpath.tabular.candidates import LINEAR, candidates
from backpath.tabular.committee import side_by_side
from backpath.tabular.fit_table import fit
from backpath.tabular.judge import Trainer, counts_something


def table_of(tmp_path, columns, **choices):
    names = list(columns)
    rows = zip(*columns.values())
    text = "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "t.csv").write_text(text + "\n")
    return read_training_table(tmp_path / "t.csv", names[-1], **choices)


@pytest.mark.parametrize("hidden", [(4,), (4, 3)])
@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_networks_side_by_side_average_their_net_inputs(hidden, output):
    kinds = [*["tanh"] * len(hidden), output]
    nets = [bp.Network((3, *hidden, 2), activations=kinds, seed=seed) for seed in range(3)]
    X = np.random.default_rng(0).normal(size=(10, 3))
    found = side_by_side(nets)
    last = [net.forward(X)["u_A2"] for net in (*nets, found)]
    assert last[-1] == pytest.approx(np.mean(last[:-1], axis=0))
    assert found.sizes == (3, *(3 * n for n in hidden), 2)


def test_a_line_is_fitted_by_a_linear_model_and_a_curve_by_neurons():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    straight = X[:, :1] - 2 * X[:, 1:2] + 0.3 * rng.normal(size=(150, 1))
    assert fit(X, straight, "regression").settings.solver == LINEAR
    bent = np.abs(X[:, :1]) + 0.05 * rng.normal(size=(150, 1))
    found = fit(X, bent, "regression")
    assert found.settings.solver != LINEAR
    new = rng.normal(size=(200, 3))
    assert 1 - np.mean((found.network.predict(new)[:, 0] - np.abs(new[:, 0])) ** 2) / np.abs(new[:, 0]).var() > 0.9


def test_settings_of_the_call_do_not_change():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, :1] > 0).astype(float)
    found = fit(X, y, "binary", {"hidden": (3,), "activation": "sigmoid", "epochs": 30})
    assert (found.network.sizes, found.network.activations) == ((2, 3, 1), ("sigmoid", "sigmoid"))
    assert (found.members, found.result.epochs <= 30) == (1, True)
    assert {one.settings.decay for one in found.compared} == {0.1, 1.0, 10.0}
    alone = fit(X, y, "binary", {"solver": "gd", "hidden": (3,)})
    assert (alone.settings.solver, alone.compared) == ("gd", ())


def test_candidates_are_fewer_where_more_is_given():
    assert candidates("binary", 100, 3, {})[0].solver == LINEAR
    assert [
        one.hidden for one in candidates("binary", 100, 3, {"hidden": (8,), "decay": 1.0, "activation": "tanh"})
    ] == [(8,)]
    assert candidates("regression", 100, 3, {"hidden": ()})[0].solver == LINEAR
    assert candidates("binary", 10**6, 3, {})[1].epochs == 20


def test_the_same_call_gives_the_same_network():
    X = np.random.default_rng(0).normal(size=(80, 2))
    y = np.sin(2 * X[:, :1])
    a, b = (fit(X, y, "regression", seed=3) for _ in range(2))
    assert a.network == b.network


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 7])
def test_a_handful_of_rows_is_trained_on_too(rows):
    X = np.linspace(-1, 1, rows)[:, None]
    assert np.isfinite(fit(X, X, "regression").network.predict(X)).all()


def test_what_diverges_says_so():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(DivergenceError):
        fit(X, X[:, :1], "regression", {"learning_rate": 1e300, "solver": "gd"})


def test_rows_that_count_more_are_fitted_better():
    X = np.repeat([[-1.0], [1.0]], 30, axis=0)
    y = np.where(np.arange(60)[:, None] % 2, 1.0, -1.0)
    weight = np.where(y[:, 0] > 0, 9.0, 1.0)
    found = fit(X, y, "regression", weight=weight).network.predict([[-1.0], [1.0]])
    assert found[:, 0] == pytest.approx([0.8, 0.8], abs=0.15)  # their weighted mean


def test_a_cross_validation_holds_out_every_row_once(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = table_of(tmp_path, {"x": x, "y": (3 * x + 100).round(6)})
    found = Trainer(table, {}).cross_validated(4)
    assert (found.verdict.on, found.verdict.rows, len(found.verdict.scores)) == ("cross-validation", 60, 4)
    target = found.preparation.target
    true = np.sort(found.wanted[:, 0] * target.scale + target.mean)
    assert true == pytest.approx(np.sort((3 * x + 100).round(6)))  # in the units of one preparation
    assert found.verdict.model.r2 > 0.99
    assert list(found.importance) == ["x"]


def test_classes_are_balanced_by_weights(tmp_path):
    table = table_of(tmp_path, {"x": range(40), "y": ["a"] * 30 + ["b"] * 10})
    weight = table.balanced().weight
    assert weight[:30].sum() == pytest.approx(weight[30:].sum()) == pytest.approx(20)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ([0, 0, 0, 1, 0, 2, 1, 0, 0, 3] * 3 + [4], True),
        ([k % 10 for k in range(100)], False),  # digits
        ([0, 1] * 30, False),
        ([1.5, 0, 2] * 20, False),
        ([5, 6, 7, 8, 9] * 12, False),
    ],
)
def test_counts_are_seen(tmp_path, values, answer):
    table = table_of(tmp_path, {"x": [k * 1.5 for k in range(len(values))], "y": values})
    assert counts_something(table) is answer
