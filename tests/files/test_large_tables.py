"""A table of a million rows is taken without holding more than three times its size as numbers."""

import numpy as np
import pytest

from memory import measure

ROWS, COLUMNS = 1_000_000, 14
READ = """
table = read_training_table(sys.argv[1], "y")
X, y, X_valid, y_valid, preparation = table.split(0.2, seed=0)
del table
outcome = [*X.shape, *X_valid.shape, *y.shape]
"""


@pytest.mark.slow
def test_a_million_rows_take_three_times_their_size_at_most(tmp_path):
    path = tmp_path / "t.csv"
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join(f"x{k}" for k in range(COLUMNS - 1)) + ",y\n")
        for _ in range(ROWS // 10_000):
            rows = rng.normal(size=(10_000, COLUMNS)).tolist()
            file.write("".join(",".join(map(repr, row)) + "\n" for row in rows))
    imports = "import duckdb, numpy\nfrom backpath.files.tables import read_training_table"
    taken, seconds, shapes = measure(imports, READ, path)
    size = ROWS * COLUMNS * 8
    print(f"{path.stat().st_size / 1e6:.0f} MB: {taken / 1e6:.0f} MB more, {taken / size:.2f} times, {seconds:.1f} s")
    assert shapes == [800_000, 13, 200_000, 13, 800_000, 1]
    assert taken <= 3 * size
