"""The arguments of the kernels: the structures and codes of ``codes.hpp``; a test checks that they agree."""

from __future__ import annotations

from ctypes import Structure, c_double, c_int64, c_void_p
from typing import Any

SOLVER_CODES = {"gd": 0, "momentum": 1, "adam": 2}
STEP_BYTES = 64  # bytes that are processed together
TICKET_APART = 8  # numbers from one ticket of a team to the next
STATE_ROWS = 8  # in a block of many networks


def _fields(names: str, kind: type[Any]) -> list[tuple[str, type[Any]]]:
    return [(name, kind) for name in names.split()]


class CPlan(Structure):
    """The work to do, and the layout of the working memory."""

    _fields_ = _fields(
        "cost solver layers weights samples batch block spare data laid narrow fused slots slot panel parts sums",
        c_int64,
    )


class CSettings(Structure):
    """The solver's settings."""

    _fields_ = _fields(
        "learning_rate momentum nesterov beta_1 beta_2 epsilon l2 tol patience share clip "
        "solved_error stop_when_solved decay",
        c_double,
    )


class CState(Structure):
    """The state of training."""

    _fields_ = _fields("updates best waited converged finite solved_after", c_double)

    def copy(self) -> CState:
        return CState.from_buffer_copy(self)


class CProgress(Structure):
    """The progress of a call."""

    _fields_ = _fields("epoch start first panel phase", c_int64) + _fields("whole cost total", c_double)


class CTeam(Structure):
    """Threads that share a call."""

    _fields_ = _fields("done units members size finished patient", c_int64) + _fields("tickets give_way", c_void_p)


class CTraining(Structure):
    """One network's training."""

    _fields_ = _fields("plan settings layers memory gradient free X Y sample_weight costs worst", c_void_p)


class CPopulation(Structure):
    """Many networks of the same sizes."""

    _fields_ = _fields(
        "layers weights moments networks samples cost solver batch every stop_when_solved block", c_int64
    ) + _fields("solved_error tol patience beta_1 beta_2 epsilon", c_double)


class CPopulated(Structure):
    """The arrays of a population."""

    _fields_ = _fields("population sizes activations free memory weights moments numbers counts history X Y", c_void_p)


class CEach(Structure):
    """Many networks, each with its samples in the lanes."""

    _fields_ = _fields("populated training rates momenta weights before states costs", c_void_p)


# the columns of the table of layers
LAYER = ("inputs", "neurons", "activation", "weights", "row", "values", "deltas", "transposed")
# the rows of what is known of each of many networks, as numbers and as counts, and why one stopped
RATE, MU, COST, WORST, BEST, WAITED = range(6)
EPOCHS, SOLVED_AFTER, STATUS = range(3)
IS_TRAINING, IS_SOLVED, IS_CONVERGED, IS_DIVERGED = range(4)

_POINTER, _COUNT = c_void_p, c_int64
SIGNATURES: dict[str, tuple[type[Any] | None, tuple[type[Any], ...]]] = {
    "activate": (None, (_COUNT, _POINTER, _POINTER, _COUNT)),
    "lay_samples": (None, (_POINTER, _POINTER)),
    "begin": (None, (*[_POINTER] * 4, _COUNT, _COUNT, *[_POINTER] * 3)),
    "train": (_COUNT, (*[_POINTER] * 4, _COUNT, _COUNT, *[_POINTER] * 3)),
    "predict": (None, (_POINTER, _POINTER, _COUNT, _POINTER, _POINTER)),
    "begin_predicting": (None, (_POINTER, _COUNT, _POINTER)),
    "train_many": (None, (_POINTER, _POINTER, _COUNT, _COUNT, _COUNT, _POINTER, _COUNT)),
    "train_each": (None, (_POINTER, _POINTER, _COUNT, _COUNT, _COUNT, _POINTER, _COUNT)),
    "evaluate_many": (None, (_POINTER, _POINTER, _COUNT, _POINTER)),
}
