"""Trains the network for a table, and evaluates it on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.files.classes import looks_like_counts
from backpath.files.column_values import Categories
from backpath.files.preparation import Preparation
from backpath.files.streamed_table import StreamedTable
from backpath.files.training_table import Division, TrainingTable
from backpath.maths.arrays import Floats
from backpath.tabular.fit_table import Fit, fit
from backpath.tabular.importance import importance
from backpath.tabular.linear import best_linear_model
from backpath.tabular.measures import Measures, measured
from backpath.tabular.verdict import Verdict, judged, simplest
from backpath.training.spreading import Spread

SMALL, FOLDS = 200, 5  # with fewer rows, one held-out part is too small


@dataclass(frozen=True)
class Judged:
    """A model of a table, with its verdict.

    Attributes
    ----------
    fit, preparation : the model's
    verdict : the quality on rows that were not used for training
    training : its measures on the training rows
    importance : by column, see `importance`
    outputs, wanted : (N, outputs)
        The model's outputs for the rows of the verdict, and the targets.
    X, y : (N, inputs), (N, outputs)
        The training samples.
    """

    fit: Fit
    preparation: Preparation
    verdict: Verdict
    training: Measures
    importance: dict[str, float]
    outputs: Floats
    wanted: Floats
    X: Floats
    y: Floats


@dataclass(frozen=True)
class Trainer:
    """The settings for training all models of a table.

    Attributes
    ----------
    given : settings that are fixed, see `fit_table.fit`
    scale_target : whether a numeric target is standardised
    """

    table: TrainingTable | StreamedTable
    given: Mapping[str, Any]
    scale_target: bool = True
    seed: int = 0
    network: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    spread: Spread | None = None
    watch: Callable[[float, float], object] | None = None

    def held_out(self, share: float) -> Judged:
        """Train on all rows except a share, and evaluate on that share, or on all rows if it is 0."""
        division = self.table.division(share, self.seed, self.scale_target)
        model = self._fit(division)
        on = "held-out" if len(division.held_out) else "training"
        return self._judged(model, division, [(division, model)], on)

    def cross_validated(self, folds: int) -> Judged:
        """Train on all rows, and evaluate models that are trained on all parts of the rows except one."""
        table = self.table
        if isinstance(table, StreamedTable):
            raise InputError(
                "--cv needs the table in memory, but it is streamed; leave --cv out, or give more --memory"
            )
        order = np.random.default_rng(self.seed).permutation(table.rows)
        parts = [order[k::folds] for k in range(folds)]
        tried = []
        for part in parts:
            division = table.divided(np.setdiff1d(order, part), part, self.scale_target)
            if len(division.held_out):  # training may need all rows of a part
                tried.append((division, self._fit(division)))
        whole = table.divided(order, order[:0], self.scale_target)
        model = self._fit(whole)
        if not tried:
            return self._judged(model, whole, [(whole, model)], "training")
        return self._judged(model, whole, tried, "cross-validation")

    def _fit(self, division: Division) -> Fit:
        return fit(
            division.X,
            division.y,
            division.preparation.target.task,
            self.given,
            weight=division.weight,
            stream=division.stream,
            seed=self.seed,
            watch=self.watch,
            network=self.network,
            training=self.training,
            spread=self.spread,
        )

    def _judged(self, model: Fit, division: Division, tried: list[tuple[Division, Fit]], on: str) -> Judged:
        target = division.preparation.target
        seen = [(d.X, d.y) if on == "training" else (d.X_held_out, d.y_held_out) for d, _ in tried]
        given = [f.network.predict(X).astype(np.float64) for (_, f), (X, _) in zip(tried, seen, strict=True)]
        linear = [self._linear(d, X) for (d, _), (X, _) in zip(tried, seen, strict=True)]
        constant, words = simplest(division.y, target)
        scale = [d.preparation.target.scale / target.scale for d, _ in tried]
        shift = [(d.preparation.target.mean - target.mean) / target.scale for d, _ in tried]

        def joined(parts: list[Floats]) -> Floats:
            """The values of all parts in the units of the model's target."""
            return np.concatenate([A * a + b for A, a, b in zip(parts, scale, shift, strict=True)])

        outputs, wanted = joined(given), joined([y for _, y in seen])
        part = np.repeat(np.arange(len(seen)), [len(y) for _, y in seen]) if len(seen) > 1 else None
        return Judged(
            model,
            division.preparation,
            judged(
                target,
                wanted,
                outputs,
                (np.tile(constant, (len(wanted), 1)), words),
                joined(linear),
                on,
                part,
                self.table.rows,
            ),
            measured(model.network.predict(division.X).astype(np.float64), division.y, target),
            self._importance(tried, seen),
            outputs,
            wanted,
            division.X,
            division.y,
        )

    def _linear(self, division: Division, X: Floats) -> Floats:
        task = division.preparation.target.task
        model, *_ = best_linear_model(division.X, division.y, task, division.weight, self.seed)
        return model.predict(X).astype(np.float64)

    def _importance(self, tried: list[tuple[Division, Fit]], seen: list[tuple[Floats, Floats]]) -> dict[str, float]:
        """The mean over the parts, by column, the most important first."""
        found = []
        for (division, model), (X, y) in zip(tried, seen, strict=True):
            widths = [len(column.labels) for column in division.preparation.inputs]
            found.append(importance(model.network, X, y, division.preparation.target, widths, self.seed))
        names = [column.name for column in tried[0][0].preparation.inputs]
        means = dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))
        return dict(sorted(means.items(), key=lambda pair: -pair[1]))


def counts_something(table: TrainingTable | StreamedTable) -> bool:
    """Whether the target looks like counts."""
    target = table.target
    values, counts = np.unique(target.values, return_counts=True)
    if isinstance(target, Categories):
        try:
            values = np.array([float(target.categories[code]) for code in values])
        except ValueError:
            return False
        order = np.argsort(values)
        values, counts = values[order], counts[order]
    return looks_like_counts(values.astype(np.float64), counts.astype(np.float64))
