"""The peak memory of a piece of code, measured in a separate process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_MEASURE = """
import json, sys, time
def peak():  # VmHWM starts again with each program; ru_maxrss would still hold its parent's peak
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
{imports}
before, start = peak(), time.perf_counter()
{code}
print(json.dumps([peak() - before, time.perf_counter() - start, outcome]))
"""


def measure(imports: str, code: str, *arguments: object) -> tuple[int, float, object]:
    """(bytes beyond what the imports took, seconds, what the code leaves in ``outcome``)"""
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not say a process's peak of memory")
    program = _MEASURE.replace("{imports}", imports).replace("{code}", code)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    taken, seconds, outcome = json.loads(done.stdout.splitlines()[-1])
    return taken, seconds, outcome
