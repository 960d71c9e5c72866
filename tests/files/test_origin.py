"""A model finds the table that it was trained on, unless it has changed."""

import pytest

from backpath.errors import InputError
from backpath.files.origin import beside, found_table, origin_of


@pytest.fixture
def files(tmp_path):
    (tmp_path / "data").mkdir()
    paths = [tmp_path / "data" / name for name in ("a.csv", "b.csv")]
    for path in paths:
        path.write_text(f"x,y\n{path.stem},1\n")
    return paths


def record(files, model):
    return {"table": beside(origin_of(files), model)}


def test_a_model_and_its_table_can_be_moved_together(files, tmp_path):
    kept = record(files, tmp_path / "m.safetensors")
    assert kept["table"]["files"] == ["data/a.csv", "data/b.csv"]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").rename(tmp_path / "elsewhere" / "data")
    moved = tmp_path / "elsewhere" / "m.safetensors"
    assert found_table(kept, moved) == [tmp_path / "elsewhere" / "data" / path.name for path in files]
    with pytest.raises(InputError, match=r"data/a\.csv, does not exist"):
        found_table(kept, tmp_path / "m.safetensors")


@pytest.mark.parametrize("changed", [0, 1])
def test_a_table_that_has_changed_is_not_used(files, tmp_path, changed):
    kept = record(files, tmp_path / "m.safetensors")
    files[changed].write_text("x,y\nc,1\n")
    with pytest.raises(InputError, match=r"data/a\.csv, data/b\.csv, has changed since"):
        found_table(kept, tmp_path / "m.safetensors")


def test_a_file_that_moves_rows_to_another_is_a_change(files, tmp_path):
    kept = record(files, tmp_path / "m.safetensors")
    first, second = (path.read_bytes() for path in files)
    files[0].write_bytes(first + second)
    files[1].write_bytes(b"")
    with pytest.raises(InputError, match="has changed since"):
        found_table(kept, tmp_path / "m.safetensors")


@pytest.mark.parametrize("table", [None, "t.csv", {}, {"files": "t.csv"}, {"files": [1], "sha256": ""}])
def test_a_record_without_a_table(tmp_path, table):
    with pytest.raises(InputError, match="does not say which table it was trained on"):
        found_table({"table": table}, tmp_path / "m.safetensors")


def test_no_files_are_no_table(tmp_path):
    with pytest.raises(InputError, match="has changed since"):
        found_table({"table": {"files": [], "sha256": origin_of([])["sha256"]}}, tmp_path / "m.safetensors")


def test_standard_input_cannot_be_found_again():
    assert origin_of(["-"]) is None
