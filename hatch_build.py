"""Builds the native kernels: hatchling calls this hook for a wheel.

``python hatch_build.py`` builds them for this machine beside their sources, where ``PYTHONPATH=src`` finds them.

The compiler is the first of these that is available: the command in ``BACKPATH_CXX``, clang++, g++, and the package
ziglang, which is a build dependency only without the others. ``BACKPATH_CXX=none`` builds no kernels.
``BACKPATH_TARGET`` names the row of TARGETS to build for with ziglang, for released wheels. They contain the kernels of
all levels of a processor; a build for this machine contains those of its own level, which takes a third of the time,
unless ``BACKPATH_LEVELS=all``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = "backpath/training/native"
SOURCES = Path(__file__).parent / "src" / NATIVE
ZIGLANG = "ziglang==0.17.1"  # the compiler of every released wheel
ZIG = [sys.executable, "-m", "ziglang", "c++"]

# The same bits from every compiler: no contraction, no fast math. No libraries, not even C's.
FLAGS = [
    *("-std=c++17", "-O3", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-asynchronous-unwind-tables"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-stack-protector", "-fvisibility=hidden", "-fPIC"),
    *("-Wall", "-Wextra", "-Wno-psabi"),
]
NUMBER_BITS = (64, 32)  # sizes of numbers, each compiled separately
LINKING = ["-shared", "-nostdlib", "-s"]
LEVELS: dict[str, dict[str, list[str]]] = {
    "x86_64": {
        "x86_64_v2": ["-march=x86-64-v2"],
        "x86_64_v3": ["-march=x86-64-v3"],
        "x86_64_v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    },
    "aarch64": {"aarch64": []},
}
# The preprocessor of a suitable compiler turns this into a line with the processor.
PROBE = """
#if defined(__clang__) ? __has_builtin(__builtin_elementwise_fma) : __GNUC__ >= 12
#if defined(__x86_64__)
usable x86_64
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512VL__)
level x86_64_v4
#elif defined(__AVX2__) && defined(__FMA__) && defined(__BMI2__) && defined(__F16C__) && defined(__LZCNT__)
level x86_64_v3
#endif
#elif defined(__aarch64__)
usable aarch64
#endif
#endif
"""


class Target(NamedTuple):
    """A platform: its processor, zig's name for it, the tag of its wheels, and the suffix of its libraries."""

    processor: str
    zig: str
    tag: str
    suffix: str


TARGETS = {
    # the C library is not used, so the same file works with glibc and musl
    "linux-x86_64": Target(
        "x86_64", "x86_64-linux-none", "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64", ".so"
    ),
    "linux-aarch64": Target(
        "aarch64", "aarch64-linux-none", "manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64", ".so"
    ),
    "macos-x86_64": Target("x86_64", "x86_64-macos.10.13", "macosx_10_13_x86_64", ".dylib"),
    "macos-aarch64": Target("aarch64", "aarch64-macos.11.0", "macosx_11_0_arm64", ".dylib"),
    "windows-x86_64": Target("x86_64", "x86_64-windows-gnu", "win_amd64", ".dll"),
    "windows-aarch64": Target("aarch64", "aarch64-windows-gnu", "win_arm64", ".dll"),
}


def host() -> str:
    """This machine's row of TARGETS, if it has one."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    processor = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return f"{system}-{processor}" if sys.maxsize > 2**32 else f"{system}-of-32-bits"


def wanted() -> Target | None:
    """The platform to build for; None if there are no kernels for it."""
    name = os.environ.get("BACKPATH_TARGET")
    if name and name not in TARGETS:
        raise SystemExit(f"BACKPATH_TARGET must be one of {', '.join(TARGETS)}, but is {name!r}")
    return TARGETS.get(name or host())


def probed(command: list[str], *options: str) -> str:
    """The compiler's output for the probe; empty if there is no compiler."""
    try:
        call = [*command, *options, "-E", "-P", "-x", "c++", "-"]
        return subprocess.run(call, input=PROBE, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def is_usable(command: list[str], processor: str) -> bool:
    """Whether a compiler exists, is new enough, and compiles for the processor."""
    return f"usable {processor}" in probed(command)


def levels(command: list[str], target: Target) -> list[str]:
    """The levels to build: by default that of this machine's processor, if it is known, otherwise all."""
    every = list(LEVELS[target.processor])
    if "BACKPATH_TARGET" in os.environ or os.environ.get("BACKPATH_LEVELS") == "all":
        return every
    answer = probed(command, "-march=native")
    return [level for level in every if f"level {level}" in answer] or every


def native_compiler(processor: str) -> list[str] | None:
    """The command of a suitable compiler on this machine, or None."""
    if chosen := shlex.split(os.environ.get("BACKPATH_CXX", "")):
        if not is_usable(chosen, processor):
            raise SystemExit(f"BACKPATH_CXX={shlex.join(chosen)} is not g++ 12 or clang 17, or newer, for {processor}")
        return chosen
    if sys.platform == "win32":  # MinGW's GCC does not align vectors on the stack
        return None
    here = ([path] for name in ("clang++", "g++") if (path := shutil.which(name)))
    return next((command for command in here if is_usable(command, processor)), None)


def compiler() -> list[str] | None:
    """The command of the compiler to build with; None: no kernels are built."""
    target = wanted()
    if target is None or os.environ.get("BACKPATH_CXX") == "none":
        return None
    cross = "BACKPATH_TARGET" in os.environ
    found = None if cross else native_compiler(target.processor)
    return found or (ZIG if cross or importlib.util.find_spec("ziglang") else None)


def requirements() -> list[str]:
    """The further requirements of the build: ziglang, if there is no other compiler."""
    return [ZIGLANG] if wanted() and os.environ.get("BACKPATH_CXX") != "none" and compiler() in (None, ZIG) else []


def processor_flags(command: list[str], target: Target, level: str) -> list[str]:
    """The compiler options for the processor."""
    processor = LEVELS[target.processor][level]
    if "zig" in " ".join(command):
        return ["-target", target.zig, *(flag.replace("-march=x86-64-", "-mcpu=x86_64_") for flag in processor)]
    return processor


def flags(command: list[str], target: Target, level: str) -> list[str]:
    """The compiler options for one level of the kernels for a platform."""
    return [*FLAGS, *processor_flags(command, target, level)]


def linking_flags(command: list[str], target: Target, level: str) -> list[str]:
    """The options to link a library."""
    linking = LINKING
    if target.suffix == ".dylib":  # it contains its own name, and Apple's linker needs the system's library
        shared = LINKING if "zig" in " ".join(command) else ["-shared"]
        linking = [*shared, f"-Wl,-install_name,@rpath/kernels-{level}.dylib"]
    return [*linking, *processor_flags(command, target, level)]


def build(folder: Path, command: list[str], target: Target, levels: list[str] | None = None) -> list[Path]:
    """Build levels of the kernels (all if None) for a platform in parallel; returns the libraries' paths."""
    levels = levels or list(LEVELS[target.processor])
    source = str(SOURCES / "kernels.cpp")
    with tempfile.TemporaryDirectory(dir=folder) as room:
        objects = {level: {bits: f"{room}/{level}-{bits}.o" for bits in NUMBER_BITS} for level in levels}
        _run_all(
            [*command, *flags(command, target, level), "-c", f"-DONLY={bits}", source, "-o", path]
            for level in levels
            for bits, path in objects[level].items()
        )
        libraries = [folder / f"kernels-{level}{target.suffix}" for level in levels]
        _run_all(
            [*command, *objects[level].values(), *linking_flags(command, target, level), "-o", str(library)]
            for level, library in zip(levels, libraries, strict=True)
        )
    return libraries


def _run_all(commands: Iterable[list[str]]) -> None:
    """Run commands in parallel."""
    running = [(command, subprocess.Popen(command)) for command in commands]
    failed = [command for command, process in running if process.wait()]
    if failed:
        raise SystemExit(f"failed: {shlex.join(failed[0])}")


def built(command: list[str], target: Target, levels: list[str]) -> list[Path]:
    """The libraries for a platform, from an earlier build with equal sources and options, or new ones."""
    version = subprocess.run([*command, "--version"], capture_output=True, check=True).stdout
    options = [f(command, target, level) for f in (flags, linking_flags) for level in levels]
    sources = [path.read_bytes() for path in sorted(SOURCES.glob("*.[ch]pp"))]
    digest = hashlib.sha256(repr((command, version, options, sources)).encode()).hexdigest()[:16]
    folder = Path(__file__).parent / "build/kernels" / digest
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as room:
            new = Path(room, "new")
            new.mkdir()
            build(new, command, target, levels)
            with suppress(OSError):  # another build was faster
                new.rename(folder)
    return [folder / f"kernels-{level}{target.suffix}" for level in levels]


def put_beside_sources(libraries: list[Path]) -> list[Path]:
    return [Path(shutil.copy(path, SOURCES)) for path in libraries]


class KernelsHook(BuildHookInterface[Any]):
    """Puts the kernels into a wheel, or beside the sources for an editable one."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return requirements()

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        target, command = wanted(), compiler()
        if target is None or command is None:
            self.app.display_warning("No native kernels are built, because there is no C++ compiler; NumPy is used.")
            return
        libraries = built(command, target, levels(command, target))
        if version == "editable":
            put_beside_sources(libraries)
            return
        build_data["force_include"] |= {str(path): f"{NATIVE}/{path.name}" for path in libraries}
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{self._platform(target)}"

    @staticmethod
    def _platform(target: Target) -> str:
        """The platform in a wheel's name; on Linux, only ziglang's libraries are known to work on other machines."""
        if target.suffix == ".so" and "BACKPATH_TARGET" not in os.environ:
            return f"linux_{target.processor}"
        return target.tag


if __name__ == "__main__":
    if (here := wanted()) is None or (found := compiler()) is None:
        raise SystemExit("no native kernels are built: there is no C++ compiler (g++ 12, clang 17 or newer, ziglang)")
    print(*put_beside_sources(built(found, here, list(LEVELS[here.processor]))), sep="\n")
