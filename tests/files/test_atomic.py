"""A file is wholly written or not at all, and nothing else is left behind."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backpath.errors import InputError
from backpath.files import atomic
from backpath.files.atomic import check_writable, write_atomically
from commands import needs_posix, needs_signals

IS_ROOT = getattr(os, "geteuid", lambda: None)() == 0  # Windows has no user numbers


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_content_replaces_content(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, b"one")
    write_atomically(str(path), lambda file: file.write(b"two") and None)
    assert path.read_bytes() == b"two" and names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("failure", [RuntimeError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        raise failure

    with pytest.raises(type(failure)) as caught:
        write_atomically(path, write)
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.txt"]
    if isinstance(failure, OSError):
        assert caught.value.filename == str(path) and caught.value.errno == errno.ENOSPC


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fsync(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.txt"]


def test_the_content_is_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda *names: (order.append("replace"), replace(*names))[1])
    write_atomically(tmp_path / "a.txt", b"one")
    assert order == ["fsync", "replace", *["fsync"] * (os.name == "posix")]  # at last of the folder


@needs_posix
def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to("a.txt")
    write_atomically(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_mode_and_owner_are_there_before_the_first_byte(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    if IS_ROOT:
        os.chown(path, 1234, 2345)
    seen = []

    def write(file):
        seen.append(os.fstat(file.fileno()))
        file.write(b"new")

    before = path.stat()
    write_atomically(path, write)
    for found in (*seen, path.stat()):
        assert (found.st_mode, found.st_uid, found.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@needs_signals
@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("unnamed", [True, False])
def test_a_killed_process_leaves_the_old_file_and_nothing_after_the_next_write(tmp_path, end, unnamed):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    code = f"""if True:
        import os, signal, time
        import backpath.files.atomic as atomic
        if not {unnamed}: atomic._UNNAMED = 0
        def write(file):
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.{end})
            time.sleep(10)
        atomic.write_atomically({str(path)!r}, write)
    """
    died = subprocess.run([sys.executable, "-c", code], check=False, env=os.environ | {"PYTHONSAFEPATH": "1"})
    assert died.returncode == -getattr(signal, end)
    assert path.read_bytes() == b"old"
    if unnamed and atomic._UNNAMED:
        assert names(tmp_path) == ["a.txt"]
    write_atomically(tmp_path / "b.txt", b"")
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_file_that_is_being_written_is_not_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_UNNAMED", 0)

    def write(file):
        write_atomically(tmp_path / "b.txt", b"two")
        file.write(b"one")

    write_atomically(tmp_path / "a.txt", write)
    assert names(tmp_path) == ["a.txt", "b.txt"] and (tmp_path / "a.txt").read_bytes() == b"one"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_only_looks_like_a_leftover_stays(tmp_path):
    os.mkfifo(tmp_path / ".backpath-0.tmp")  # opening it would wait forever
    (tmp_path / ".backpath-1.tmp").symlink_to(tmp_path / "other")
    (tmp_path / "other").write_text("kept")
    write_atomically(tmp_path / "a.txt", b"new")
    assert {path.name for path in tmp_path.iterdir()} == {".backpath-0.tmp", ".backpath-1.tmp", "other", "a.txt"}


@needs_posix
def test_a_working_directory_that_is_gone_is_one_line(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InputError, match=r"cannot write a\.txt: the working directory no longer exists"):
        check_writable("a.txt")


@needs_posix
def test_a_new_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.txt", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


REFUSED = {
    "a folder": (".", "cannot write .: it is a folder; give a file name in it"),
    "no folder": ("none/a.txt", "cannot write none/a.txt: its folder does not exist; create it first"),
    "a file as folder": ("file/a.txt", "cannot write file/a.txt: its folder does not exist; create it first"),
    "a device": ("/dev/null", "cannot write /dev/null: it is not a regular file; give another path"),
    "a long name": ("x" * 300, f"cannot write {'x' * 300}: File name too long; give another path"),
    "no path": (5, "5 cannot be the name of a file; give another path"),
    "a NUL": ("a\0b", "'a\\x00b' cannot be the name of a file; give another path"),
}


@pytest.mark.parametrize("refuse", [check_writable, lambda path: write_atomically(path, b"new")])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=needs_posix) if n in ("a device", "a long name") else n for n in REFUSED]
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, monkeypatch, name, refuse):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"old")
    path, expected = REFUSED[name]
    with pytest.raises(InputError) as caught:
        refuse(path)
    assert str(caught.value) == expected
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that takes no files, even of root's")
@pytest.mark.parametrize("refuse", [check_writable, lambda path: write_atomically(path, b"new")])
def test_an_unwritable_folder_is_refused(refuse):
    with pytest.raises(InputError, match=r"cannot write /proc/self/a\.txt: its folder is not writable"):
        refuse("/proc/self/a.txt")


@pytest.mark.skipif(IS_ROOT, reason="root writes every file")
def test_a_write_protected_file_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(InputError, match="it is write-protected"):
        write_atomically(path, b"new")


def test_a_check_leaves_nothing(tmp_path):
    check_writable(tmp_path / "a.txt")
    assert names(tmp_path) == []


@needs_posix
def test_a_file_that_is_read_is_never_written_over(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to("a.csv")
    for path in (tmp_path / "a.csv", tmp_path / "link.csv", tmp_path / "." / "a.csv"):
        with pytest.raises(InputError, match=r"cannot write .*a?\.csv: this command reads it; give another path"):
            check_writable(path, inputs=[tmp_path / "other.csv", tmp_path / "a.csv"])
    check_writable(tmp_path / "b.csv", inputs=[tmp_path / "a.csv", "xor"])
