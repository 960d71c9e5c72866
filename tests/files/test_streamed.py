"""Tables that do not fit in the memory they may take: read in blocks, and trained on in pools."""

import csv
import json

import duckdb
import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.files import streaming
from backpath.files.memory_budget import budget, free_memory
from backpath.files.tables import read_or_stream, read_training_table
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.stream_engine import StreamEngine
from backpath.training.job import Job, Solver
from commands import backpath, done, refused
from memory import measure

ROWS = 5000


def write(path, rows=ROWS, seed=0):
    """Numbers with gaps, dates, categories, and a target that depends on them."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(5, 3, rows), rng.integers(0, 9, rows)
    city = rng.choice(["Bonn", "Köln", "Ulm"], rows)
    y = a - b + (city == "Ulm") * 2
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "city", "day", "y"])
        for k in range(rows):
            gap = "" if k % 50 == 3 else repr(float(a[k]))
            day = f"2024-{1 + k % 12:02}-{1 + k % 28:02}"
            writer.writerow([gap, b[k], city[k], day, "" if k % 100 == 7 else repr(float(y[k]))])
    return path


@pytest.fixture
def streams(monkeypatch):
    """Every table is streamed, in pools of some 400 rows."""
    monkeypatch.setattr(streaming, "INPUT_COPIES", 1e9)
    monkeypatch.setattr("backpath.files.memory_budget.Budget.pool", 400 * 8 * 16)
    monkeypatch.setattr(streaming, "LEAST_BLOCK", 50)


def read(path, **choices):
    return bp.read_table(path, target="y", **choices)


@pytest.mark.parametrize("choices", [{}, {"missing": "drop"}, {"standardize": False}, {"ignore": ["a"]}])
def test_a_streamed_table_is_prepared_as_in_memory(tmp_path, streams, choices):
    path = write(tmp_path / "t.csv")
    known = read_training_table(path, "y", None) if not choices else None
    streamed = read(path, **choices)
    streaming_copies = streaming.INPUT_COPIES
    streaming.INPUT_COPIES = 2.5
    known = known or read(path, **choices)
    streaming.INPUT_COPIES = streaming_copies
    assert streamed.preparation.to_dict() == known.preparation.to_dict()
    assert streamed.notes[:-1] == known.notes
    assert "rows are read in blocks" in streamed.notes[-1]
    parts = list(streamed.blocks(seed=3))
    X, y = (np.concatenate(arrays) for arrays in zip(*parts))
    assert len(parts) > 5 and X.shape == known.X.shape
    order, expected = np.lexsort(np.column_stack([X, y]).T), np.lexsort(np.column_stack([known.X, known.y]).T)
    assert np.array_equal(X[order], known.X[expected]) and np.array_equal(y[order], known.y[expected])


def test_rows_beyond_those_in_memory_count_in_means_and_deviations(tmp_path, streams, monkeypatch):
    path = write(tmp_path / "t.csv")
    monkeypatch.setattr(streaming, "MOST_SAMPLED", 1000)
    known, streamed = read_training_table(path, "y").preparation, read(path).preparation
    for found, wanted in zip(streamed.inputs[:2], known.inputs[:2]):
        assert found.mean == pytest.approx(wanted.mean, rel=1e-2 if found.missing else 1e-12)
        assert found.scale == pytest.approx(wanted.scale, rel=1e-2 if found.missing else 1e-12)
        assert found.missing == wanted.missing
    assert streamed.target.mean == pytest.approx(known.target.mean, rel=1e-12)
    assert streamed.target.scale == pytest.approx(known.target.scale, rel=1e-12)


@pytest.mark.parametrize("second", [3, 7])
def test_a_column_whose_numbers_are_all_outside_memory(tmp_path, streams, monkeypatch, second):
    monkeypatch.setattr(streaming, "MOST_SAMPLED", 1000)
    path = tmp_path / "t.csv"

    def table(numbers):
        path.write_text("rare,x,y\n" + "".join(f"{numbers.get(k, '')},{k % 13},{k % 7 / 3}\n" for k in range(ROWS)))
        return read(path)

    outside = np.setdiff1d(np.arange(ROWS), table({0: 1, 1: 2}).places)[:2].tolist()
    found = table({outside[0]: 3, outside[1]: second})
    assert [column.name for column in found.columns] == (["x"] if second == 3 else ["rare", "x"])


def test_filled_cells_count_in_means_and_deviations(tmp_path, streams, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{('', 0, 1, 1, 2)[k % 5]},{k}\n" for k in range(ROWS)))
    monkeypatch.setattr(streaming, "MOST_SAMPLED", 1000)
    kind = read(path).preparation.inputs[0]
    filled = np.array([1, 0, 1, 1, 2])  # with the median
    assert (kind.fill, kind.mean, kind.scale) == (1, pytest.approx(filled.mean()), pytest.approx(filled.std()))


def test_the_order_depends_on_seed_and_epoch_only_and_mixes_the_file(tmp_path, streams):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{k},{k % 7 / 3}\n" for k in range(ROWS)))
    table = read(path, standardize=False)
    orders = [np.concatenate([X[:, 0] for X, _ in table.blocks(seed, epoch)]) for seed, epoch in
              [(0, 0), (0, 0), (0, 1), (1, 0)]]  # fmt: skip
    assert np.array_equal(orders[0], orders[1])
    for order in orders:
        assert sorted(order) == list(range(ROWS))
    for other in orders[2:]:
        assert (orders[0] == other).mean() < 0.05
    first = np.concatenate([X[:, 0] for X, _ in [next(table.blocks(0, 0))]])
    assert first.std() > 0.5 * np.arange(ROWS).std()  # from all over the file


def test_a_run_can_be_taken_up_at_any_pool(tmp_path, streams):
    table = read(write(tmp_path / "t.csv"))
    whole = list(table.pools(5, 2, 32, True))
    assert {len(pool.X) % 32 for pool in whole[:-1]} == {0}
    for first in (1, 4, len(whole) - 1):
        for pool, wanted in zip(table.pools(5, 2, 32, True, first), whole[first:], strict=True):
            assert np.array_equal(pool.X, wanted.X) and np.array_equal(pool.order, wanted.order)


@pytest.mark.parametrize("solver", ["gd", "momentum", "adam"])
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_the_model_is_the_same_as_in_memory_if_the_order_is(tmp_path, streams, solver, engine):
    """In memory, by a network that is trained on the same rows in the same order, an epoch at a time."""
    table = read(write(tmp_path / "t.csv"))
    net = bp.Network((len(table.preparation.input_labels), 5, 1), ["tanh", "identity"], seed=1)
    settings = {"batch_size": 32, "solver": solver, "learning_rate": 0.01, "engine": engine, "l2": 0.1}
    streamed = bp.train(net, table, epochs=1, shuffle=True, seed=4, **settings)
    pools = list(table.pools(4, 0, 32, True))
    X, y = (np.concatenate([getattr(pool, name)[pool.order] for pool in pools]) for name in "Xy")
    known = bp.train(net, X, y, epochs=1, **settings)
    for found, wanted in zip(streamed.network.weights, known.network.weights):
        assert np.array_equal(found, wanted)
    assert streamed.history.cost == pytest.approx(known.history.cost, rel=1e-12)


def test_several_epochs_go_on_from_each_other(tmp_path, streams):
    table = read(write(tmp_path / "t.csv"))
    net = bp.Network((len(table.preparation.input_labels), 5, 1), ["tanh", "identity"], seed=1)
    result = bp.train(net, table, epochs=12, batch_size=32, solver="adam", shuffle=True)
    assert result.epochs == 12 and result.history.cost[-1] < 0.05 < result.history.cost[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give batch_size, such as 256"),
        ({"batch_size": 32, "solver": "lm"}, "lm uses all samples"),
        ({"batch_size": 32, "restarts": 3}, "restarts need all samples"),
        ({"batch_size": 32, "sample_weight": [1.0]}, "leave sample_weight out"),
    ],
)
def test_what_needs_all_samples_at_once_is_refused(tmp_path, streams, settings, said):
    table = read(write(tmp_path / "t.csv", rows=300))
    net = bp.Network((len(table.preparation.input_labels), 2, 1))
    with pytest.raises(InputError, match=said):
        bp.train(net, table, epochs=1, **settings)


def test_train_takes_a_table_in_memory_too(tmp_path):
    table = read(write(tmp_path / "t.csv", rows=200))
    net = bp.Network((len(table.preparation.input_labels), 2, 1), ["tanh", "identity"])
    found, wanted = bp.train(net, table, epochs=3), bp.train(net, table.X, table.y, epochs=3)
    assert np.array_equal(found.network.weights[0], wanted.network.weights[0])
    with pytest.raises(InputError, match="y is missing"):
        bp.train(net, table.X, epochs=3)


def test_estimators_take_a_table_in_blocks(tmp_path, streams):
    path = write(tmp_path / "t.csv")
    table = bp.read_table(path, target="city")
    model = bp.MLPClassifier(hidden_layer_sizes=(4,), random_state=0)
    names = table.preparation.target.classes
    for epoch in range(2):
        for X, y in table.blocks(0, epoch):
            model.partial_fit(X, table.preparation.labels(y), classes=names)
    assert model.t_ > 9000 and list(model.classes_) == list(names)


def test_the_rows_in_memory_take_their_share_and_are_spread_over_the_file(tmp_path, streams, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{k},{k % 7 / 3}\n" for k in range(ROWS)))
    monkeypatch.setattr("backpath.files.memory_budget.Budget.sample", 2 * 2000 * 4 * 8)  # a row: X, y, and both again
    sample = read(path, standardize=False).sample
    assert sample.rows == 2000
    counts, _ = np.histogram(sample.columns[0].values, bins=10, range=(0, ROWS))
    assert counts.min() > 150 and counts.max() < 250  # 200 each, give or take
    monkeypatch.setattr("backpath.files.memory_budget.Budget.sample", 1)
    assert read(path).sample.rows == 1000


def test_several_files_are_one_table(tmp_path, streams):
    for part in range(3):
        path = write(tmp_path / f"part-{part}.csv", rows=1500, seed=part)
        duckdb.sql(f"COPY (FROM '{path}') TO '{path.with_suffix('.parquet')}' (FORMAT parquet)")
    tables = [read(str(tmp_path / f"part-*.{kind}")) for kind in ("csv", "parquet")]
    known = read([tmp_path / f"part-{part}.csv" for part in range(3)])
    for table in (*tables, known):
        parts = [pool.X for pool in table.pools(0, 0, 1, False)]
        assert table.rows == 3 * 1485 and len(parts) > 5
        assert np.concatenate(parts) == pytest.approx(np.concatenate([p.X for p in known.pools(0, 0, 1, False)]))


@pytest.mark.slow
def test_the_command_streams_and_judges(tmp_path):
    cells = ", ".join(f"random() * 2 - 1 AS x{k}" for k in range(40))
    for part in range(3):
        path = tmp_path / f"part-{part}.parquet"
        duckdb.sql(f"COPY (SELECT *, x0 > x1 * x2 AS y FROM (SELECT {cells} FROM range(60000))) TO '{path}'")
    call = ("train", "part-*.parquet", "--target", "y", "--memory", "256MB")
    found = json.loads(done(*call, "--hidden", "2", "--epochs", "1", "--json", "--out", "m", cwd=tmp_path))
    assert found["rows"] == 180_000 and found["verdict"]["on"] == "held-out" and found["verdict"]["rows"] > 1000
    assert found["verdict"]["model"]["accuracy"] > 0.8
    for options, said in (
        (("--solver", "lm", "--cost", "squared_error"), "lm uses all samples"),
        (("--cv", "3"), "needs the table in memory"),
        (("--batch-size", "0", "--hidden", "2"), "--batch-size"),
    ):
        assert said in refused(*call, *options, cwd=tmp_path)
    predicted = done("predict", "m", "part-0.parquet", "--memory", "256MB", cwd=tmp_path)
    assert predicted.count("\n") == 60_001
    assert "at least 256MB" in refused("predict", "m", "part-0.parquet", "--memory", "1MB", cwd=tmp_path)
    assert backpath("look", "part-0.parquet", "--memory", "256MB", cwd=tmp_path).returncode == 0


def test_balance_and_weights_are_as_in_memory(tmp_path, streams, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("x,w,y\n" + "".join(f"{k % 13},{k % 3 + 1},{'ab'[k % 5 == 0]}\n" for k in range(ROWS)))
    table = read(path).weighed("w", "t.csv").balanced()
    monkeypatch.setattr(streaming, "INPUT_COPIES", 0)
    known = read(path).weighed("w", "t.csv").balanced()
    pools = list(table.pools(0, 0, 1, False))
    assert np.concatenate([pool.weight for pool in pools]) == pytest.approx(known.weight)
    assert np.array_equal(np.concatenate([pool.X for pool in pools]), known.X)


def test_held_out_rows_are_not_trained_on(tmp_path, streams, monkeypatch):
    monkeypatch.setattr(streaming, "MOST_SAMPLED", 1000)
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{k},{k * 0.5}\n" for k in range(ROWS)))
    division = read(path, standardize=False).division(0.05, seed=0)
    held = division.X_held_out[:, 0]
    seen = np.concatenate([pool.X[:, 0] for pool in division.stream.pools(0, 0, 32)])
    assert len(held) == 250 and len(seen) == ROWS - 250 and not set(held) & set(seen)
    less = division.stream.without(np.arange(10))
    seen = np.concatenate([pool.X[:, 0] for pool in less.pools(0, 0, 32)])
    assert len(seen) == less.rows == ROWS - 260 and not set(division.X[:10, 0]) & set(seen)


def test_memory_is_an_amount(tmp_path):
    assert budget("2GB").total == 2 * 10**9 and budget("1.5 GiB").total == 3 * 2**29 and budget(10**9).total == 10**9
    assert 0 < budget().total <= free_memory()
    for wrong in ("much", "2XB", "-3GB", "1MB", "0", True):
        with pytest.raises(InputError, match="memory"):
            budget(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_larger_than_the_allowed_memory(tmp_path, kind):
    path, rows, columns = tmp_path / f"t.{kind}", 600_000, 40
    cells = ", ".join(f"random() * 2 - 1 AS x{k}" for k in range(columns - 1))
    duckdb.sql(f"COPY (SELECT *, x0 * x1 + x2 AS y FROM (SELECT {cells} FROM range({rows}))) TO '{path}'")
    code = """
table = read_or_stream(sys.argv[1], "y", Choices(), Dialect(), budget("256MB"))
division = table.division(0.2, 0)
result = train(Network((39, 8, 1), ["tanh", "identity"]), division.stream, epochs=1, solver="adam", batch_size=256,
               shuffle=True, validation=(division.X_held_out, division.y_held_out))
outcome = [table.rows, len(division.X_held_out), float(result.history.validation_cost[-1])]
"""
    imports = """
import duckdb, numpy
from backpath.files.tables import read_or_stream
from backpath.files.choices import Choices
from backpath.files.dialect import Dialect
from backpath.files.memory_budget import budget
from backpath import Network, train
"""
    taken, seconds, (found, held, cost) = measure(imports, code, path)
    print(f"{kind}: {rows * columns * 8 / 1e6:.0f} MB as numbers; {taken / 1e6:.0f} MB more, {seconds:.1f} s")
    assert found == rows and held > 1000 and cost < 0.7
    assert taken <= 256e6


def test_a_stream_is_given_by_the_reader_only_where_memory_is_short(tmp_path):
    path = write(tmp_path / "t.csv", rows=300)
    found = read_or_stream(path, "y", *_defaults(), budget("256MB"))
    assert not hasattr(found, "spool")


def _defaults():
    from backpath.files.choices import Choices
    from backpath.files.dialect import Dialect

    return Choices(), Dialect()


def test_a_run_goes_on_in_the_midst_of_an_epoch(tmp_path, streams):
    table = read(write(tmp_path / "t.csv"))
    net = bp.Network((len(table.preparation.input_labels), 3, 1), ["tanh", "identity"], seed=1)
    first = next(table.pools(0, 0, 1, False))
    job = Job(net, first.X, first.y, "squared_error", Solver.checked("adam", 0.01), 32, shuffle=True, seed=2)
    whole, other = (StreamEngine(CompiledEngine, job, table) for _ in range(2))
    while len(whole.costs) < 3:
        whole.run(1)
    other.at_once = 0  # a pool a call
    for _ in range(20):
        other.run(1)
    assert other.position[1] > 0 and len(other.costs) < 3
    again = StreamEngine(CompiledEngine, job, table)
    again.restore(other.state())
    while len(again.costs) < 3:
        again.run(1)
    assert again.costs == whole.costs
    for found, wanted in zip(again.weights, whole.weights):
        assert np.array_equal(found, wanted)
