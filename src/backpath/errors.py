"""What can go wrong, said in one plain line: what was expected, what came, where, what would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backpath.maths.network import Network


class InputError(ValueError):
    """A call or its input is wrong; nothing was done."""


class DivergenceError(ValueError):
    """Training stopped being finite.

    Attributes
    ----------
    epoch : int
        The epoch (counted from 1) in which the first non-finite number appeared.
    layer : int | None
        The layer (counted from 1) whose weights it reached first; None if only the cost overflowed.
    cost : float | None
        The last finite cost, None if there was none.
    network : Network | None
        The network with the last finite weights.
    """

    def __init__(self, epoch: int, layer: int | None, cost: float | None, network: Network | None = None):
        self.epoch, self.layer, self.cost, self.network = epoch, layer, cost, network
        where = "the cost" if layer is None else f"a weight of layer {layer}"
        last = "there was no finite cost before" if cost is None else f"the last finite cost was {cost:.6g}"
        super().__init__(
            f"training diverged: {where} stopped being finite in epoch {epoch}; {last}; "
            "try a smaller learning rate, or standardise the inputs and the target"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.epoch, self.layer, self.cost, self.network)
