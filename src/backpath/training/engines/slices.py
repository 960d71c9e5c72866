"""Many networks in slices that other processes train. The networks are independent, so the bits stay the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backpath.maths.arrays import Array
from backpath.training.engines.many import ManyNetworks
from backpath.training.fingerprints import fingerprint
from backpath.training.spreading import Spread, spread_and_kept

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints

_MOST, LEAST_SECONDS = 256, 0.5  # slices; seconds of work on one core in each, roughly
OF_EACH = ("epochs_done", "solved_after", "status", "cost", "worst")  # arrays (networks,)
_COLUMNS = ("weights", "history")  # arrays (…, networks)


def train_in_slices(
    many: ManyNetworks,
    spread: Spread,
    run: Checkpoints | None,
    settings: dict[str, Any],
    report_done: Callable[[float], object] = lambda share: None,
) -> bool:
    """Train these networks to the end, one slice per task; returns whether Ctrl-C interrupted it.

    Slices that are not done then keep their initial weights. ``report_done`` gets the share of networks done after each
    slice.
    """
    size = many.weights.shape[1]
    least = max(size / _MOST, LEAST_SECONDS / (many.epoch_seconds * max(1, many.epochs)))
    width = math.ceil(min(least, size) / many.networks_at_once) * many.networks_at_once
    slices = [slice(first, min(first + width, size)) for first in range(0, size, width)]
    shared = many.job, many.settings, size
    starts = [(many.weights[:, part].copy(), many.rates[part].copy(), many.momenta[part].copy()) for part in slices]

    def of_slice(number: int) -> dict[str, Any]:
        return settings | {"slice": number, "starts": fingerprint(starts[number][0])}

    done, left = 0, set(range(len(slices)))
    interrupted = False
    try:
        for number, found in spread_and_kept(spread, run, train_slice, shared, starts, of_slice):
            _take(many, slices[number], found)
            left.discard(number)
            done += len(range(size)[slices[number]])
            report_done(done / size)
    except KeyboardInterrupt:
        interrupted = True
        if run is not None:
            run.interrupted = True
    untrained = many.job, many.settings | {"epochs": 0, "history_every": None}, size
    for number in left:
        _take(many, slices[number], train_slice(untrained, *starts[number]))
    return interrupted


def train_slice(shared: Any, weights: Array, rates: Array, momenta: Array) -> dict[str, Array]:
    """Train one slice; any process can run this."""
    job, settings, together = shared
    many = ManyNetworks(job, weights.copy(), rates, momenta, **settings, threads=1, together=together)
    many.run()
    return {name: getattr(many, name) for name in (*OF_EACH, *_COLUMNS)} | {"epochs": many.epochs_done}


def _take(many: ManyNetworks, part: slice, found: dict[str, Array]) -> None:
    for name in OF_EACH:
        getattr(many, name)[part] = found[name]
    many.weights[:, part] = found["weights"]
    if len(found["history"]):
        many.history[:, part] = found["history"]
