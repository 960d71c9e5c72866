"""The memory that reading a table and training may use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from backpath.errors import InputError
from backpath.maths.checks import machine_memory

MOST_THREADS, THREAD = 4, 128_000_000  # bytes that a thread of DuckDB needs
SHARE = 0.5  # of the free memory, unless the call sets the amount
LEAST = 256_000_000  # bytes; the libraries themselves take more than half
_UNITS = {"": 1, "B": 1} | {
    f"{letter}{mark}B": base**power
    for power, letter in enumerate("KMGT", 1)
    for mark, base in (("", 1000), ("I", 1024))
}
# of the process's control group: its limit, and its use, which includes cached files that could be dropped
_GROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        "total_inactive_file",
    ),
)


@dataclass(frozen=True)
class Budget:
    """An amount of memory in bytes, and its division."""

    total: int

    @property
    def database(self) -> int:
        """Bytes that DuckDB may use while it reads."""
        return self.total * 2 // 5

    @property
    def block(self) -> int:
        """Bytes of rows that are read at once; there are several copies."""
        return min(self.total // 32, 32_000_000)

    @property
    def threads(self) -> int:
        """Threads that DuckDB may use; each has its own buffers."""
        return max(1, min(MOST_THREADS, self.database // THREAD))

    @property
    def table(self) -> int:
        """Bytes of a table in memory, including training on it."""
        return self.total * 7 // 10

    @property
    def sample(self) -> int:
        """Bytes of the rows in memory if not all fit."""
        return self.total // 8

    @property
    def pool(self) -> int:
        """Bytes of the rows that are shuffled together; there are two pools, one in training and one being read. Larger
        ones make an epoch slower: their rows are gathered from outside the caches."""
        return min(self.total // 16, 64_000_000)


def budget(given: str | int | None = None) -> Budget:
    """The amount given as ``2GB``, ``500 MB``, ``1.5GiB`` or a number of bytes; by default, half of the free memory.

    >>> budget("2GB").total, budget("1.5 GiB").total
    (2000000000, 1610612736)
    """
    if given is None:
        return Budget(max(LEAST, int(free_memory() * SHARE)))
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*", str(given), re.IGNORECASE)
    unit = _UNITS.get(found[2].upper() if len(found[2]) != 1 else f"{found[2].upper()}B") if found else None
    if found is None or unit is None or isinstance(given, bool):
        raise InputError(f"memory must be an amount such as 2GB or 500MB, but is {given!r}", "memory")
    total = int(float(found[1]) * unit)
    if total < LEAST:
        raise InputError(
            f"memory must be at least {LEAST // 10**6}MB, of which the libraries take half, but is {given}", "memory"
        )
    return Budget(total)


def free_memory() -> int:
    """The bytes that are available to this process: of the machine, or of its container if that has fewer."""
    free = machine_memory()
    try:
        said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = min(free, int(said["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):  # not on this system
        pass
    for limit, usage, reclaimable in _GROUPS:
        try:
            most, used = limit.read_text().strip(), int(usage.read_text())
            stat = dict(line.split() for line in (usage.parent / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue
        if most.isdecimal():
            free = min(free, int(most) - used + int(stat.get(reclaimable, 0)))
    return max(free, 0)


def shown_bytes(count: float) -> str:
    """
    >>> shown_bytes(1.26e9), shown_bytes(2_000_000)
    ('1.3 GB', '2 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
