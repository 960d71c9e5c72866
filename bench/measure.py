"""Measures rows: every contender is checked first, and then all take turns, round after round."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.check import Refused, check_weights
from bench.contenders import LeftOut
from bench.rows import Row
from bench.worker import CLOCK, Worker

Say = Callable[[str], object]


@dataclass(frozen=True)
class Timing:
    """One contender's times for one row, in seconds per unit of the row."""

    contender: str
    form: str
    times: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def spread(self) -> float:
        """Half the interquartile range of the times, relative to the median."""
        if len(self.times) == 1:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return (high - low) / 2 / self.median


@dataclass(frozen=True)
class Measured:
    """A row with the timings of all forms, and the contenders that were left out, with reasons."""

    row: Row
    timings: tuple[Timing, ...]
    left_out: dict[str, str]
    refused: tuple[str, ...] = ()

    def best(self) -> dict[str, Timing]:
        """Each contender's fastest form."""
        fastest: dict[str, Timing] = {}
        for timing in self.timings:
            if timing.contender not in fastest or timing.median < fastest[timing.contender].median:
                fastest[timing.contender] = timing
        return fastest

    def ratios(self, to: str = "backpath") -> dict[str, float]:
        """Each contender's time relative to ``to``; empty if ``to`` has no time."""
        best = self.best()
        return {name: timing.median / best[to].median for name, timing in best.items()} if to in best else {}


class Contest:
    """The contenders' processes, which start when a row first needs them."""

    def __init__(self, modules: Iterable[str], rounds: int, seconds: float, say: Say):
        self.modules, self.rounds, self.seconds, self.say = list(modules), rounds, seconds, say
        self._workers: dict[tuple[str, int | None], Worker | LeftOut] = {}

    def __enter__(self) -> Contest:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            if isinstance(worker, Worker):
                worker.close()

    def versions(self) -> list[str]:
        return list(dict.fromkeys(w.versions for w in self._workers.values() if isinstance(w, Worker)))

    def measure(self, row: Row) -> Measured:
        entries: list[Entry] = []
        left_out, refused = {}, []
        for module in self.modules:
            try:
                entries += self._entries(module, row)
            except LeftOut as reason:
                name = module.rsplit(".", 1)[-1]
                left_out[name] = str(reason)
                if isinstance(reason, Refused):
                    refused.append(name)
                self.say(f"{row.key}: {name} left out: {reason}")
        times: dict[Entry, list[float]] = {entry: [] for entry in entries}
        for turn in range(self.rounds if entries else 0):
            first = turn % len(entries)  # each contender is first and last once
            for entry in entries[first:] + entries[:first]:
                times[entry].append(entry.time())
        timings = tuple(Timing(entry.contender, entry.form, tuple(times[entry])) for entry in entries)
        return Measured(row, timings, left_out, tuple(refused))

    def _worker(self, module: str, cores: int | None) -> Worker:
        if (module, cores) not in self._workers:
            try:
                self._workers[module, cores] = Worker(module, cores)
            except LeftOut as reason:
                self._workers[module, cores] = reason
        worker = self._workers[module, cores]
        if isinstance(worker, LeftOut):
            raise worker
        return worker

    def _entries(self, module: str, row: Row) -> list[Entry]:
        worker = self._worker(module, row.cores)
        found = []
        for form in worker.prepare(row):
            check_weights(row, worker.cost, worker.weights(form, row.checked))
            epochs = row.epochs or enough_epochs(lambda n, form=form: worker.seconds(form, n), self.seconds)
            found.append(Entry(worker, module, row, form, epochs))
        if row.per == "process":  # such a process runs the first form only
            found = found[:1]
            found[0].time()  # not counted: it fills the caches of compiled code
        return found


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender's form of a row, ready to be timed."""

    worker: Worker
    module: str
    row: Row
    form: str
    epochs: int

    @property
    def contender(self) -> str:
        return self.worker.name

    def time(self) -> float:
        if self.row.per == "process":
            clock = children_seconds if CLOCK in os.environ else time.perf_counter
            start = clock()
            command = [sys.executable, "-m", "bench.once", self.module, self.row.key]
            subprocess.run(command, check=True, capture_output=True)
            return clock() - start
        return self.worker.seconds(self.form, self.epochs, self.row.calls) / self.row.per_call(self.epochs)


def children_seconds() -> float:
    """The processor time of all finished child processes."""
    return sum(os.times()[2:4])


def enough_epochs(seconds_of: Callable[[int], float], wanted: float) -> int:
    """The number of epochs that take about this time; the faster of two calls counts, because the first may compile."""
    epochs = 1
    while (took := min(seconds_of(epochs), seconds_of(epochs))) < wanted / 2:
        epochs = max(epochs + 1, int(epochs * min(10, wanted / max(took, 1e-9))))
    return epochs


def measure(rows: Sequence[Row], contest: Contest) -> list[Measured]:
    done = []
    for number, row in enumerate(rows, 1):
        contest.say(f"[{number}/{len(rows)}] {row.title}")
        done.append(contest.measure(row))
        for name, timing in done[-1].best().items():
            contest.say(f"    {name:14}{timing.median:12.3g} s ±{timing.spread:.0%}  {timing.form}")
    return done
