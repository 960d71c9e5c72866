"""``--dask local:4`` or ``--dask tcp://host:8786``: a cluster to distribute training to."""

from __future__ import annotations

import logging
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from backpath.errors import InputError
from backpath.files.wording import quoted
from backpath.interrupts import HeldBack

if TYPE_CHECKING:
    from backpath.training.spreading import Spread

_LOCALLY: dict[str, Any] = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
_LOGS = ("distributed", "tornado", "asyncio")  # silenced, because errors are also raised
RESTART = "10m"  # that a worker may take to start again; Dask's own limit of 15 s is short on a busy machine
_LOCAL = re.compile(r"local(?::([1-9]\d{0,3}))?")


@contextmanager
def cluster(address: str | None) -> Iterator[Spread | None]:
    """The spread of tasks over that cluster; None without an address. If a worker is lost, the others repeat its
    tasks."""
    if address is None:
        yield None
        return
    local = _LOCAL.fullmatch(address)
    if not local and "://" not in address:
        raise InputError(f"--dask takes local, local:WORKERS or a scheduler's address, but got {quoted(address)}")
    try:
        from dask import config
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError("--dask needs Dask: pip install 'backpath[dask]'") from None
    from backpath.distributed.dask_workers import DaskWorkers

    for name in _LOGS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if local:
        workers = int(local[1]) if local[1] else None
        with ExitStack() as stack:
            stack.enter_context(config.set({"distributed.deploy.lost-worker-timeout": RESTART}))
            with HeldBack(), _unheard_by_children():  # a cluster that is still starting cannot be closed
                try:
                    machines = LocalCluster(n_workers=workers, threads_per_worker=1, **_LOCALLY)
                    stack.callback(_close, machines)
                    client = stack.enter_context(Client(machines))
                except (RuntimeError, OSError, TimeoutError) as error:  # one of its processes was killed
                    raise ConnectionError(f"the Dask cluster did not start ({error}); try again") from error
            _let_signals_be_heard()
            yield DaskWorkers(client)
        return
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError, TimeoutError):
        raise InputError(f"no Dask scheduler answers at {quoted(address)}; start one, or check the address") from None
    with client:
        _let_signals_be_heard()
        yield DaskWorkers(client)


def _close(machines: Any) -> None:
    with suppress(KeyError):  # Dask's error if a worker has just died
        machines.close()


def _let_signals_be_heard() -> None:
    """A signal that arrives while Python calls Dask's garbage collection callback would be lost."""
    from distributed.gc import disable_gc_diagnosis

    disable_gc_diagnosis(force=True)


@contextmanager
def _unheard_by_children() -> Iterator[None]:
    """A terminal also sends Ctrl-C to the workers; those started here ignore it, because this process ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start would restore the signal's default
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
