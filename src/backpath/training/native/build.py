"""Builds the native kernels. Plain standard library, so that the build hook can use it before anything is installed.

``python src/backpath/training/native/build.py`` builds those of this machine beside the sources.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = [
    *("-std=c++17", "-O3", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-stack-protector", "-nostdlib"),
    *("-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Wno-psabi"),
    *("-shared", "-fPIC", "-fvisibility=hidden", "-s"),
]
LEVELS = {"x86_64": ("x86_64_v2", "x86_64_v3", "x86_64_v4"), "aarch64": ("aarch64",)}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SUFFIXES = {"linux": ".so", "darwin": ".dylib", "win32": ".dll"}


def compiler() -> list[str]:
    """The command of the C++ compiler: ``BACKPATH_CXX``, or what is there, or the package ziglang."""
    if given := os.environ.get("BACKPATH_CXX"):
        return shlex.split(given)
    for name in ("clang++", "g++"):
        if path := shutil.which(name):
            return [path]
    return [sys.executable, "-m", "ziglang", "c++"]


def library_name(level: str, system: str = sys.platform) -> str:
    return f"kernels-{level}{SUFFIXES[system]}"


def levels(machine: str | None = None) -> tuple[str, ...]:
    """What is built for a processor: on x86-64 for each generation of vector instructions."""
    name = (machine or platform.machine()).lower()
    return LEVELS.get(MACHINES.get(name, name), ())


def build(level: str, folder: Path = HERE, command: list[str] | None = None) -> Path:
    """Build the kernels of one level for this machine; gives the library's path."""
    command, target = command or compiler(), folder / library_name(level)
    processor = [f"-march={level.replace('_v', '-v').replace('_', '-')}"] if level.startswith("x86_64") else []
    if "ziglang" in command:  # clang's name of the same
        processor = [f"-mcpu={level}"] if level.startswith("x86_64") else []
    subprocess.run([*command, *FLAGS, *processor, str(HERE / "kernels.cpp"), "-o", str(target)], check=True)
    return target


if __name__ == "__main__":
    for each in levels():
        print(build(each))
