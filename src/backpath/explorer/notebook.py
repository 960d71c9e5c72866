"""The explorer in a notebook's cell: the page in a frame, and the edited or trained network back in Python."""

from __future__ import annotations

import html
import importlib
import json
import sys
import threading
import time

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.explorer.app import Explorer
from backpath.explorer.data import Data, of_model
from backpath.explorer.scene import Scene, check_fit, focus_on
from backpath.explorer.server import Address, server
from backpath.explorer.settings import Settings
from backpath.explorer.timeline import Timeline
from backpath.maths.network import Network

_PATIENCE = 10.0  # seconds for a server to start, or to stop


def explore(
    net: Network,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    cost: str | None = None,
    learning_rate: float = 0.5,
    height: int = 760,
) -> Exploration:
    """Open a network in the explorer; a notebook shows the page in the cell.

    Parameters
    ----------
    net : Network
        The initial network.
    X : array_like, optional
        The inputs of samples, (N, inputs). Without samples you can type a row on the page, but not train.
    y : array_like, optional
        Their targets, (N, outputs).
    cost : str, optional
        By default, the cost that fits the outputs, or the notes' squared error if several do.
    learning_rate : float
        The initial learning rate.
    height : int
        The height of the page in a notebook, in pixels.

    Returns
    -------
    Exploration
        ``network`` is the current network on the page; ``close()`` ends the session.

    Raises
    ------
    InputError
        If the samples do not fit the network, or there are too many for the explorer.

    Examples
    --------
    >>> net = Network((2, 2, 1), seed=0)
    >>> with explore(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]) as exploration:
    ...     exploration.network == net
    True
    """
    found = Exploration(_scene(net, X, y, cost, learning_rate), height)
    found.show()
    return found


def _cell() -> int | None:
    """The number of the notebook's cell that is running; None outside of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.execution_count if shell is not None and hasattr(shell, "kernel") else None


def _scene(net: Network, X: ArrayLike | None, y: ArrayLike | None, cost: str | None, rate: float) -> Scene:
    if (X is None) != (y is None):
        raise InputError("X and y go together; give both, or neither")
    usual = "categorical_cross_entropy" if net.activations[-1] == "softmax" else "squared_error"
    settings = Settings(net.sizes, net.activations, cost or usual, learning_rate=rate, biases=net.biases)
    wide = Network.from_weights(net.weights, net.activations, "float64", net.biases)
    if X is None or y is None:
        data = of_model(wide, None, "")
    else:
        inputs, targets = wide.samples(X, y, settings.cost)
        if inputs.size + targets.size > limits.NUMBERS:
            raise InputError(f"X and y hold more than {limits.NUMBERS:,} numbers; give fewer rows")
        task = "multiclass" if net.activations[-1] == "softmax" else "regression"
        if targets.shape[1] == 1 and set(np.unique(targets).tolist()) <= {0.0, 1.0}:
            task = "binary"
        data = Data("points", task, np.asarray(inputs, float), np.asarray(targets, float))
    check_fit(settings, data)
    return Scene(settings, data, wide, wide, Timeline(wide), focus_on(data, min(3, len(data.X) - 1)), loaded=True)


class Exploration:
    """A page of the explorer and its server, which runs until ``close`` or until Python ends.

    Attributes
    ----------
    url : str
        The page's address, which also opens in a browser.
    """

    def __init__(self, scene: Scene, height: int) -> None:
        self._height = height
        self._shown_in: int | None = None
        address = Address("127.0.0.1", 0)
        self.url = address.url
        self._explorer = Explorer(address.rules, scene)
        self._server = server(self._explorer)
        self._thread = threading.Thread(target=self._server.run, args=([address.socket],), daemon=True)
        self._thread.start()
        end = time.monotonic() + _PATIENCE
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)

    @property
    def network(self) -> Network:
        """The current network of the page, with all edits and training; with several pages, the newest one's."""
        sessions = list(self._explorer.sessions.values())
        return (sessions[-1].now if sessions else self._explorer.left).network

    def close(self) -> None:
        """End the page; ``network`` keeps its last value."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)

    def __enter__(self) -> Exploration:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"the explorer at {self.url}"

    def _repr_html_(self) -> str | None:
        """A frame with the page, unless it is above in the same cell. It names the notebook's origin, which alone the
        server allows to frame the page."""
        if self._shown_in is not None and self._shown_in == _cell():
            return None
        name = f"backpath-{id(self):x}"
        url = html.escape(self.url)
        return (
            f'<iframe id="{name}" title="backpath explorer" width="100%" height="{self._height}" '
            f'style="border:0"></iframe><p><a href="{url}" target="_blank" rel="noopener">Open the explorer in a '
            f"new tab</a></p><script>document.getElementById({json.dumps(name)}).src = {json.dumps(self.url)} + "
            '"&parent=" + encodeURIComponent(location.origin)</script>'
        )

    def show(self) -> None:
        """Show the page in the running cell of a notebook, also if the result is given a name; elsewhere nothing."""
        cell = _cell()
        if cell is None:
            return
        importlib.import_module("IPython.display").display(self)
        self._shown_in = cell
