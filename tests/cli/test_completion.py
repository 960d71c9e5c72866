"""What a shell completes."""

import os
import subprocess
import sys

import duckdb
import pytest


@pytest.mark.parametrize("file", ["t.csv", "t.parquet", "none.csv"])
@pytest.mark.parametrize(
    "call", ["train {} --target", "train {} --ignore x --keep-column", "look {} --target", "predict m {} --keep"]
)
def test_columns_of_the_table_are_completed(tmp_path, file, call):
    (tmp_path / "t.csv").write_text("price;pulse;size\n1;2;3\n4;5;6\n")
    duckdb.sql(f"COPY (SELECT 1 AS price, 2 AS pulse, 3 AS size) TO '{tmp_path}/t.parquet' (FORMAT parquet)")
    words = ["backpath", *call.format(file).split(), "p"]
    shell = {"_BACKPATH_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-m", "backpath"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | shell, capture_output=True, text=True, check=False)
    completed = [line.partition(",")[2] for line in done.stdout.splitlines() if line]
    assert completed == ([] if file == "none.csv" else ["price", "pulse"]), done.stderr
