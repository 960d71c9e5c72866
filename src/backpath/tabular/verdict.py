"""The quality of a model on held-out rows, compared with a baseline and a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.preparation import Target
from backpath.maths.arrays import Floats
from backpath.maths.intervals import wilson_interval
from backpath.tabular.measures import (
    ClassMeasures,
    Measures,
    as_dict,
    confusion,
    from_dict,
    interval,
    measured,
)

FEW_ROWS = 30  # rows; with fewer, no figure is reliable
LEAST_RESAMPLED = 8  # rows for an interval of R²
FEW_OF_A_CLASS = 10  # rows; with fewer, the recall is not reliable
SELDOM = 1 / 3  # share of the rows of a class, below which it is seldom found
CHANCE_AUC = 0.6  # a lower AUC is little better than chance


@dataclass(frozen=True)
class Verdict:
    """The quality of a model.

    Attributes
    ----------
    on : the rows of the evaluation: "held-out"; "cross-validation", all rows, each predicted by a model that was not
        trained on it; or "training", if no row was held out
    rows : their number
    baseline_name : the constant prediction: the most frequent class, or "the mean"
    model, baseline, linear : the measures of the model, of the baseline and of a linear model
    interval : the 95% confidence interval of the model's score (accuracy or R²)
    scores : the model's score on each part of a cross-validation, if it has one
    parts, of : the number of parts, and the number of rows in the table
    confusion : see `measures.confusion`
    classes : names
    unit : the target's name
    """

    on: str
    rows: int
    unit: str
    classes: tuple[str, ...]
    baseline_name: str
    model: Measures
    baseline: Measures
    linear: Measures | None
    interval: tuple[float, float] | None
    confusion: list[list[int]] | None = None
    scores: tuple[float, ...] = ()
    parts: int = 1
    of: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON data."""
        return {
            "on": self.on,
            "rows": self.rows,
            "target": self.unit,
            "classes": list(self.classes),
            "baseline_name": self.baseline_name,
            "model": as_dict(self.model),
            "baseline": as_dict(self.baseline),
            "linear": self.linear and as_dict(self.linear),
            "interval": None if self.interval is None else list(self.interval),
            "confusion": self.confusion,
            "scores": list(self.scores),
            "parts": self.parts,
            "of": self.of,
            "said": self.said(),
        }

    @classmethod
    def from_dict(cls, kept: Any) -> Verdict:
        """A verdict from its JSON data; InputError if it is not valid."""
        try:
            return cls(
                on=str(kept["on"]),
                rows=int(kept["rows"]),
                unit=str(kept["target"]),
                classes=tuple(map(str, kept["classes"])),
                baseline_name=str(kept["baseline_name"]),
                model=from_dict(kept["model"]),
                baseline=from_dict(kept["baseline"]),
                linear=kept["linear"] and from_dict(kept["linear"]),
                interval=kept["interval"] and (float(kept["interval"][0]), float(kept["interval"][1])),
                confusion=kept["confusion"],
                scores=tuple(map(float, kept["scores"])),
                parts=int(kept["parts"]),
                of=int(kept["of"]),
            )
        except (KeyError, TypeError, ValueError, IndexError):
            raise InputError("the model's record of its quality is not one that backpath wrote") from None

    def said(self) -> list[str]:
        """The verdict in plain sentences."""
        found = self._on_rows() + self._on_baseline() + self._never_right()
        found += [f"It finds only {right:,} of {count:,} {name!r}." for name, right, count in self.seldom]
        found += self._on_rare()
        if self.linear is not None and not self._is_as_good(self.baseline) and self._is_as_good(self.linear):
            found.append("A linear model does as well.")
        return found

    def _on_rows(self) -> list[str]:
        if self.on == "training":
            return ["The model was trained on these rows; its quality on others is not known."]
        if self.rows >= FEW_ROWS:
            return []
        only = "Only 1 row" if self.rows == 1 else f"Only {self.rows} rows"
        return [f"{only}{' held out' if self.on == 'held-out' else ''}: too few to judge."]

    def _on_baseline(self) -> list[str]:
        always = f"always saying {self.baseline_name}"
        if self._is_as_good(self.baseline):
            return [f"No better than {always}."]
        if self._is_hardly_better():
            return [f"Not clearly better than {always}: with other rows it could be worse."]
        return []

    def _on_rare(self) -> list[str]:
        if not self.rare:
            return []
        names = ", ".join(f"{count:,} of {name!r}" for name, count in self.rare[:5])
        more = " …" if len(self.rare) > 5 else ""
        are = "is" if self.rare[0][1] == 1 else "are"
        where = "held out" if self.on == "held-out" else "in the table"
        return [f"Only {names}{more} {are} {where}, so the recall says little about them."]

    @property
    def rare(self) -> list[tuple[str, int]]:
        """Classes with few rows in the evaluation although there are many rows, with their numbers."""
        if self.confusion is None or self.rows < FEW_ROWS or self.on == "training":
            return []
        counts = [(name, sum(row)) for name, row in zip(self.classes, self.confusion, strict=True)]
        return [(name, count) for name, count in counts if count < min(FEW_OF_A_CLASS, self.rows / len(counts) / 2)]

    @property
    def seldom(self) -> list[tuple[str, int, int]]:
        """Of two classes, one that is found in few of its rows but in some: its name, the rows found, all its rows."""
        if self.confusion is None or len(self.classes) != 2 or self.rows < FEW_ROWS:
            return []
        found = [(self.classes[k], row[k], sum(row)) for k, row in enumerate(self.confusion)]
        return [(name, right, count) for name, right, count in found if 0 < right < SELDOM * count]

    @property
    def is_poor(self) -> bool:
        """Whether the baseline is as good, or may be on other rows, or a class is never predicted."""
        return self._is_as_good(self.baseline) or self._is_hardly_better() or bool(self._never_right())

    def _is_as_good(self, other: Measures) -> bool:
        """Whether the other model is as good in the score, and for classes also in the balanced accuracy."""
        if not self.model.score > other.score:
            return not (isinstance(self.model, ClassMeasures) and isinstance(other, ClassMeasures)) or (
                self.model.balanced_accuracy < other.balanced_accuracy + 0.01
            )
        return False

    def _is_hardly_better(self) -> bool:
        if self.interval is None or self.interval[0] > self.baseline.score:
            return False
        return not isinstance(self.model, ClassMeasures) or (self.model.auc or 0.5) < CHANCE_AUC

    def _never_right(self) -> list[str]:
        """The classes that it never predicts."""
        if not isinstance(self.model, ClassMeasures):
            return []
        lost = [repr(name) for name, share in zip(self.classes, self.model.recall, strict=True) if share == 0]
        shown = ", ".join(lost[:5]) + (" …" if len(lost) > 5 else "")
        return [f"It never finds {shown}."] if lost else []


def judged(
    target: Target,
    y: Floats,
    model: Floats,
    baseline: tuple[Floats, str],
    linear: Floats | None,
    on: str,
    part: NDArray[np.intp] | None = None,
    of: int = 0,
) -> Verdict:
    """The verdict on a model.

    Parameters
    ----------
    y : (N, outputs)
        The targets, in the network's form.
    model, linear : (N, outputs)
        The outputs of the model, and of a linear model (None: there is none).
        baseline : ((N, outputs), its name)
    on : "held-out" | "cross-validation" | "training"
    part : (N,)
        In a cross-validation, the part in which each row was held out.
        of : the number of rows in the table
    """
    found = measured(model, y, target)
    parts = [] if part is None else [part == k for k in np.unique(part)]
    scores = [measured(model[rows], y[rows], target).score for rows in parts]
    return Verdict(
        on=on,
        rows=len(y),
        unit=target.name,
        classes=target.classes,
        baseline_name=baseline[1],
        model=found,
        baseline=measured(baseline[0], y, target),
        linear=None if linear is None else measured(linear, y, target),
        interval=None if on == "training" else _interval(found, model, y, target),
        confusion=confusion(model, y, target),
        scores=tuple(score for score in scores if np.isfinite(score)),
        parts=max(1, len(parts)),
        of=max(of, len(y)),
    )


def _interval(model: Measures, A: Floats, y: Floats, target: Target) -> tuple[float, float] | None:
    if isinstance(model, ClassMeasures):
        return wilson_interval(round(model.accuracy * len(y)), len(y))
    if model.r2 is None or len(y) < LEAST_RESAMPLED:
        return None
    return interval(lambda rows: _r2(A[rows], y[rows]), len(y))


def _r2(A: Floats, y: Floats) -> float:
    spread = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((A - y) ** 2).sum()) / spread if spread else float("nan")


def simplest(y: Floats, target: Target) -> tuple[Floats, str]:
    """The constant prediction, as an output and in words: the mean of targets y, or the shares of their classes.

    >>> simplest(np.array([[1.0], [0.0], [0.0]]), Target("y", "binary", classes=("no", "yes")))[1]
    "'no'"
    """
    mean = y.mean(axis=0)
    if target.task == "regression":
        return mean, "the mean"
    shares = np.array([1 - mean[0], mean[0]]) if target.task == "binary" else mean
    return mean, repr(target.classes[int(shares.argmax())])
