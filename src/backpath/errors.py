"""What can go wrong, said in one plain line: what was expected, what came, where, what would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backpath.maths.network import Network


ADVICE = "try a smaller learning rate, or standardise the inputs and the target"


class InputError(ValueError):
    """A call or its input is wrong; nothing was done.

    Attributes
    ----------
    options : tuple of str
        What to add to the command, if that would do: ``("--encoding", "cp1252")``.
    """

    def __init__(self, message: str = "", options: Sequence[str] = ()):
        self.options = tuple(options)
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.options)


class DivergenceError(ValueError):
    """Training did not come to an end that can be used: numbers stopped being finite, or the cost only rose.

    Attributes
    ----------
    epoch : int
        The epoch (counted from 1) in which it was seen.
    layer : int | None
        The layer (counted from 1) in whose weights the first non-finite number was; None if there was none in weights.
    cost : float | None
        The last finite cost, None if there was none.
    network : Network | None
        The network with the last finite weights.
    advice : str
        What would do instead, said at the end of the message.
    """

    def __init__(
        self, epoch: int, layer: int | None, cost: float | None, network: Network | None = None, advice: str = ADVICE
    ):
        self.epoch, self.layer, self.cost, self.network, self.advice = epoch, layer, cost, network, advice
        last = "there was no finite cost" if cost is None else f"the last finite cost was {cost:.6g}"
        where = "" if layer is None else f", where a weight of layer {layer} stopped being finite"
        super().__init__(f"training diverged in epoch {epoch}{where}; {last}; {advice}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.epoch, self.layer, self.cost, self.network, self.advice)
