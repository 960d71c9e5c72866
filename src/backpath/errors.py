"""Exceptions, whose messages are one plain line: what was expected, what was found, where, and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

LONGEST_WORD, LONGEST_MESSAGE = 1_000, 20_000  # characters
_BREAKS = re.compile(r"\s*[\r\n]\s*(?!backpath )")  # a suggested command has its own line
_LONG_WORD = re.compile(rf"(\S{{100}})\S{{{LONGEST_WORD - 100},}}")


ADVICE = "try a smaller learning rate, or standardise the inputs and the target"


class InputError(ValueError):
    """A call or its input is not valid; nothing has been done.

    The message is one line, followed by a line for each command that it suggests. Other line breaks become spaces, and
    very long parts are shortened.

    Attributes
    ----------
    settings : tuple of str
        The settings that the message names, spelled like the arguments of ``train``.
    options : tuple of str
        Options that would solve the problem on the command line: ``("--encoding", "cp1252")``.

    Examples
    --------
    >>> str(InputError("unknown activation " + "x" * 10**6)) == "unknown activation " + "x" * 100 + "…"
    True
    """

    def __init__(self, message: str, *settings: str, options: Sequence[str] = ()):
        line = _LONG_WORD.sub(r"\1…", _BREAKS.sub(" ", message))
        super().__init__(line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "…")
        self.settings = tuple(name for name in settings if name.isidentifier())
        self.options = tuple(options)

    def naming(self, spelled: Callable[[str], str]) -> str:
        """The message with its settings spelled as in the caller's interface.

        Parameters
        ----------
        spelled : callable
            Maps a setting's name to its spelling.

        Returns
        -------
        str
            The message.

        Examples
        --------
        >>> InputError("batch_size must be at least 1", "batch_size").naming(lambda name: "--batch-size")
        '--batch-size must be at least 1'
        """
        message = str(self)
        for setting in self.settings:
            message = re.sub(
                rf"(?<![\w-]){re.escape(setting)}(?!\w)", lambda found: spelled(found[0]), message, count=1
            )
        return message


class DivergenceError(ValueError):
    """Training has no usable result: numbers stopped being finite, or the cost only rose.

    Attributes
    ----------
    epoch : int
        The epoch (counted from 1) in which it was detected.
    layer : int | None
        The layer (counted from 1) of the first non-finite weight; None if all weights were finite.
    cost : float | None
        The last finite cost; None if there was none.
    network : Network | None
        The network with the last finite weights.
    advice : str
        What to try, as at the end of the message.
    start : float | None
        The initial cost, if all numbers are finite and the cost rose from it.
    stuck : bool
        Whether the cost rose to a point where every gradient is about 0, so that it cannot fall again.
    """

    def __init__(
        self,
        epoch: int,
        layer: int | None,
        cost: float | None,
        network: Any = None,  # a Network, whose module imports this one
        advice: str = ADVICE,
        start: float | None = None,
        stuck: bool = False,
    ):
        self.epoch, self.layer, self.cost, self.network, self.advice = epoch, layer, cost, network, advice
        self.start, self.stuck = start, stuck
        super().__init__(f"training {self._finding()}; {advice}")

    def _finding(self) -> str:
        if self.start is not None:
            rise = f"in epoch {self.epoch}: the cost rose from {self.start:.6g} to {self.cost:.6g}"
            return f"got stuck {rise}, and every gradient there is about 0" if self.stuck else f"diverged {rise}"
        where = "" if self.layer is None else f", where a weight of layer {self.layer} stopped being finite"
        last = "there was no finite cost" if self.cost is None else f"the last finite cost was {self.cost:.6g}"
        return f"diverged in epoch {self.epoch}{where}; {last}"

    def but(self, **changed: Any) -> DivergenceError:
        """The same error with other attributes.

        Parameters
        ----------
        **changed
            The attributes and their new values.

        Returns
        -------
        DivergenceError
            A new error; this one does not change.
        """
        names = ("epoch", "layer", "cost", "network", "advice", "start", "stuck")
        return DivergenceError(**{name: getattr(self, name) for name in names} | changed)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.epoch, self.layer, self.cost, self.network, self.advice, self.start, self.stuck)


class BadFitWarning(RuntimeWarning):
    """A fitted estimator predicts hardly better than a constant; the message gives the reason and a remedy."""
