"""Held-out samples, given or drawn, and their evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import validate_data

from backpath.errors import InputError
from backpath.estimators.fit_state import HeldOut
from backpath.estimators.scaling import Scaling
from backpath.estimators.training_samples import Samples, prepared_rows, sample_weights
from backpath.maths.arrays import Array, Indices

RawData = tuple[Any, Any, Any]  # the user's X, y, sample_weight


def hold_out(
    p: Any, samples: Samples, raw: RawData, held_out: RawData, scaling: Scaling, rng: np.random.RandomState
) -> tuple[Samples, HeldOut | None]:
    """Training samples and held-out samples, which are given or, with early stopping, drawn.

    Parameters
    ----------
    p : the estimator
    samples : Samples
        Scaled.
    raw, held_out : the data and the held-out samples of the call
    """
    X, y, weight = held_out
    if X is not None:
        number = samples.X.dtype
        checked = validate_data(p, X, accept_sparse="csr", dtype=number, reset=False)
        targets = p._encoded_again(y).astype(number)
        own = Samples(
            prepared_rows(checked, p._may_stay_sparse()), targets, sample_weights(weight, len(targets), number)
        )
        wanted = (own.X.shape[0], samples.y.shape[1])
        if own.y.shape != wanted:
            raise InputError(f"y_val must have shape {wanted} to fit X_val and y, but has {own.y.shape}")
        if not np.isfinite(own.y).all():
            raise InputError("y_val must be finite, but contains NaN or infinity")
        return samples, HeldOut(scaling.apply(own), p._score_of, _judge(p, X, y, weight, scaling), p.scoring == "loss")
    if not p.early_stopping:
        return samples, None
    training, kept = _drawn(p, samples, rng)
    judge = None
    if p.scoring not in (None, "loss"):
        X, y = (_safe_indexing(data if hasattr(data, "shape") else np.asarray(data), kept) for data in raw[:2])
        judge = _judge(p, X, y, None if samples.weight is None else samples.weight[kept], scaling)
    return samples.part(training), HeldOut(samples.part(kept), p._score_of, judge, p.scoring == "loss")


def _drawn(p: Any, samples: Samples, rng: np.random.RandomState) -> tuple[Indices, Indices]:
    from sklearn.model_selection import train_test_split

    stratify = samples.y.astype(bool) if p._is_stratified(samples) else None
    training, kept = train_test_split(
        np.arange(len(samples)), random_state=rng, test_size=p.validation_fraction, stratify=stratify
    )
    if len(kept) < 2:
        raise InputError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return training, kept


def _judge(p: Any, X: Any, y: Any, weight: Any, scaling: Scaling) -> Callable[[list[Array]], float] | None:
    """The estimator's ``scoring``, applied to weights in training; None if its own score is used."""
    if p.scoring in (None, "loss"):
        return None
    from sklearn.metrics import check_scoring

    scorer = check_scoring(p, p.scoring)
    if sparse.issparse(y):
        y = y.toarray()

    def judge(weights: list[Array]) -> float:
        view = object.__new__(type(p))  # the estimator with the present weights
        vars(view).update(vars(p))
        vars(view).pop("_members", None)
        view._set_weights(scaling.fold(weights), weights[0].dtype)
        own = {} if weight is None or not _takes_weights(scorer) else {"sample_weight": weight}
        return float(scorer(view, X, y, **own))

    return judge


def _takes_weights(scorer: Any) -> bool:
    return hasattr(scorer, "_accept_sample_weight") and bool(scorer._accept_sample_weight())
