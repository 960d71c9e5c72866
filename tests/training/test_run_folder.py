"""The folder of a run: what was written is read back, and nothing else is taken for it."""

import json

import pytest

from backpath.errors import InputError
from backpath.training.run_folder import numbers_of, read_run, states_of, write_run


def test_a_description_is_read_back(tmp_path):
    write_run(tmp_path, {"state": "running", "call": {"epochs": 3, "name": "é"}})
    found = read_run(tmp_path)
    assert found == {"format": "backpath run", "version": 1, "state": "running", "call": {"epochs": 3, "name": "é"}}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"epochs": 3', '"epochs": 4'),
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text[:-2],
        lambda text: json.dumps({key: value for key, value in json.loads(text).items() if key != "sha256"}),
        lambda text: "[]",
        lambda text: "",
    ],
)
def test_another_description_is_refused(tmp_path, change):
    write_run(tmp_path, {"epochs": 3})
    file = tmp_path / "run.json"
    file.write_text(change(file.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=r"run\.json is not what backpath wrote there; start again in another folder$"):
        read_run(tmp_path)


def test_a_later_version_is_refused_though_its_digest_is_right(tmp_path):
    write_run(tmp_path, {"version": 2})
    with pytest.raises(InputError, match="is not what backpath wrote there"):
        read_run(tmp_path)


def test_folders_without_a_run(tmp_path):
    with pytest.raises(InputError, match="does not contain a run; give the folder of train --checkpoint"):
        read_run(tmp_path)
    (tmp_path / "run.json").mkdir()
    with pytest.raises(InputError, match=r"run\.json cannot be read: (Is a directory|Permission denied)$"):
        read_run(tmp_path)


def test_checkpoints_are_in_the_order_of_their_numbers(tmp_path):
    states = ["10-2", "2-11", "2-9", "1-100"]
    others = ["0-1", "1-0", "01-1", "1-1234567890", "1", "a-1", "1-1-1"]
    for name in [*states, *others]:
        (tmp_path / f"{name}.checkpoint").touch()
    (tmp_path / "1-1.checkpoint.tmp").touch()
    assert [file.stem for file in states_of(tmp_path)] == states
    assert [file.stem for file in states_of(tmp_path, 2)] == ["2-11", "2-9"]
    assert states_of(tmp_path, 3) == []
    assert numbers_of(tmp_path / "123456789-7.checkpoint") == (123456789, 7)
