"""The machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import threadpoolctl

INSTRUCTIONS = {
    "avx2": "AVX2",
    "fma": "FMA",
    "avx512f": "AVX-512",
    "asimd": "NEON",
    "sve": "SVE",
}  # Linux's names


def machine() -> list[str]:
    """One line each on the processor, the system and the BLAS."""
    facts = processor()
    flags = facts.get("flags", facts.get("Features", "")).split()
    known = [name for flag, name in INSTRUCTIONS.items() if flag in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = facts.get("model name") or platform.processor() or "unknown"
    return [
        f"{model}, {cores} cores, {platform.machine()}" + (f" with {', '.join(known)}" if known else ""),
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"NumPy's BLAS: {blas()}",
    ]


def processor() -> dict[str, str]:
    """The first processor in /proc/cpuinfo, if it exists."""
    file = Path("/proc/cpuinfo")
    first = file.read_text().split("\n\n", 1)[0] if file.exists() else ""
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def blas() -> str:
    libraries = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return "; ".join(
        f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}" for pool in libraries
    )


def load() -> str:
    return f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
