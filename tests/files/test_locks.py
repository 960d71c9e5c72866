"""A lock is held by one process, which it names, until it is released or its process ends."""

import os
import subprocess
import sys

import pytest

from backpath.errors import InputError
from backpath.files.locks import Lock, is_locked
from commands import started

HOLD = "import sys, pathlib; from backpath.files.locks import Lock; lock = Lock(pathlib.Path(sys.argv[1]), 'it'); "


def named(process):
    """A lock's holder in a message; Windows lets no other process read who it is."""
    return f"process {process}" if hasattr(os, "pread") else "another process"


def test_a_second_lock_is_refused_and_names_the_holder(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = Lock(path, "the run in models")
    assert is_locked(path)
    with pytest.raises(InputError) as caught:
        Lock(path, "the run in models")
    assert str(caught.value) == (
        f"{named(os.getpid())} is using the run in models; wait for it, or give another folder"
    )
    lock.release()
    assert (
        not is_locked(path) and path.read_bytes() == b""
    )  # a later holder that cannot write is not taken for this one
    Lock(path, "the run in models").release()


@pytest.mark.parametrize("system", ["posix", "nt"])
def test_a_lock_is_removed_with_its_file(tmp_path, monkeypatch, system):
    lock = Lock(tmp_path / "lock", "it")
    monkeypatch.setattr(os, "name", system)
    lock.remove()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    lock.release()  # as at the end of a run, which does not know
    Lock(tmp_path / "lock", "it").release()


def test_an_unknown_holder_is_another_process(tmp_path):
    path = tmp_path / "lock"
    lock = Lock(path, "it")
    path.write_bytes(b"")  # as if its disk had been full
    with pytest.raises(InputError, match=r"^another process is using it"):
        Lock(path, "it")
    lock.release()


def test_a_process_that_ends_holds_nothing(tmp_path):
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD + "print('held', flush=True); sys.stdin.read()", str(path)]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        with pytest.raises(InputError, match=rf"^{named(holder.pid)} is using it"):
            Lock(path, "it")
        holder.kill()
        holder.wait()
    assert not is_locked(path)
    Lock(path, "it").release()


def test_a_lock_in_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"^cannot write .*lock: No such file or directory; give another folder"):
        Lock(tmp_path / "none" / "lock", "it")
