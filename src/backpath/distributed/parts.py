"""Samples in blocks on the workers of a Dask cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.distributed.holder import Holder, SampleBlock
from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.network import Network

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_SECONDS = 30.0  # to wait for a worker if all are lost
LOOK_SECONDS = 2.0  # between checks of whether a worker still exists


class SchedulerLost(ConnectionError):
    """The cluster's scheduler no longer answers."""


class DistributedSamples:
    """Samples in blocks, each held by one worker.

    Parameters
    ----------
    client : distributed.Client
    blocks : futures, delayed objects, or other arguments of ``read``
    One for each block, in order.
    read : callable
        Returns X (samples, inputs) and y (samples,) or (samples, outputs) of a block, on the worker.
    workers : addresses
        The workers that hold them; None: all workers.

    If a worker is lost, its blocks are computed again on the others.
    """

    def __init__(
        self,
        client: Client,
        blocks: Sequence[Any],
        read: Callable[[Any], SampleBlock],
        workers: Sequence[str] | None = None,
    ):
        if not len(blocks):
            raise InputError("there are no blocks of samples; give at least one")
        self.client, self._read, self._chosen = client, read, workers
        self._futures = [_future(client, block) for block in blocks]
        self._holders: list[tuple[Any, str, list[int]]] = []
        self._prepared: tuple[Any, ...] | None = None
        self.rounds = 0  # so far
        with client.as_current():
            self._place(range(len(blocks)))
        described = self.ask("described")
        shapes = [described[k][:2] for k in range(len(blocks))]
        if len({(X[1:], y[1:]) for X, y in shapes}) > 1:
            shown = ", ".join(f"{X} and {y}" for X, y in shapes[:4])
            raise InputError(f"the blocks must have the same columns, but X and y have shapes {shown}")
        self.lengths = [X[0] for X, _ in shapes]
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self.inputs, self.outputs = shapes[0][0][1], shapes[0][1][1]
        digests = "".join(described[k][2] for k in range(len(blocks)))
        self.digest = hashlib.sha256(digests.encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def workers(self) -> int:
        """The number of workers that hold blocks."""
        return len({worker for _, worker, _ in self._holders})

    def head(self, rows: int = 1000) -> SampleBlock:
        """The first rows."""
        found: SampleBlock = self.ask("head", rows, only=[0])[0]
        return found

    def prepare(self, network: Network, cost: str, **settings: Any) -> None:
        """Send the workers the settings of training."""
        self._prepared = network, cost, settings
        wrong = {k: text for k, text in self.ask("prepare", *self._prepared).items() if text}
        if wrong:
            block = min(wrong)
            raise InputError(f"block {block + 1} of the samples: {wrong[block]}")

    def ask(self, method: str, *arguments: Any, only: Sequence[int] | None = None) -> dict[int, Any]:
        """The results of each block, or of some; blocks of a lost worker are moved to others."""
        answers: dict[int, Any] = {}
        self.rounds += 1
        wanted = set(range(len(self._futures)) if only is None else only)
        with self.client.as_current():
            while missing := wanted - answers.keys():
                answers |= self._asked(method, *arguments, only=missing)
                if lost := wanted - answers.keys():
                    self._hold_elsewhere(lost)
        return answers

    def _asked(self, method: str, *arguments: Any, only: set[int]) -> dict[int, Any]:
        """The results of these blocks, except those of lost workers."""
        holders = [holder for holder in self._holders if only & set(holder[2])]
        futures = [(worker, self._call(actor, method, arguments)) for actor, worker, _ in holders]
        found: dict[int, Any] = {}
        for worker, future in futures:
            found |= {} if future is None else self._answer(worker, future)
        return {k: found[k] for k in only & found.keys()}

    def _call(self, actor: Any, method: str, arguments: tuple[Any, ...]) -> Any:
        """The future of a result; None if the worker is known to be lost."""
        try:
            return getattr(actor, method)(*arguments)
        except RuntimeError:  # Dask's error
            return None

    def _answer(self, worker: str, future: Any) -> dict[int, Any]:
        """The results of a worker; empty if it is lost."""
        while True:
            try:
                answer: dict[int, Any] = future.result(timeout=LOOK_SECONDS)
                return answer
            except TimeoutError:
                if worker not in self._workers():
                    return {}
            except (OSError, ValueError) as error:  # Dask's errors for a lost actor
                if isinstance(error, InputError) or worker in self._workers():
                    raise
                return {}

    def _workers(self) -> list[str]:
        if self.client.status != "running":
            raise SchedulerLost("the scheduler of the cluster no longer answers")
        try:
            found = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, TimeoutError) as error:
            raise SchedulerLost(f"the scheduler of the cluster does not answer: {error}") from None
        return [worker for worker in found if worker in self._chosen] if self._chosen is not None else found

    def _hold_elsewhere(self, blocks: set[int]) -> None:
        """Move the blocks of lost workers to others."""
        self._holders = [holder for holder in self._holders if not blocks & set(holder[2])]
        self._place(sorted(blocks))
        if self._prepared is not None:
            self._asked("prepare", *self._prepared, only=blocks)

    def _place(self, blocks: Sequence[int]) -> None:
        workers = self._workers()
        if not workers:
            with suppress(OSError, TimeoutError, RuntimeError):  # there are none, which is reported below
                self.client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
            workers = self._workers()
        if not workers:
            raise SchedulerLost("the cluster has no workers left to hold the samples")
        share = -(-len(blocks) // len(workers))
        for at, worker in enumerate(workers):
            mine = list(blocks[at * share : (at + 1) * share])
            if mine:
                futures = {k: self._futures[k] for k in mine}
                made = self.client.submit(
                    Holder, futures, self._read, actor=True, workers=[worker], allow_other_workers=False, pure=False
                )
                self._holders.append((made.result(), worker, mine))


def _future(client: Client, block: Any) -> Any:
    return client.compute(block) if hasattr(block, "dask") or hasattr(block, "__dask_graph__") else block


def from_collections(client: Client, X: Any, y: Any) -> DistributedSamples:
    """Samples from two Dask arrays or data frames with the same rows in each block."""
    first, second = (np.ravel(collection.to_delayed()).tolist() for collection in (X, y))
    if len(first) != len(second):
        raise InputError(f"X has {len(first)} blocks of rows and y {len(second)}; rechunk one to match the other")
    from dask import delayed

    pairs = [delayed(lambda a, b: (a, b))(a, b) for a, b in zip(first, second, strict=True)]
    return DistributedSamples(client, pairs, _arrays)


def from_parquet(client: Client, folder: str | Path, inputs: Sequence[str], target: str) -> DistributedSamples:
    """Samples from the Parquet files in a folder that all workers can read: one block per file, sorted by name."""
    files = sorted(str(path) for path in Path(folder).glob("*.parquet"))
    if not files:
        raise InputError(f"there are no Parquet files in {folder}")
    return DistributedSamples(client, files, ParquetReader(tuple(inputs), target))


class ParquetReader:
    """Reads a block's file on the worker."""

    def __init__(self, inputs: tuple[str, ...], target: str):
        self.inputs, self.target = inputs, target

    def __call__(self, file: str) -> SampleBlock:
        import duckdb

        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in (*self.inputs, self.target))
        with duckdb.connect(":memory:") as connection:
            found = connection.execute(f"SELECT {quoted} FROM read_parquet(?)", [file]).fetchnumpy()
        columns = [np.asarray(found[name], np.float64) for name in (*self.inputs, self.target)]
        return np.column_stack(columns[:-1]), columns[-1]


def _arrays(pair: tuple[Any, Any]) -> tuple[Array, Array]:
    X, y = (np.asarray(part, np.float64) for part in pair)
    return X, y
