"""The quality of the answers in the table's terms: accuracy, also per class, or the typical error in its units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.explain.digits import shown
from backpath.explorer.data import Data
from backpath.files.wording import plain
from backpath.maths.arrays import Array
from backpath.maths.network import Network

_MOST = 20_000_000  # weights times rows that are predicted at once


def quality_lines(data: Data, network: Network) -> list[dict[str, Any]]:
    """A line for the samples, and one for the rows held out: ``{"rows": "all 150", "text": "accuracy 96%", …}``."""
    parts = [("training" if data.held_out else "all", data.X, data.y)]
    if data.held_out:
        parts.append(("held-out", data.held_out.X, data.held_out.y))
    size = sum(W.size for W in network.weights)
    if data.typed or size * sum(len(X) for _, X, _ in parts) > _MOST:
        return []
    return [{"rows": name, "count": len(X), **_of(data, network, X, y)} for name, X, y in parts]


def _of(data: Data, network: Network, X: Array, y: Array) -> dict[str, Any]:
    A = network.predict(X)
    if data.task == "regression":
        scale = data.preparation.target.scale if data.preparation else 1.0
        error = float(np.sqrt(np.mean((A - y) ** 2))) * scale
        return {"text": f"usually off by {shown(error, 3)}", "classes": []}
    said, wanted = _classes(A), _classes(y)
    names = _names(data, y.shape[1])
    found = [
        {
            "name": name,
            "count": int((wanted == k).sum()),
            "right": int(((wanted == k) & (said == k)).sum()),
            "said": int((said == k).sum()),
        }
        for k, name in enumerate(names)
    ]
    return {"text": f"accuracy {100 * float((said == wanted).mean()):.4g}%", "classes": found}


def _classes(outputs: Array) -> NDArray[np.intp]:
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] >= 0.5).astype(np.intp)


def _names(data: Data, outputs: int) -> list[str]:
    """The names of the classes in the table."""
    if data.preparation is not None and data.preparation.target.classes:
        return [plain(name) for name in data.preparation.target.classes]
    return [f"A{k}" for k in range(1, outputs + 1)] if outputs > 1 else ["0", "1"]
