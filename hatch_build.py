"""The build hook: builds the native kernels and puts them into the wheel."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = "src/backpath/training/native"


class NativeKernels(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        spec = importlib.util.spec_from_file_location("build_native", Path(self.root, NATIVE, "build.py"))
        native = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(native)
        for level in native.levels():
            native.build(level)
        build_data["artifacts"].append(f"{NATIVE}/kernels-*")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
