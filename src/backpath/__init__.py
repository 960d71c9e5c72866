"""backpath trains small neural networks fast and shows, with the actual numbers, why every weight moved.

>>> import backpath as bp
>>> net = bp.Network((2, 2, 1), seed=0)
>>> result = bp.train(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=3000, learning_rate=2.0)
>>> result.network.predict([[0, 1], [1, 1]]).round().ravel().tolist()
[1.0, 0.0]
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

from backpath.interrupts import HeldBack
from backpath.version import __version__

# name -> the module that has it; loaded at first use, so that `import backpath` stays light (PEP 562)
_PUBLIC = {
    "BadFitWarning": "backpath.errors",
    "DivergenceError": "backpath.errors",
    "InputError": "backpath.errors",
    "derive": "backpath.explain.derivation",
    "diagnose": "backpath.explain.diagnosis.diagnose",
    "diagnose_function": "backpath.explain.diagnosis.function",
    "explain_step": "backpath.explain.step",
    "explore": "backpath.explorer.notebook",
    "why_not_learning": "backpath.explain.learning.why",
    "Network": "backpath.maths.network",
    "Population": "backpath.population",
    "predict": "backpath.training.prediction",
    "train": "backpath.training",
    "train_population": "backpath.population",
    "LearningRateDisplay": "backpath.estimators",
    "LossCurveDisplay": "backpath.estimators",
    "MLPClassifier": "backpath.estimators",
    "MLPRegressor": "backpath.estimators",
    "SurfaceDisplay": "backpath.estimators",
    "load": "backpath.files.models",
    "load_model": "backpath.files.models",
    "read_table": "backpath.files.tables",
    "save": "backpath.files.models",
}
# what `from backpath import *` brings: what needs an extra only where that is there
_OF_SKLEARN = tuple(name for name, module in _PUBLIC.items() if module == "backpath.estimators")
_ABSENT = (*(() if find_spec("sklearn") else _OF_SKLEARN), *(() if find_spec("starlette") else ("explore",)))
__all__ = [*(name for name in _PUBLIC if name not in _ABSENT), "__version__"]  # noqa: PLE0604 - the names are the table's

if TYPE_CHECKING:
    from backpath.errors import BadFitWarning as BadFitWarning
    from backpath.errors import DivergenceError as DivergenceError
    from backpath.errors import InputError as InputError
    from backpath.estimators import LearningRateDisplay as LearningRateDisplay
    from backpath.estimators import LossCurveDisplay as LossCurveDisplay
    from backpath.estimators import MLPClassifier as MLPClassifier
    from backpath.estimators import MLPRegressor as MLPRegressor
    from backpath.estimators import SurfaceDisplay as SurfaceDisplay
    from backpath.explain.derivation import derive as derive
    from backpath.explain.diagnosis.diagnose import diagnose as diagnose
    from backpath.explain.diagnosis.function import diagnose_function as diagnose_function
    from backpath.explain.learning.why import why_not_learning as why_not_learning
    from backpath.explain.step import explain_step as explain_step
    from backpath.explorer.notebook import explore as explore
    from backpath.files.models import load as load
    from backpath.files.models import load_model as load_model
    from backpath.files.models import save as save
    from backpath.files.tables import read_table as read_table
    from backpath.maths.network import Network as Network
    from backpath.population import Population as Population
    from backpath.population import train_population as train_population
    from backpath.training import train as train
    from backpath.training.prediction import predict as predict


def __getattr__(name: str) -> object:
    try:
        module = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'backpath' has no attribute {name!r}") from None
    with HeldBack():  # NumPy cannot be imported again after an import that Ctrl-C interrupted
        value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
