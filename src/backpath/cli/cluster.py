"""``--dask local:4`` or ``--dask tcp://host:8786``: a cluster over which trainings are spread."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from backpath.errors import InputError
from backpath.files.wording import quoted
from backpath.training.interrupts import HeldBack

if TYPE_CHECKING:
    from backpath.tabular.fit_table import Spread

_LOCAL = re.compile(r"local(?::([1-9]\d{0,3}))?")
_LOST = "the connection to the Dask cluster was lost; repeat the call when it is back"


@contextmanager
def cluster(address: str | None) -> Iterator[Spread | None]:
    """What spreads tasks over that cluster; None without an address. A worker that is lost has its tasks done again by
    the others."""
    if address is None:
        yield None
        return
    local = _LOCAL.fullmatch(address)
    if not local and "://" not in address:
        raise InputError(f"--dask takes local, local:WORKERS or a scheduler's address, but got {quoted(address)}")
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError("--dask needs Dask: pip install 'backpath[dask]'") from None
    if local:
        workers = int(local[1]) if local[1] else None
        with ExitStack() as stack:
            with HeldBack(), _unheard_by_children():  # a cluster that is still starting cannot be closed
                machines = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
                client = stack.enter_context(Client(stack.enter_context(machines)))
            yield _spread_by(client)
        return
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError, TimeoutError):
        raise InputError(f"no Dask scheduler answers at {quoted(address)}; start one, or check the address") from None
    with client:
        yield _spread_by(client)


@contextmanager
def _unheard_by_children() -> Iterator[None]:
    """A terminal sends Ctrl-C to the workers too; those started here leave it to this process, which ends them."""
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


def _spread_by(client: Any) -> Spread:
    def spread(function: Callable[..., Any], shared: Any, tasks: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        from distributed import CancelledError

        try:
            held = client.scatter(shared, broadcast=True, hash=False)
            futures = [client.submit(function, held, *task, pure=False) for task in tasks]
            for future in futures:
                yield future.result()
        except (CancelledError, OSError, TimeoutError) as error:
            raise ConnectionError(_LOST) from error

    return spread
