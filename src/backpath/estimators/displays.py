"""Plots of a fit, like scikit-learn's `Display` classes: made by ``from_estimator``, drawn by ``plot``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats

GRID = 60  # points along each side of a surface


def _axes(ax: Any) -> Any:
    """The given axes, or new ones."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("pictures need matplotlib; install it with: pip install 'backpath[plot]'") from None
    return plt.subplots()[1] if ax is None else ax


class LossCurveDisplay:
    """The loss of each epoch, and the loss on held-out samples if there are any.

    Parameters
    ----------
    loss : sequence of float
        The loss of each epoch.
    validation_loss : sequence of float, or None
        The loss on held-out samples after each epoch.

    Attributes
    ----------
    ax_ : matplotlib's Axes
        The axes, after ``plot``.
    figure_ : matplotlib's Figure
        Their figure, after ``plot``.
    lines_ : list of matplotlib's Line2D
        The curves, after ``plot``.

    Examples
    --------
    >>> from backpath import LossCurveDisplay, MLPRegressor
    >>> model = MLPRegressor(solver="lbfgs").fit([[0], [1], [2]], [0, 1, 4])
    >>> LossCurveDisplay.from_estimator(model).ax_.get_xlabel()    # doctest: +SKIP
    'epoch'
    """

    def __init__(self, loss: Sequence[float], validation_loss: Sequence[float] | None = None):
        self.loss, self.validation_loss = loss, validation_loss

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **settings: Any) -> LossCurveDisplay:
        """Draw a fitted estimator's ``loss_curve_``.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted.
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``plot``
            Colour and other properties.

        Returns
        -------
        LossCurveDisplay
            The display.
        """
        check_is_fitted(estimator, "coefs_")
        held_out = getattr(estimator, "validation_loss_curve_", None)
        return cls(estimator.loss_curve_, held_out or None).plot(ax=ax, **settings)

    def plot(self, *, ax: Any = None, **settings: Any) -> LossCurveDisplay:
        """Draw it, on a logarithmic scale if the loss falls far.

        Parameters
        ----------
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``plot``
            Colour and other properties.

        Returns
        -------
        LossCurveDisplay
            The display.
        """
        ax = _axes(ax)
        curves = [("loss", self.loss), ("held-out loss", self.validation_loss)]
        self.lines_ = [
            ax.plot(np.arange(1, len(curve) + 1), curve, label=name, **settings)[0] for name, curve in curves if curve
        ]
        every = np.concatenate([np.asarray(curve, np.float64) for _, curve in curves if curve])
        if (every > 0).all() and every.max() > 100 * every.min():
            ax.set_yscale("log")
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


class SurfaceDisplay:
    """The prediction as a function of two features, with the others held constant.

    Parameters
    ----------
    first : array (points,)
        The values of the first feature.
    second : array (points,)
        The values of the second feature.
    response : array (points, points)
        The predictions, with a row for each value of the second feature.
    names : pair of str
        The names of the features.
    response_name : str
        What is predicted.

    Attributes
    ----------
    ax_ : matplotlib's Axes
        The axes, after ``plot``.
    figure_ : matplotlib's Figure
        Their figure, after ``plot``.
    surface_ : matplotlib's QuadContourSet
        The coloured surface, after ``plot``.
    """

    def __init__(self, first: Floats, second: Floats, response: Array, names: tuple[str, str], response_name: str):
        self.first, self.second, self.response = first, second, response
        self.names, self.response_name = names, response_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        features: tuple[Any, Any] = (0, 1),
        target: int = -1,
        ax: Any = None,
        **settings: Any,
    ) -> SurfaceDisplay:
        """Draw a fitted estimator's predictions.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted.
        X : array-like or data frame
            (N, features); gives the range of the two features and the medians at which the others are held.
        features : pair of column numbers or names
            The two features.
        target : int
            The class, label or output to draw; by default, the last.
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``contourf``
            Colour and other properties.

        Returns
        -------
        SurfaceDisplay
            The display.
        """
        check_is_fitted(estimator, "coefs_")
        rows, columns = np.asarray(X, np.float64), getattr(X, "columns", None)
        names = [f"X{k + 1}" for k in range(rows.shape[1])] if columns is None else [str(name) for name in columns]
        a, b = _places(features, names)
        first, second = (np.linspace(rows[:, k].min(), rows[:, k].max(), GRID) for k in (a, b))
        grid = np.tile(np.median(rows, axis=0), (GRID * GRID, 1))
        grid[:, a], grid[:, b] = (side.ravel() for side in np.meshgrid(first, second))
        given: Any = grid if columns is None else type(X)(grid, columns=columns)
        response, name = _response(estimator, given, target)
        display = cls(first, second, response.reshape(GRID, GRID), (names[a], names[b]), name)
        return display.plot(ax=ax, **settings)

    def plot(self, *, ax: Any = None, **settings: Any) -> SurfaceDisplay:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``contourf``
            Colour and other properties.

        Returns
        -------
        SurfaceDisplay
            The display.
        """
        ax = _axes(ax)
        self.surface_ = ax.contourf(self.first, self.second, self.response, **{"levels": 20, **settings})
        ax.figure.colorbar(self.surface_, ax=ax, label=self.response_name)
        ax.set(xlabel=self.names[0], ylabel=self.names[1])
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _places(features: Sequence[Any], names: Sequence[str]) -> tuple[int, int]:
    """The places of two columns."""
    places = [names.index(f) if isinstance(f, str) and f in names else f for f in features]
    if len(places) != 2 or not all(isinstance(k, (int, np.integer)) and 0 <= k < len(names) for k in places):
        raise InputError(f"features must be two columns of X by number or name, but are {features!r}")
    return places[0], places[1]


def _response(estimator: Any, X: Any, target: int) -> tuple[Array, str]:
    if not hasattr(estimator, "predict_proba"):
        A = np.asarray(estimator.predict(X))
        return (A, "prediction") if A.ndim == 1 else (A[:, target], f"prediction {target % A.shape[1] + 1}")
    A = estimator.predict_proba(X)
    if isinstance(A, list):
        raise InputError("a surface shows one target, but this estimator has several; fit one for each target")
    names = estimator.classes_
    return A[:, target], f"probability of {names[target]}"


class LearningRateDisplay:
    """The loss as the learning rate rises from epoch to epoch, and the suggested rate.

    Parameters
    ----------
    rates : array (epochs,)
        The learning rates.
    losses : array (epochs,)
        Their losses.
    suggestion : float
        The rate at which the smoothed loss falls fastest, per decade of the rate.

    Attributes
    ----------
    ax_ : matplotlib's Axes
        The axes, after ``plot``.
    figure_ : matplotlib's Figure
        Their figure, after ``plot``.
    line_ : matplotlib's Line2D
        The curve, after ``plot``.
    """

    def __init__(self, rates: Floats, losses: Floats, suggestion: float):
        self.rates, self.losses, self.suggestion = rates, losses, suggestion

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Any = None, **settings: Any) -> LearningRateDisplay:
        """Find learning rates for an estimator, which does not change, and draw them.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted or not.
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        y : array-like
            Their targets.
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``plot``
            Colour and other properties.

        Returns
        -------
        LearningRateDisplay
            The display.
        """
        found: LearningRateDisplay = estimator.find_learning_rate(X, y)
        return found.plot(ax=ax, **settings)

    def plot(self, *, ax: Any = None, **settings: Any) -> LearningRateDisplay:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``plot``
            Colour and other properties.

        Returns
        -------
        LearningRateDisplay
            The display.
        """
        ax = _axes(ax)
        self.line_ = ax.plot(self.rates, self.losses, **settings)[0]
        ax.axvline(self.suggestion, linestyle="--", color="0.5", label=f"suggestion {self.suggestion:.2g}")
        ax.set(xlabel="learning rate", ylabel="loss", xscale="log", ylim=(None, self.losses[0] * 1.5))
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
