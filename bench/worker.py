"""A separate process for each contender, so that none is slowed by another's threads or settings."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import statistics
import time
from typing import TYPE_CHECKING, Any

from bench.contenders import LeftOut

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from bench.rows import Array, Row, Train

CLOCK = "BENCH_CPU_TIME"  # if set, processor time of all threads is measured


class Worker:
    """A contender restricted to some cores; its methods run in its process, one at a time.

    Raises
    ------
    LeftOut
        By the constructor and all methods, with the reason why the contender cannot take part.
    """

    def __init__(self, module: str, cores: int | None):
        here, there = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._pipe = here
        self._process = spawn.Process(target=serve, args=(there, module, cores), daemon=True)
        self._process.start()
        there.close()
        self.name, self.cost, self.versions = self._answer()

    def prepare(self, row: Row) -> list[str]:
        """Prepare the row; returns the forms that the contender offers."""
        return self._ask("prepare", row)

    def weights(self, form: str, epochs: int) -> list[Array]:
        return self._ask("weights", form, epochs)

    def seconds(self, form: str, epochs: int, calls: int = 1) -> float:
        """The median of consecutive calls."""
        return self._ask("seconds", form, epochs, calls)

    def close(self) -> None:
        self._pipe.close()  # the process ends when the pipe is closed
        self._process.join()

    def _ask(self, *call: Any) -> Any:
        self._pipe.send(call)
        return self._answer()

    def _answer(self) -> Any:
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise LeftOut("its process has died") from None
        if isinstance(answer, LeftOut):
            raise answer
        return answer


def timed(train: Train, epochs: int, calls: int) -> float:
    clock = time.process_time if CLOCK in os.environ else time.perf_counter
    seconds = []
    for _ in range(calls):
        start = clock()
        train(epochs)
        seconds.append(clock() - start)
    return statistics.median(seconds)


def serve(pipe: Connection, module: str, cores: int | None) -> None:
    """The main function of the process. It first restricts the cores, because libraries count them when imported."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    try:
        contender = importlib.import_module(module)
        pipe.send((contender.NAME, contender.COST, contender.versions()))
    except (ImportError, LeftOut) as reason:
        pipe.send(LeftOut(str(reason)))
        return
    forms: dict[str, Any] = {}
    while True:
        try:
            what, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            if what == "prepare":
                forms = contender.forms(*arguments)
                pipe.send(list(forms))
            else:
                form, *numbers = arguments
                pipe.send(forms[form](*numbers) if what == "weights" else timed(forms[form], *numbers))
        except LeftOut as reason:
            pipe.send(reason)
        except Exception as error:  # report one contender's failure and continue with the others
            pipe.send(LeftOut(f"failed with {type(error).__name__}: {error}"))
