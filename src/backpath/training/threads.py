"""The number of threads, and threads that help with calls of the native kernels."""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.errors import InputError
from backpath.maths.checks import as_given
from backpath.training.native.calls import TICKET_APART, CTeam

if TYPE_CHECKING:
    from pathlib import Path

CGROUPS = "/sys/fs/cgroup"
# Seconds between two trials of the other mode, the fewest epochs between them, and the seconds of a trial.
TRIAL_EVERY, TRIAL_EPOCHS, TRIAL_SECONDS = 0.3, 32, 0.005


def check_threads(threads: int | None) -> int | None:
    """The number of threads from the call or ``BACKPATH_THREADS``; None if neither gives it."""
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
            raise InputError(f"threads must be a whole number of at least 1, but is {as_given(threads)}", "threads")
        return int(threads)
    given = os.environ.get("BACKPATH_THREADS", "").strip()
    if not given:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise InputError(f"BACKPATH_THREADS must be a whole number of at least 1, but is {given!r}")
    return int(given)


def threads_for(threads: int | None) -> int:
    """The number of threads: as requested, or all cores that this process may use."""
    return check_threads(threads) or _left_by_joblib() or available_cores()


def available_cores() -> int:
    """The number of cores that this process may use: its affinity, limited by the CPU quota of its container."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    return min(cores, _quota() or cores)


def _left_by_joblib() -> int | None:
    """The number of threads per joblib worker; None outside of joblib."""
    parallel = sys.modules.get("joblib.parallel")
    if parallel is None or not getattr(parallel.get_active_backend()[0], "nesting_level", 0):
        return None
    from multiprocessing import parent_process

    share = os.environ.get("OMP_NUM_THREADS", "")  # joblib sets it in its processes
    return int(share) if parent_process() and share.isdecimal() else 1


@cache
def _quota() -> int | None:
    from pathlib import Path

    try:
        return cpu_quota(Path("/proc/self/cgroup").read_text(), Path(CGROUPS))
    except OSError:  # not on this system
        return None


def cpu_quota(memberships: str, root: Path) -> int | None:
    """The CPU quota of a process from its control groups, in cores, rounded up; None for no limit.

    ``memberships`` is the content of ``/proc/self/cgroup``; each group's limit also holds for the groups within it.
    """
    shares = []
    for line in memberships.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root
        group = top / path.strip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(top):
                shares.append(_share(folder, bool(controllers)))
    granted = [share for share in shares if share is not None]
    return max(1, math.ceil(min(granted))) if granted else None


def _share(group: Path, first_version: bool) -> float | None:
    """The CPU quota of one group, in cores."""
    try:
        if first_version:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        else:
            quota, period = (group / "cpu.max").read_text().split()
        return None if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    except (OSError, ValueError):  # no limit of this kind here
        return None


class Pace:
    """Whether calls are faster on all threads than on one, from the last times of both.

    It depends on how fast the cores exchange data, which can change on a virtual machine, and on other processes that
    use the cores: one waiting thread delays all others. The results do not depend on it.

    Attributes
    ----------
    together : bool
        Whether the next call uses all threads.
    """

    def __init__(self, together: bool) -> None:
        self.together = together
        self._seconds = {True: 0.0, False: 0.0}  # per epoch; 0: not tried yet
        self._tried = time.perf_counter()

    def trial(self, epochs: int) -> int:
        """The number of these epochs for a trial of the other mode; usually 0."""
        now, slowest = time.perf_counter(), max(self._seconds.values())
        together_is_new = not self.together and not self._seconds[True]
        if not slowest or now - self._tried < max(TRIAL_EVERY, TRIAL_EPOCHS * slowest) * (not together_is_new):
            return 0
        self._tried, self.together = now, not self.together
        return max(1, min(epochs, int(TRIAL_SECONDS / slowest)))

    def took(self, seconds: float) -> None:
        """Record the time per epoch of the last call."""
        self._seconds[self.together] = max(seconds, 1e-12)  # a clock may stand still
        self.together = min((mode for mode in (True, False) if self._seconds[mode]), key=self._seconds.__getitem__)


class _Helpers:
    """Threads that wait for calls to help with."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all threads, because a forked child does not have its parent's."""
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._count, self._lock = 0, threading.Lock()

    def help(self, call: Callable[[], object], count: int) -> None:
        """Let this many threads make the call when they are free; fewer if the system allows no more."""
        with self._lock:
            try:
                while self._count < count:
                    threading.Thread(target=self._work, name="backpath", daemon=True).start()
                    self._count += 1
            except RuntimeError:  # can't start new thread
                pass
        for _ in range(min(count, self._count)):
            self._calls.put(call)

    def _work(self) -> None:
        while True:
            self._calls.get()()


_helpers = _Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.reset)


def shared(begin: Callable[[], object], work: Callable[[], Any], members: int) -> Any:
    """The result of ``work``, which this many threads run together after ``begin``.

    ``work`` must do everything if no other thread helps, and return at once if everything is done.
    """
    begin()
    try:
        _helpers.help(work, members - 1)
    finally:  # also after Ctrl-C, because helpers may still be working
        result = work()
    return result


def team_of(members: int) -> CTeam:
    """What this many threads share in a call of a kernel."""
    tickets = (ctypes.c_int64 * (TICKET_APART * members))()
    team = CTeam(size=members, patient=members <= available_cores(), give_way=_give_way())
    team.tickets, team.kept = ctypes.addressof(tickets), tickets
    return team


@cache
def _give_way() -> int:
    """The address of the system's function that yields the core to other threads."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0
