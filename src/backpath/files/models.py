"""Saves and loads models: a network with everything that is needed to use it on a table, in a safetensors file."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from backpath.errors import InputError
from backpath.files.atomic import write_atomically
from backpath.files.file_paths import PathLike, existing_file, unreadable
from backpath.files.model_format import decode, encode
from backpath.files.origin import beside
from backpath.files.preparation import Preparation
from backpath.files.tensors import LONGEST_HEADER
from backpath.files.wording import shown_path
from backpath.maths.families import is_own
from backpath.maths.network import Network


@dataclass(frozen=True)
class Model:
    """A network, how a table's columns become its inputs, and how it was trained.

    Parameters
    ----------
    network : Network
        The network.
    preparation : Preparation | None
        How a table's columns become inputs; None if it was trained on arrays.
    record : dict
        Facts about the training that JSON can keep (cost, solver, epochs, learning rate, held-out quality …).
    """

    network: Network
    preparation: Preparation | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise InputError(f"a model needs a Network, but got {type(self.network).__name__}")
        own = [name for name in self.network.activations if is_own(name)]
        if own:
            raise InputError(
                f"a model file cannot hold your own functions, such as the activation {own[0]}; use a built-in one"
            )
        try:
            kept = json.loads(json.dumps(self.record, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"a model's record must be JSON data: {error}") from None
        if not isinstance(kept, dict):
            raise InputError(f"a model's record must be a dict, but is of type {type(self.record).__name__}")
        object.__setattr__(self, "record", kept)
        if self.preparation is not None:
            _check_fit(self.network, self.preparation)

    @property
    def table_inputs(self) -> Preparation:
        """How a table's columns become inputs, as in training; for a network trained on arrays, the columns X1, X2 …,
        unchanged."""
        return self.preparation or Preparation.of_arrays(self.network.sizes[0])


def save(net: Network | Model | object, path: PathLike) -> None:
    """Write a network or a model to a file, atomically and exactly; any safetensors library can read the weights.

    Parameters
    ----------
    net : Network, Model or fitted estimator
        What to save; a ``Model`` also holds how a table's columns become inputs, and where the table is. An estimator
        is saved with its cost and the names of its features and classes.
    path : str or path
        The file to write; an existing one is replaced.

    Raises
    ------
    InputError
        If the path is a folder, or its folder is missing or not writable.

    Examples
    --------
    >>> import tempfile
    >>> net = Network((2, 2, 1), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(net, Path(folder, "xor.safetensors"))
    ...     load(Path(folder, "xor.safetensors")) == net
    True
    """
    model = _as_model(net)
    record = model.record
    if isinstance(record.get("table"), dict):
        record = {**record, "table": beside(record["table"], path)}
    description = {
        "activations": list(model.network.activations),
        "biases": model.network.biases,
        "preparation": model.preparation and model.preparation.to_dict(),
        "record": record,
    }
    header, *data = encode(model.network.weights, description)
    if len(header) > LONGEST_HEADER:
        raise InputError(
            f"the model's description would take {len(header):,} bytes, but a model file holds up to "
            f"{LONGEST_HEADER:,}; train with fewer columns or categories"
        )

    def write(file: BinaryIO) -> None:
        for part in (header, *data):
            file.write(part)

    write_atomically(path, write)


def _as_model(net: object) -> Model:
    made = getattr(net, "as_model", None)  # a fitted estimator's; this package cannot import it
    found = made() if callable(made) else net
    return found if isinstance(found, Model) else Model(found)  # type: ignore[arg-type] # refused there


def load(path: PathLike) -> Network:
    """The network in a model file.

    Parameters
    ----------
    path : str or path
        A file that ``save`` or ``backpath train`` wrote.

    Returns
    -------
    Network
        With a warning if it was trained on a table whose columns were prepared, because it then needs the
        preparation that ``load_model`` returns.

    Raises
    ------
    InputError
        If the file is missing, or is not a complete, unaltered model.
    """
    model = load_model(path)
    if model.preparation is not None and not model.preparation.is_plain:
        warnings.warn(
            f"{shown_path(path)} also stores how a table's columns become this network's inputs, without which its "
            "outputs mean nothing for raw columns; load_model() returns both",
            UserWarning,
            stacklevel=2,
        )
    return model.network


def load_model(path: PathLike) -> Model:
    """The network in a model file, with its preparation and the record of its training.

    Loading never imports or runs anything that the file names, and reads no more than it contains.

    Parameters
    ----------
    path : str or path
        A file that ``save`` or ``backpath train`` wrote.

    Returns
    -------
    Model
        With ``network``, ``preparation`` and ``record``.

    Raises
    ------
    InputError
        If the file is missing, or is not a complete, unaltered model; the message says what is wrong with it.
    """
    file = existing_file(path, "a model file")
    try:
        return _model(file, shown_path(path))
    except OSError as error:
        raise unreadable(path, "a model file", error) from None


def _model(file: Path, shown: str) -> Model:
    try:
        weights, description = decode(file)
        if set(description) != {"activations", "biases", "preparation", "record"}:
            raise InputError("its description must hold activations, biases, preparation and record, and nothing else")
        names, biases, kept = description["activations"], description["biases"], description["preparation"]
        if not isinstance(biases, bool):
            raise InputError("its biases must be true or false")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("its activations must be a list of names")
        network = Network.from_weights(weights, names, weights[0].dtype.newbyteorder("="), biases)
        return Model(network, None if kept is None else Preparation.from_dict(kept), description["record"])
    except InputError as error:
        raise InputError(f"{shown} is not a model that can be used: {error}; give a file that backpath saved") from None


def _check_fit(network: Network, preparation: Preparation) -> None:
    wanted = (len(preparation.input_labels), preparation.target.outputs)
    if (network.sizes[0], network.sizes[-1]) != wanted:
        raise InputError(
            f"the preparation is for {wanted[0]} inputs and {wanted[1]} outputs, "
            f"but the network has {network.sizes[0]} and {network.sizes[-1]}"
        )
