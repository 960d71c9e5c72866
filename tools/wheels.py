"""Builds the source distribution and the wheels of all platforms, checks them, and prints a table (scripts/wheels)."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

import lief

import hatch_build
from hatch_build import LEVELS, NATIVE, TARGETS, Target

ROOT = Path(hatch_build.__file__).parent
# pip's names of platforms, and the target of the wheel that pip must choose on each
INSTALLS_ON = {
    "manylinux_2_17_x86_64": "linux-x86_64",
    "musllinux_1_1_x86_64": "linux-x86_64",
    "manylinux_2_17_aarch64": "linux-aarch64",
    "musllinux_1_1_aarch64": "linux-aarch64",
    "macosx_10_13_x86_64": "macos-x86_64",
    "macosx_14_0_x86_64": "macos-x86_64",
    "macosx_11_0_arm64": "macos-aarch64",
    "macosx_15_0_arm64": "macos-aarch64",
    "win_amd64": "windows-x86_64",
    "win_arm64": "windows-aarch64",
}
SYSTEM_LIBRARIES = {"/usr/lib/libSystem.B.dylib"}  # every process on macOS has it
PROCESSORS = {"x86_64": {"X86_64", "AMD64"}, "aarch64": {"AARCH64", "ARM64"}}


def run(*command: object, **environment: str) -> str:
    """The output of a command, which must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def module(*command: object, **environment: str) -> str:
    return run(sys.executable, "-m", *command, **environment)


def build_sdist(folder: Path) -> Path:
    module("build", "--no-isolation", "--sdist", "--outdir", folder, ROOT)
    return next(folder.glob("*.tar.gz"))


def build_wheel(sources: Path, name: str, folder: Path) -> Path:
    before = set(folder.glob("*.whl"))
    module("build", "--no-isolation", "--wheel", "--outdir", folder, sources, BACKPATH_TARGET=name)
    (made,) = set(folder.glob("*.whl")) - before
    return made


def entry_points() -> set[str]:
    """The functions that each library must export."""
    names = runpy.run_path(str(ROOT / "src" / NATIVE / "calls.py"))["SIGNATURES"]
    return {f"{name}_{number}" for name in names for number in ("f32", "f64")} | {"processor_level"}


def check_library(data: bytes, name: str, processor: str) -> None:
    """Check that a library exports the entry points, for the right processor, and needs no other libraries."""
    library = lief.parse(list(data))
    machine = getattr(library.header, "machine_type", None) or getattr(library.header, "machine", None)
    machine = machine or library.header.cpu_type
    if machine.name not in PROCESSORS[processor]:
        raise SystemExit(f"{name} is for {machine.name}, not {processor}")
    exported = {str(function.name).lstrip("_") for function in library.exported_functions}
    if missing := entry_points() - exported:
        raise SystemExit(f"{name} does not export {', '.join(sorted(missing))}")
    needed = {str(getattr(needed, "name", needed)) for needed in library.libraries}
    if foreign := {path for path in needed if not path.endswith(name)} - SYSTEM_LIBRARIES:
        raise SystemExit(f"{name} needs {', '.join(sorted(foreign))}")


def check_contents(wheel: Path, target: Target) -> None:
    """Check that a wheel has the package's modules, the libraries of all levels, and nothing else."""
    libraries = {f"{NATIVE}/kernels-{level}{target.suffix}" for level in LEVELS[target.processor]}
    with zipfile.ZipFile(wheel) as contents:
        names = set(contents.namelist())
        for path in libraries & names:
            check_library(contents.read(path), Path(path).name, target.processor)
    modules = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".cpp", ".hpp") and not path.name.startswith("kernels-")
    }
    found = {name for name in names if ".dist-info/" not in name}
    if found != modules | libraries:
        raise SystemExit(f"{wheel.name}: not as in src: {', '.join(sorted(found ^ (modules | libraries)))}")


def check_tags(wheel: Path, target: Target) -> None:
    """Check that name and metadata agree, and for Linux that auditwheel confirms the platform in the name."""
    if module("wheel", "tags", wheel).strip() != wheel.name:
        raise SystemExit(f"{wheel.name}: its name and its tags differ")
    if not wheel.name.endswith(f"-py3-none-{target.tag}.whl"):
        raise SystemExit(f"{wheel.name}: the tag must be py3-none-{target.tag}")
    if target.suffix == ".so":
        found = " ".join(module("auditwheel", "show", wheel).split())
        oldest = re.search(rf'"manylinux_2_(\d+)_{target.processor}"', found)
        if not oldest or int(oldest[1]) > 17 or "no external shared libraries" not in found:
            raise SystemExit(f"{wheel.name}: auditwheel says: {found}")


def check_choice(folder: Path, wheels: dict[str, Path]) -> None:
    """Check that pip chooses the right wheel on each platform."""
    for platform, name in INSTALLS_ON.items():
        with tempfile.TemporaryDirectory() as room:
            wanted = ["--no-index", "--no-deps", "--only-binary=:all:", "--platform", platform, "--dest", room]
            module("pip", "download", "--quiet", "--find-links", folder, *wanted, "backpath")
            (taken,) = Path(room).iterdir()
        if taken.name != wheels[name].name:
            raise SystemExit(f"pip takes {taken.name} on {platform}")


def train_with(distribution: Path, **environment: str) -> str:
    """Install into an empty environment and train."""
    with tempfile.TemporaryDirectory() as room:
        venv.create(room, with_pip=True)
        python = Path(room, "bin/python")
        run(python, "-m", "pip", "install", "--quiet", distribution, **environment)
        return run(python.with_name("backpath"), "train", "xor", "--out", Path(room, "xor.safetensors"))


def main() -> None:
    lief.logging.disable()
    folder = ROOT / "dist"
    for old in [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]:
        old.unlink()
    sdist, wheels = build_sdist(folder), {}
    with tempfile.TemporaryDirectory() as room:
        with tarfile.open(sdist) as archive:
            archive.extractall(room, filter="data")
        (sources,) = Path(room).iterdir()
        for name in TARGETS:
            wheels[name] = build_wheel(sources, name, folder)
            check_contents(wheels[name], TARGETS[name])
            check_tags(wheels[name], TARGETS[name])
    check_choice(folder, wheels)
    module("twine", "check", "--strict", sdist, *wheels.values())
    module("check_wheel_contents", "--ignore", "W004", *wheels.values())  # the libraries are not Python modules
    ran = {hatch_build.host(): "installed into an empty environment; trained XOR"}
    train_with(wheels[hatch_build.host()])
    train_with(sdist)
    print("| platform | wheel | kB | checked |", "|---|---|---|---|", sep="\n")
    for name, wheel in wheels.items():
        done = ran.get(name, "built; exports, contents and tags")
        print(f"| {name} | `{wheel.name}` | {wheel.stat().st_size / 1000:.0f} | {done} |")
    print(f"| source | `{sdist.name}` | {sdist.stat().st_size / 1000:.0f} | built, installed and trained with |")


if __name__ == "__main__":
    main()
