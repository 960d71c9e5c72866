"""``diagnose_function`` tries a user's backpropagation on many random networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explain.diagnosis.calling import Calling, UserFunction, calls
from backpath.explain.diagnosis.claims import Claim, Claims
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conclude import NEARLY_RIGHT, all_right, figures, is_numerical, of_search
from backpath.explain.diagnosis.diagnose import problem, weight_claims
from backpath.explain.diagnosis.differences import as_differences
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.report import Claimed, Report
from backpath.explain.diagnosis.search import Search
from backpath.explain.diagnosis.your_lines import where_it_sits
from backpath.maths.arrays import Array
from backpath.maths.costs import check_cost_fits
from backpath.maths.network import Network
from backpath.maths.other_names import activation_called, cost_called, taken_as

_SAMPLES = (5, 4, 7, 3)  # batch sizes, in turn; with a single sample, many mistakes look alike


def diagnose_function(
    function: UserFunction,
    sizes: Sequence[int] = (2, 2, 1),
    *,
    activation: str = "sigmoid",
    activations: str | Sequence[str] | None = None,
    cost: str = "squared_error",
    learning_rate: float | None = None,
    biases: bool = True,
    networks: int = 12,
    seed: int = 0,
) -> Report:
    """Check whether a function computes the right gradients and, if not, name its mistake.

    It is called with several random networks and batches: mistakes that look alike on one differ on another.

    Parameters
    ----------
    function : callable
        ``function(weights, X, y)`` -> a list of gradient arrays in the weights' shapes, bias last. ``weights`` are
        arrays of shape (neurons, inputs + 1), ``X`` is (N, inputs), ``y`` (N, outputs); all are copies. If that
        does not work, or gives wrong gradients, other usual conventions are tried and reported: the bias first or
        separate, a column per neuron, samples in columns, pairs (W, b), a dictionary with W1 and b1, an argument for
        each array.
    sizes, activation, activations, biases : see `backpath.Network`
        The networks to try. Names from other libraries work too ("logistic"); the report gives backpath's names.
    cost : str
        The cost that the function should have. Names from other libraries work too ("mse").
    learning_rate : float | None
        η if the function returns updated weights; by default, it is fitted.
    networks : int
        The number of networks to try.
    seed : int
        Seed for the networks and their samples.

    Returns
    -------
    Report
        With the figures of the most informative network, and the explanations that hold for all networks.

    Raises
    ------
    InputError
        If the function raises, or does not return finite gradients in the weights' shapes.

    Examples
    --------
    >>> def backprop(weights, X, y):
    ...     (W,) = weights
    ...     A = 1 / (1 + np.exp(-(X @ W[:, :-1].T + W[:, -1])))
    ...     delta = 2 * (A - y)
    ...     return [delta.T @ np.column_stack([X, np.ones(len(X))]) / len(X)]
    >>> diagnose_function(backprop, sizes=(2, 1)).findings[0].mistake
    'missing_output_derivative'
    """
    given = activation if activations is None else activations
    names = [given] if isinstance(given, str) else list(given)
    taken = [activation_called(name) for name in names]
    called, cost = cost, cost_called(cost, taken[-1])
    kinds = taken[0] if isinstance(given, str) else taken
    rng = np.random.default_rng(seed)
    scenes = []
    for k in range(networks):
        drawn = int(rng.integers(2**32))
        net = Network(sizes, activations=kinds, init="uniform:-1,1", seed=drawn, biases=biases)
        check_cost_fits(cost, net.activations[-1])
        scenes.append((net, *_samples(net, cost, _SAMPLES[k % len(_SAMPLES)], rng)))
    reports = []
    for words, tried, call in _ways(function, scenes, cost, learning_rate):
        report, slips, q = _concluded(tried)
        report.layout = words
        if slips:
            report.place = where_it_sits(q, slips, partial(call.figures, function, q.net, q.X, q.y), function)
        reports.append(report)
        if report.correct or report.certain:
            break
    best = min(reports, key=lambda report: (not report.correct, not report.certain, report.bits))
    said = taken_as([*zip(names, taken, strict=True), (called, cost)])
    best.note = " ".join(filter(None, [said, best.note]))
    return best


Trial = tuple[Network, Array, Array]


def _ways(function: UserFunction, scenes: Sequence[Trial], cost: str, rate: float | None) -> list[Way]:
    """All ways to call the function that work, in words, with its results for each network; a way with right results is
    first."""
    found: list[Way] = []
    for call in calls(function, *scenes[0]):
        try:
            returned = [call.figures(function, *scene) for scene in scenes]
        except InputError:
            if not call.words:  # called as documented, it fails on some network
                raise
            continue
        found += _taken(call, scenes, returned, cost, rate)
    return sorted(found, key=lambda way: not all(is_numerical(one.comparison) for one in way[1]))


def _taken(
    call: Calling, scenes: Sequence[Trial], returned: Sequence[dict[str, Any]], cost: str, rate: float | None
) -> Iterator[Way]:
    """The results as gradients: of networks without biases if those are all 0, and of the given ones; and if they look
    like that, as updated weights."""
    if _leave_biases_out(returned):
        words = "; ".join(
            filter(None, (call.words, "your network is taken to have no biases, because all their gradients are 0"))
        )
        bare = [{name: v for name, v in figures.items() if "~" not in name} for figures in returned]
        nets = [(net.without_biases(), X, y) for net, X, y in scenes]
        yield words, _each(_Tried.of, nets, bare, cost, rate), call
    yield call.words, _each(_Tried.of, scenes, returned, cost, rate), call
    if all(_looks_like(net, figures) for (net, *_), figures in zip(scenes, returned, strict=True)):
        words = "; ".join(filter(None, (call.words, "your function's results are taken as updated weights")))
        yield words, _each(_Tried.updated, scenes, returned, cost, rate), call


def _each(
    tried: Callable[..., _Tried],
    scenes: Sequence[Trial],
    returned: Sequence[Mapping[str, object]],
    cost: str,
    rate: float | None,
) -> list[_Tried]:
    return [tried(*scene, cost, rate, figures) for scene, figures in zip(scenes, returned, strict=True)]


def _looks_like(net: Network, returned: Mapping[str, object]) -> bool:
    """Whether the results are closer to the weights than to 0."""
    W, V = (np.array([float(of[name]) for name in returned]) for of in (net, returned))  # type: ignore[arg-type]
    return bool(((W - V) ** 2).sum() < 0.5 * (W * W).sum())


def _steps(net: Network, returned: Mapping[str, object]) -> dict[str, object]:
    """The steps, if the results are updated weights."""
    return {name: net[name] - float(value) for name, value in returned.items()}  # type: ignore[arg-type]


def _leave_biases_out(returned: Sequence[Mapping[str, object]]) -> bool:
    biases = [value for figures in returned for name, value in figures.items() if "~" in name]
    return bool(biases) and not np.any(np.array(biases, dtype=float))


@dataclass(frozen=True)
class _Tried:
    """One network with the function's results for it."""

    comparison: Comparison
    claims: list[Claim]

    @classmethod
    def of(
        cls, net: Network, X: Array, y: Array, cost: str, rate: float | None, claimed: Mapping[str, object]
    ) -> _Tried:
        q = problem(net, X, y, cost, rate, (), False)
        claims = list(weight_claims(q, claimed, "gradient"))
        return cls(Comparison(q, Claims.of(claims)), claims)

    @classmethod
    def updated(
        cls, net: Network, X: Array, y: Array, cost: str, rate: float | None, claimed: Mapping[str, object]
    ) -> _Tried:
        """The comparison for updated weights, or for steps as gradients if the learning rate is unknown."""
        if rate is None:
            return cls.of(net, X, y, cost, rate, _steps(net, claimed))
        q = problem(net, X, y, cost, rate, (), True)
        claims = list(weight_claims(q, claimed, "weight"))
        return cls(Comparison(q, Claims.of(claims)), claims)

    @property
    def rows(self) -> list[Claimed]:
        return figures(self.comparison, self.claims)


Way = tuple[str, list[_Tried], Calling]  # in words, the results, and the call


def _concluded(tried: Sequence[_Tried]) -> tuple[Report, tuple[Mistake, ...], Problem]:
    """The report that holds for all networks; the slips, if they are certain; and the most informative problem."""
    note = _why_right(tried)
    if note is not None:
        return all_right(tried[0].rows, note), (), tried[0].comparison.q
    search = Search([t.comparison for t in tried])
    first = next(t for t in tried if t.comparison is search.c)
    found = search.explanations()
    report = of_search(search, found, first.rows)
    slips = found[0].slips if report.certain and not report.correct else ()
    return report, slips, search.c.q


def _why_right(tried: Sequence[_Tried]) -> str | None:
    """The note on results that are right, as differences of the cost too are; None if some are wrong."""
    wrong = [t.comparison for t in tried if t.comparison.wrong.any()]
    differences = [as_differences(c) for c in wrong if not is_numerical(c)]
    if not all(differences):
        return None
    return next(iter(differences), NEARLY_RIGHT if wrong else "")


def _samples(net: Network, cost: str, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    X, y = rng.normal(size=(count, net.sizes[0])), rng.uniform(0.05, 0.95, (count, net.sizes[-1]))
    if cost == "categorical_cross_entropy":
        y = np.eye(net.sizes[-1])[rng.integers(0, net.sizes[-1], count)]
    return X, y
