"""``DaskWorkers``: tasks on the workers of a Dask cluster; any task may run twice."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backpath.interrupts import HeldBack

if TYPE_CHECKING:
    from distributed import Client

LOST = "the connection to the Dask cluster was lost; repeat the call when it is back"
_LOOK_SECONDS = 0.5  # between checks of the scheduler and Ctrl-C


class DaskWorkers:
    """The workers of a cluster, for the parameter ``spread`` of ``train`` and ``train_population``: independent tasks
    run there, and each result returns when it is ready.

    If a worker is lost, the others repeat its tasks.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    """

    def __init__(self, client: Client):
        self.client = client

    def __call__(
        self, function: Callable[..., Any], shared: Any, tasks: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """See ``training.spreading.Spread``."""
        from distributed import CancelledError, KilledWorker

        futures: dict[Any, int] = {}
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Sending large graph")
                # not scattered, because data that one worker holds are lost with it
                held = self.client.submit(_itself, shared, pure=False)
                for number, task in enumerate(tasks):
                    futures[self.client.submit(function, held, *task, pure=False)] = number
            for future in self._as_they_come(set(futures)):
                yield futures[future], future.result()
        except KilledWorker as error:
            raise ConnectionError(
                "a task was abandoned because every worker that began it died; perhaps there is too little memory"
            ) from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise ConnectionError(LOST) from error
        finally:
            with suppress(Exception):  # there is nothing to cancel on a lost cluster
                self.client.cancel([future for future in futures if not future.done()])

    def _as_they_come(self, pending: set[Any]) -> Iterator[Any]:
        from distributed import wait

        with HeldBack() as signals:  # so that Ctrl-C does not interrupt Dask's own work
            while pending:
                with suppress(TimeoutError):
                    done = wait(pending, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED").done
                    yield from sorted(done, key=lambda future: str(future.key))
                    pending -= done
                signals.let_through()
                if self.client.status != "running":
                    raise ConnectionError(LOST)


def _itself(shared: Any) -> Any:
    return shared
