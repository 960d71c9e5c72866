"""Tasks that any process can run, more than once if need be; a `Spread` chooses where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints

Arguments = tuple[Any, ...]


class Spread(Protocol):
    """Runs tasks somewhere: any function with these parameters, such as a `backpath.distributed.DaskWorkers`."""

    def __call__(
        self, function: Callable[..., Any], shared: Any, tasks: Sequence[Arguments]
    ) -> Iterator[tuple[int, Any]]:
        """Run tasks.

        Parameters
        ----------
        function : callable
            Called as ``function(shared, *task)``, in any process, more than once if need be.
        shared : Any
            The data that all tasks share.
        tasks : sequence of tuples
            The other arguments of each call.

        Yields
        ------
        int, Any
            The number of a task and the result of the function, as results arrive.
        """
        ...


def one_by_one(function: Callable[..., Any], shared: Any, tasks: Sequence[Arguments]) -> Iterator[tuple[int, Any]]:
    """Run the tasks in this process."""
    return ((number, function(shared, *task)) for number, task in enumerate(tasks))


def spread_and_kept(
    spread: Spread,
    run: Checkpoints | None,
    function: Callable[..., Any],
    shared: Any,
    tasks: Sequence[Arguments],
    settings: Callable[[int], dict[str, Any]],
    plain: Callable[[Any], dict[str, Any]] = dict,
    of_plain: Callable[[dict[str, Any]], Any] = dict,
) -> Iterator[tuple[int, Any]]:
    """Run the tasks, and save each result in a run when it arrives; saved tasks are not repeated.

    ``settings`` returns the settings that identify a task. ``plain`` turns a result into plain data for a checkpoint
    (see ``training.state``), and ``of_plain`` turns it back.
    """
    if run is None:
        yield from spread(function, shared, tasks)
        return
    results = [KeptResult() for _ in tasks]
    parts = [run.task(result, _described(settings(number))) for number, result in enumerate(results)]
    missing = [number for number, result in enumerate(results) if not result.plain]
    yield from ((number, of_plain(result.plain)) for number, result in enumerate(results) if result.plain)
    for place, found in spread(function, shared, [tasks[number] for number in missing]):
        number = missing[place]
        results[number].plain = plain(found)
        parts[number].finish()
        yield number, found


def _described(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings by names of a task's, all of which are final."""
    return {f"task {name}": value for name, value in settings.items()}


class KeptResult:
    """A task's result, as a part of a run."""

    epochs = 1

    def __init__(self) -> None:
        self.plain: dict[str, Any] = {}

    def state(self) -> dict[str, Any]:
        return self.plain

    def restore(self, state: dict[str, Any]) -> None:
        self.plain = state

    def is_good(self) -> bool:
        return bool(self.plain)

    def shown(self) -> None:
        """Nothing: the network is trained elsewhere."""

    def standing(self) -> dict[str, Any]:
        """The last cost of one network, or the lowest of several."""
        cost, seconds = np.asarray(self.plain["cost"]), float(self.plain.get("seconds", 0.0))
        epochs = int(np.max(self.plain["epochs"], initial=0))
        reached = cost if np.ndim(self.plain["epochs"]) else cost[-1:]
        return {"epochs": epochs, "of": epochs, "cost": float(reached.min(initial=np.inf)), "seconds": seconds}
