"""Samples in blocks on the workers of a Dask cluster."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.distributed.holder import WORKER_LOOK_SECONDS, Holder, SampleBlock, answered, called
from backpath.distributed.summing import Nodes, Terms, merged, missing_blocks
from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.network import Network

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_SECONDS = 120.0  # to wait for a worker if all are lost
FOLLOWERS = 8  # the most workers that one asks; with more workers, those ask others


class SchedulerLost(ConnectionError):
    """The cluster's scheduler no longer answers."""


@dataclass(frozen=True, eq=False)
class Held:
    """Blocks that a worker's actor holds."""

    actor: Any
    worker: str
    blocks: Sequence[int]


class DistributedSamples:
    """Samples in blocks, each held by one worker. If a worker is lost, the others compute its blocks again.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    blocks : sequence of futures, delayed objects, or other arguments of ``read``
        One for each block, in order.
    read : callable
        Returns X (samples, inputs) and y (samples,) or (samples, outputs) of a block, on the worker.
    workers : sequence of addresses, or None
        The workers that hold them; None: all workers.

    Attributes
    ----------
    inputs : int
        The number of columns of X.
    outputs : int
        The number of columns of y.
    lengths : list of int
        The number of samples in each block.
    rounds : int
        How often the workers have been asked for a sum so far.

    Raises
    ------
    InputError
        If there are no blocks, or their columns differ.
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
        self._holders: list[Held] = []
        self._asked_directly: list[Held] = []
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
        return len({held.worker for held in self._holders})

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
        wanted = set(range(len(self._futures)) if only is None else only)
        with self.client.as_current():
            while left := wanted - answers.keys():
                answers |= self._asked(method, *arguments, only=left)
                if lost := wanted - answers.keys():
                    self._hold_elsewhere(lost)
        return answers

    def summed(self, method: str, *arguments: Any, only: Iterable[int] | None = None) -> Terms:
        """The sum of the results of all blocks, or of some, for a method of `Holder`: a round."""
        self.rounds += 1
        blocks = list(range(len(self._futures))) if only is None else sorted(only)
        nodes: Nodes = {}
        with self.client.as_current():
            while left := missing_blocks(nodes, len(blocks)):
                places = {blocks[place]: place for place in left}
                asked = [
                    (called(held.actor, "summed", method, places, len(blocks), *arguments), held.worker)
                    for held in self._asked_directly
                ]
                for future, worker in asked:
                    nodes |= answered(future, worker, self._workers)
                nodes = merged(nodes, len(blocks))
                if left := missing_blocks(nodes, len(blocks)):
                    self._hold_elsewhere({blocks[place] for place in left})
        (root,) = nodes.values()
        return root

    def _asked(self, method: str, *arguments: Any, only: set[int]) -> dict[int, Any]:
        """The results of these blocks, except those of lost workers."""
        holders = [held for held in self._holders if only & set(held.blocks)]
        asked = [(called(held.actor, method, *arguments), held.worker) for held in holders]
        found: dict[int, Any] = {}
        for future, worker in asked:
            found |= answered(future, worker, self._workers)
        return {k: found[k] for k in only & found.keys()}

    def _workers(self) -> list[str]:
        if self.client.status != "running":
            raise SchedulerLost("the scheduler of the cluster no longer answers")
        try:
            found = sorted(self.client.nthreads())  # scheduler_info is now and then overwritten with no workers
        except (OSError, TimeoutError) as error:
            raise SchedulerLost(f"the scheduler of the cluster does not answer: {error}") from None
        return [worker for worker in found if worker in self._chosen] if self._chosen is not None else found

    def _hold_elsewhere(self, without_answer: set[int]) -> None:
        """Move the blocks of lost workers to others."""
        lost = self._lost(without_answer)
        self._holders = [held for held in self._holders if held not in lost]
        blocks = sorted(block for held in lost for block in held.blocks)
        self._place(blocks)
        if self._prepared is not None:
            self._asked("prepare", *self._prepared, only=set(blocks))

    def _lost(self, without_answer: set[int]) -> list[Held]:
        """What lost workers held; if all workers are there, what those without an answer held, which were restarted."""
        there = set(self._workers())
        lost = [held for held in self._holders if held.worker not in there]
        return lost or [held for held in self._holders if without_answer & set(held.blocks)]

    def _place(self, blocks: Sequence[int]) -> None:
        while blocks:
            held = self._shared_out(blocks, self._some_workers())
            self._holders += [one for one in held if one.actor is not None]
            blocks = [block for one in held if one.actor is None for block in one.blocks]
        self._form_tree()

    def _shared_out(self, blocks: Sequence[int], workers: Sequence[str]) -> list[Held]:
        """The blocks in equal shares on the workers; without an actor if a worker is lost meanwhile."""
        share = -(-len(blocks) // len(workers))
        shares = [blocks[at * share : (at + 1) * share] for at in range(len(workers))]
        made = [(self._made(worker, mine), worker, mine) for worker, mine in zip(workers, shares, strict=True) if mine]
        return [Held(self._actor(future, worker), worker, mine) for future, worker, mine in made]

    def _some_workers(self) -> list[str]:
        end = time.monotonic() + PATIENCE_SECONDS
        while not (workers := self._workers()):  # one that came may be lost at once
            left = end - time.monotonic()
            if left < 0:
                raise SchedulerLost("the cluster has no workers left to hold the samples")
            with suppress(OSError, TimeoutError, RuntimeError):
                self.client.wait_for_workers(1, timeout=left)
        return workers

    def _made(self, worker: str, blocks: Sequence[int]) -> Any:
        futures = {k: self._futures[k] for k in blocks}
        return self.client.submit(
            Holder, futures, self._read, actor=True, workers=[worker], allow_other_workers=False, pure=False
        )

    def _actor(self, made: Any, worker: str) -> Any:
        """The worker's new actor; None if the worker is lost meanwhile."""
        from distributed import wait

        while True:
            try:
                wait(made, timeout=WORKER_LOOK_SECONDS)
                return made.result()  # with a timeout, Dask cannot be asked again if that ends while it gets the result
            except TimeoutError:
                if worker not in self._workers():
                    return None
            except RuntimeError as error:
                if "Actor was lost" not in str(error):  # what Dask says
                    raise
                return None

    def _form_tree(self) -> None:
        """Tell the actors whom to ask, each `FOLLOWERS` others at most.

        A worker runs one call at a time, so only one actor of each worker asks others, and only those after it;
        otherwise they would wait for each other.
        """
        first: dict[str, Held] = {}
        for held in self._holders:
            first.setdefault(held.worker, held)
        tree = list(first.values())
        self._asked_directly = tree[:FOLLOWERS] + [held for held in self._holders if first[held.worker] is not held]
        followers = [tree[FOLLOWERS * k : FOLLOWERS * (k + 1)] for k in range(1, len(tree) + 1)]
        answers = [
            (called(held.actor, "follow", [(other.actor, other.worker) for other in others]), held.worker)
            for held, others in zip(tree, followers, strict=True)
        ]
        for future, worker in answers:
            answered(future, worker, self._workers)


def _future(client: Client, block: Any) -> Any:
    return client.compute(block) if hasattr(block, "dask") or hasattr(block, "__dask_graph__") else block


def from_collections(client: Client, X: Any, y: Any) -> DistributedSamples:
    """Samples from two Dask arrays or data frames.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    X, y : Dask arrays or data frames
        With the same rows in each block.

    Returns
    -------
    DistributedSamples
        With the same blocks.

    Raises
    ------
    InputError
        If X and y have different numbers of blocks.
    """
    first, second = (np.ravel(collection.to_delayed()).tolist() for collection in (X, y))
    if len(first) != len(second):
        raise InputError(f"X has {len(first)} blocks of rows and y {len(second)}; rechunk one to match the other")
    from dask import delayed

    pairs = [delayed(lambda a, b: (a, b))(a, b) for a, b in zip(first, second, strict=True)]
    return DistributedSamples(client, pairs, _arrays)


def from_parquet(client: Client, folder: str | Path, inputs: Sequence[str], target: str) -> DistributedSamples:
    """Samples from the Parquet files in a folder that all workers can read.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    folder : path
        Its ``*.parquet`` files are read, sorted by name.
    inputs : sequence of str
        The columns of X.
    target : str
        The column y.

    Returns
    -------
    DistributedSamples
        One block per file.

    Raises
    ------
    InputError
        If there are no such files.
    """
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
