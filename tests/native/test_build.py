"""The build hook: its choice of compiler, its requirements, and the tag of the wheel."""

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hatchling.builders.wheel import WheelBuilder

import hatch_build
from commands import needs_posix

ROOT = Path(hatch_build.__file__).parent


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """An environment in which nothing is chosen, on a machine with kernels."""
    for name in ("BACKPATH_CXX", "BACKPATH_TARGET", "BACKPATH_LEVELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hatch_build, "host", lambda: "linux-x86_64")


def pretend(monkeypatch, *compilers, ziglang=False):
    """A machine with these compilers, each as old as its name says."""
    monkeypatch.setattr(hatch_build, "sys", SimpleNamespace(platform="linux"))  # Windows takes ziglang only
    monkeypatch.setattr(hatch_build.shutil, "which", lambda name: name if name in compilers else None)
    monkeypatch.setattr(hatch_build, "is_usable", lambda command, processor: command[0] in compilers)
    monkeypatch.setattr(hatch_build.importlib.util, "find_spec", lambda name: ziglang or None)


@pytest.mark.parametrize(
    ("compilers", "taken"), [(("g++", "clang++"), ["clang++"]), (("g++",), ["g++"]), ((), hatch_build.ZIG)]
)
def test_the_compiler_that_is_there(compilers, taken, monkeypatch):
    pretend(monkeypatch, *compilers, ziglang=True)
    assert hatch_build.compiler() == taken


def test_ziglang_is_required_only_without_another_compiler(monkeypatch):
    pretend(monkeypatch, "g++")
    assert hatch_build.requirements() == []
    pretend(monkeypatch)
    assert hatch_build.requirements() == [hatch_build.ZIGLANG]
    monkeypatch.setenv("BACKPATH_CXX", "none")
    assert hatch_build.requirements() == []


def test_other_platforms_are_for_ziglang(monkeypatch):
    pretend(monkeypatch, "g++", ziglang=True)
    monkeypatch.setenv("BACKPATH_TARGET", "windows-aarch64")
    assert hatch_build.compiler() == hatch_build.ZIG
    assert hatch_build.requirements() == [hatch_build.ZIGLANG]
    monkeypatch.setenv("BACKPATH_TARGET", "amiga")
    with pytest.raises(SystemExit, match=r"BACKPATH_TARGET must be one of linux-x86_64, .*, but is 'amiga'"):
        hatch_build.compiler()


def test_a_machine_without_kernels_asks_for_nothing(monkeypatch):
    monkeypatch.setattr(hatch_build, "host", lambda: "linux-riscv64")
    assert hatch_build.compiler() is None
    assert hatch_build.requirements() == []


def test_a_compiler_that_will_not_do_is_refused(tmp_path, monkeypatch):
    old = tmp_path / "g++-11"
    old.write_text("#!/bin/sh\ncat >/dev/null\n")  # what remains of the probe if no branch is taken
    old.chmod(0o755)
    monkeypatch.setenv("BACKPATH_CXX", str(old))
    with pytest.raises(SystemExit, match=r"g\+\+-11 is not g\+\+ 12 or clang 17, or newer, for x86_64"):
        hatch_build.compiler()
    monkeypatch.setenv("BACKPATH_CXX", "no-such-compiler")
    with pytest.raises(SystemExit, match="no-such-compiler"):
        hatch_build.compiler()


@pytest.mark.parametrize("name", hatch_build.TARGETS)
def test_flags_keep_the_bits(name):
    target = hatch_build.TARGETS[name]
    for command, level in [(c, v) for c in (["g++"], hatch_build.ZIG) for v in hatch_build.LEVELS[target.processor]]:
        flags = hatch_build.flags(command, target, level)
        assert "-ffp-contract=off" in flags
        assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & set(flags)
        assert ("-target" in flags) == (command == hatch_build.ZIG)


def build_wheel(tmp_path):
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])))


def test_a_wheel_without_kernels_is_for_every_machine(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("BACKPATH_CXX", "none")
    wheel = build_wheel(tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "No native kernels are built" in "".join(capfd.readouterr())
    with zipfile.ZipFile(wheel) as contents:
        assert not [name for name in contents.namelist() if "kernels-" in name or name.endswith((".cpp", ".hpp"))]


def test_a_wheel_with_kernels(tmp_path, monkeypatch):
    def built(command, target, levels):
        made = [tmp_path / f"kernels-{level}{target.suffix}" for level in levels]
        for path in made:
            path.write_bytes(b"built")
        return made

    pretend(monkeypatch, "g++", ziglang=True)
    monkeypatch.setattr(hatch_build, "built", built)
    monkeypatch.setattr(hatch_build, "probed", lambda command, *options: "usable x86_64\nlevel x86_64_v3\n")
    monkeypatch.setattr("hatchling.builders.hooks.custom.load_plugin_from_script", lambda *_: hatch_build.KernelsHook)

    def kernels_in(wheel):
        with zipfile.ZipFile(wheel) as contents:
            found = [name for name in contents.namelist() if "kernels-" in name]
            assert {contents.read(name) for name in found} == {b"built"}
            return sorted(name.removeprefix(f"{hatch_build.NATIVE}/kernels-x86_64_") for name in found)

    wheel = build_wheel(tmp_path)
    assert wheel.name.endswith("-py3-none-linux_x86_64.whl")
    assert kernels_in(wheel) == ["v3.so"]  # this machine's own
    monkeypatch.setenv("BACKPATH_LEVELS", "all")
    assert kernels_in(build_wheel(tmp_path)) == ["v2.so", "v3.so", "v4.so"]
    monkeypatch.delenv("BACKPATH_LEVELS")
    monkeypatch.setenv("BACKPATH_TARGET", "linux-x86_64")
    assert kernels_in(build_wheel(tmp_path)) == ["v2.so", "v3.so", "v4.so"]
    monkeypatch.setenv("BACKPATH_TARGET", "macos-aarch64")
    assert build_wheel(tmp_path).name.endswith("-py3-none-macosx_11_0_arm64.whl")


@needs_posix
def test_what_is_built_is_kept_until_its_sources_or_flags_change(tmp_path, monkeypatch):
    compiler = tmp_path / "c++"
    compiler.write_text("""#!/bin/sh
[ "$1" = --version ] && { echo 12; exit; }
while [ "$1" != -o ]; do shift; done
echo built >"$2"
echo x >>"$(dirname "$0")/runs"  # a short line is written whole
""")
    compiler.chmod(0o755)
    monkeypatch.setattr(hatch_build, "__file__", str(tmp_path / "hatch_build.py"))
    monkeypatch.setattr(hatch_build, "SOURCES", tmp_path)
    target = hatch_build.TARGETS["linux-aarch64"]

    def runs():
        (library,) = hatch_build.built([str(compiler)], target, ["aarch64"])
        assert library.read_text() == "built\n"
        return len((tmp_path / "runs").read_text().split()) / 3  # two objects and a library

    assert [runs(), runs()] == [1, 1]
    (tmp_path / "kernels.cpp").write_text("// changed")
    assert runs() == 2
    monkeypatch.setattr(hatch_build, "FLAGS", ["-O2"])
    assert runs() == 3
