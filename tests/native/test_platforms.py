"""The same bits from every compiler and on every platform: each replays the calls that were recorded on this one.

What a platform needs is Debian's (scripts/test installs it in CI); where it is missing, its test is skipped.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import hatch_build
from backpath.training.native import calls, library
from native.cases import record
from native.record import Recorder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ZIGLANG = ROOT / "build/ziglang"  # where scripts/test puts it in CI
NAMES = [f"{name}_{number}" for name in calls.SIGNATURES for number in library.NUMBER_TYPES.values()]
ON_X86_64 = platform.machine().lower() in ("x86_64", "amd64")


def kernels_here(level):
    return Path(library.FOLDER, f"kernels-{level}{library.SUFFIX}")


def recorded(tmp_path_factory, level):
    if not kernels_here(level).exists():
        pytest.skip(f"no {kernels_here(level).name} is built here")
    return record(kernels_here(level), tmp_path_factory.mktemp("calls") / level, pytest.MonkeyPatch())


@pytest.fixture(scope="session")
def fused(tmp_path_factory):
    """Calls of kernels with fused products: AVX2, AVX-512 and NEON."""
    if (level := library.level()) == "x86_64_v2":
        pytest.skip("this processor has no fused products")
    return recorded(tmp_path_factory, level)


@pytest.fixture(scope="session")
def unfused(tmp_path_factory):
    """Calls of kernels without: SSE, and WebAssembly's."""
    if not ON_X86_64:
        pytest.skip("this processor has fused products only")
    return recorded(tmp_path_factory, "x86_64_v2")


@pytest.fixture
def ziglang(monkeypatch):
    """The command of the compiler that released wheels are built with."""
    if importlib.util.find_spec("ziglang") is None and not ZIGLANG.exists():
        pytest.skip(f"no ziglang here; pip install --target build/ziglang {hatch_build.ZIGLANG} brings it")
    monkeypatch.setenv("PYTHONPATH", str(ZIGLANG))
    return hatch_build.ZIG


def need(command, package):
    if not shutil.which(command):
        pytest.skip(f"no {command} here; Debian's package {package} brings it")
    return command


def run(*command, **environment):
    """The last line that a command prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout.splitlines()[-1] if done.stdout else ""


def replayer(folder, *compiler):
    """The program that replays, for one platform."""
    program = folder / "replay.exe"
    run(*compiler, "-O1", "-Wall", HERE / "replay.c", "-o", program)
    return program


def build(name, folder, command):
    return hatch_build.build(folder, command, hatch_build.TARGETS[name])


def check(*replay, **environment):
    """All calls gave the same bits, and there were some."""
    done, _, of = run(*replay, **environment).partition(" calls")[0].split()
    assert done == of
    assert int(of) > 200


@pytest.mark.parametrize("level", ["x86_64_v3", "x86_64_v4"])
def test_avx2_and_avx_512(level, fused, tmp_path):
    if not ON_X86_64 or level > library.level():
        pytest.skip(f"this processor is no {level}")
    program = replayer(tmp_path, need("gcc", "gcc"))
    check(program, kernels_here(level), fused)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_compilers(compiler, fused, unfused, tmp_path):
    """The bits that were recorded are those of the compiler of this installation."""
    program = replayer(tmp_path, need("gcc", "gcc"))
    target = hatch_build.TARGETS["linux-x86_64"]
    if not hatch_build.is_usable([compiler], target.processor):
        pytest.skip(f"no {compiler} here that is new enough")
    for path in build("linux-x86_64", tmp_path, [compiler]):
        level = path.stem.partition("-")[2]
        if level <= library.level():
            check(program, path, unfused if level == "x86_64_v2" else fused)


@pytest.mark.slow
def test_ziglang_with_glibc_and_musl(ziglang, fused, unfused, tmp_path):
    libraries = build("linux-x86_64", tmp_path, ziglang)
    programs = [replayer(tmp_path, need("gcc", "gcc"))]
    if shutil.which("musl-gcc"):
        (tmp_path / "musl").mkdir()
        programs.append(replayer(tmp_path / "musl", "musl-gcc"))
    for program in programs:
        for path in libraries:
            level = path.stem.partition("-")[2]
            if level <= library.level():
                check(program, path, unfused if level == "x86_64_v2" else fused)
    if len(programs) == 1:
        pytest.skip("with glibc only: no musl-gcc here; Debian's package musl-tools brings it")


@pytest.mark.slow
def test_aarch64(ziglang, fused, tmp_path):
    """NEON, under QEMU."""
    qemu = need("qemu-aarch64-static", "qemu-user-static")
    program = replayer(tmp_path, need("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"))
    (path,) = build("linux-aarch64", tmp_path, ziglang)
    check(qemu, "-L", "/usr/aarch64-linux-gnu", program, path, fused)


@pytest.mark.slow
def test_windows(ziglang, fused, unfused, tmp_path):
    """Under Wine."""
    wine = need("wine", "wine")
    program = replayer(tmp_path, need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64-win32"))
    for path in build("windows-x86_64", tmp_path, ziglang):
        level = path.stem.partition("-")[2]
        if level <= library.level():
            recording = unfused if level == "x86_64_v2" else fused
            check(wine, program, path, recording, WINEPREFIX=str(tmp_path / "wine"), WINEDEBUG="-all")


@pytest.mark.slow
def test_webassembly(ziglang, unfused, tmp_path):
    node = need("node", "nodejs")
    linking = ["-nostdlib", "-s", "-Wl,--no-entry", "-Wl,--export-dynamic", "-Wl,--export=__heap_base"]
    target = ["-target", "wasm32-freestanding", "-mcpu=generic+simd128+bulk_memory"]
    flags = [flag for flag in hatch_build.FLAGS if flag != "-fPIC"]
    run(*ziglang, *flags, *linking, *target, hatch_build.SOURCES / "kernels.cpp", "-o", tmp_path / "kernels.wasm")
    check(node, HERE / "replay.mjs", tmp_path / "kernels.wasm", unfused)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macos-x86_64", "macos-aarch64", "windows-aarch64"])
def test_platforms_that_are_only_built(name, ziglang, tmp_path):
    for path in build(name, tmp_path, ziglang):
        contents = path.read_bytes()
        assert [name for name in [*NAMES, "processor_level"] if name.encode() + b"\0" not in contents] == []


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """The kernels and the program that replays, which stop at a step outside a block and at undefined behaviour."""
    folder, sanitizers = tmp_path_factory.mktemp("sanitized"), "-fsanitize=address,undefined"
    if not ON_X86_64 or library.level() == "x86_64_v2":
        pytest.skip("only tried on x86-64 with AVX2")
    flags = [flag for flag in hatch_build.FLAGS if flag != "-O3"]
    stop = ["-shared", "-O0", "-g1", sanitizers, "-fno-sanitize-recover=undefined", "-march=x86-64-v3"]
    kernels = folder / "kernels.so"
    run(need("g++", "g++"), *flags, *stop, hatch_build.SOURCES / "kernels.cpp", "-o", kernels)
    return replayer(folder, "gcc", sanitizers), kernels


@pytest.mark.slow
def test_sanitizers_find_nothing(sanitized, fused):
    check(*sanitized, fused)


@pytest.mark.slow
def test_sanitizers_would_find_a_step_outside(sanitized, tmp_path, monkeypatch):
    a, d = np.zeros(32), np.zeros(32)
    recorder = Recorder(kernels_here("x86_64_v3"), monkeypatch)
    places = [recorder.address(array, "float64", 24) for array in (a, d)]
    recorder.kernels("float64").activate(0, *places, 32)
    calls = recorder.write(tmp_path / "calls")
    done = subprocess.run([*sanitized, calls], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
