"""The chain rule for one weight of a network, in symbols and with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from backpath.explain.backward import Backward, backward
from backpath.explain.derivation_data import DerivationData, EvaluationData, checked_labels
from backpath.explain.document import Document
from backpath.explain.factors import Factor
from backpath.explain.paths import Path
from backpath.explain.rendered import Rendered
from backpath.explain.written import chain_rule, numbers
from backpath.maths.arrays import Array
from backpath.maths.costs import check_cost_fits
from backpath.maths.network import Network


class Derivation(DerivationData, Rendered):
    """∂C/∂W of one weight as a chain of partial derivatives, in the notes' notation.

    Attributes
    ----------
    network : Network
        The network; the values of its weights are not used.
    weight : str
        The weight's name.
    cost : str
        The cost's name.
    labels : dict
        The names of the inputs.
    path_count : int
        The number of paths from the cost to the weight.
    factors : tuple of Factor
        Partial derivatives whose product is the gradient. For a weight with one path, these are all factors along it,
        as in the notes; with several paths, they are ∂C/∂H (the sum over the paths), ∂H/∂u_H and ∂u_H/∂W.
    """

    def evaluate(self, x: ArrayLike, y: ArrayLike) -> Evaluation:
        """The derivation with numbers, for one sample or a batch.

        Parameters
        ----------
        x : array_like
            One sample (inputs,) or a batch (N, inputs).
        y : array_like
            Its targets, (outputs,) or (N, outputs).

        Returns
        -------
        Evaluation
            With ``gradient``, ``factors`` and ``paths``.

        Raises
        ------
        InputError
            If the samples do not fit the network, or an intermediate number is not finite.

        Examples
        --------
        >>> net = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]])
        >>> v = derive(net, "W12_1").evaluate([0, 1], [1])
        >>> v.gradient == net.gradients([0, 1], [1])["W12_1"]
        True
        >>> [path.neurons for path in v.paths]
        [('A1', 'H1', 'X2')]
        """
        return Evaluation(self, backward(self.chain.net, x, y, self.cost))

    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """
        steps, where = chain_rule.blocks(self), chain_rule.where(self.network, self.labels)
        return Document((self.partial,), (*steps, *chain_rule.meanings(self.factors), *where))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data.

        Returns
        -------
        dict
            Ready for JSON (see docs/explain.md).
        """
        return {
            "weight": self.weight,
            "cost": self.cost,
            "network": {"sizes": list(self.network.sizes), "activations": list(self.network.activations)},
            "labels": dict(self.labels),
            "path_count": self.path_count,
            "factors": [factor_dict(factor) for factor in self.factors],
        }

    def __repr__(self) -> str:
        return f"Derivation(∂C/∂{self.weight}, {self.cost})"


class Evaluation(EvaluationData, Rendered):
    """A derivation with numbers.

    Numbers are computed in float64, even for a float32 network.

    Attributes
    ----------
    derivation : Derivation
        The derivation without numbers.
    gradient : float
        ∂C/∂W; for a batch, the mean over the samples.
    samples : tuple of Sample
        Each sample's own gradient, factors and paths.
    """

    derivation: Derivation

    def __init__(self, derivation: Derivation, numbers: Backward):
        super().__init__(derivation, numbers)

    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """
        d = self.derivation
        where = chain_rule.where(d.network, d.labels)
        return Document((d.partial,), (*chain_rule.blocks(d), *numbers.blocks(self), *where))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data.

        Returns
        -------
        dict
            Ready for JSON (see docs/explain.md).
        """
        samples = [
            {
                "x": numbers_list(self.numbers.x[sample.place]),
                "y": numbers_list(self.numbers.y[sample.place]),
                "gradient": sample.gradient,
                "factors": [factor_dict(factor) for factor in sample.factors],
                "paths": [path_dict(path) for path in sample.paths],
            }
            for sample in self.samples
        ]
        return {**self.derivation.as_dict(), "gradient": self.gradient, "samples": samples}

    def __repr__(self) -> str:
        return f"Evaluation(∂C/∂{self.derivation.weight} = {self.gradient!r}, {len(self.samples)} samples)"


def derive(
    net: Network, weight: str, cost: str = "squared_error", labels: Mapping[str, str] | None = None
) -> Derivation:
    """The chain rule from the cost to one weight: every factor of every path, in the notes' notation.

    ∂C/∂W11_1 = ∂C/∂A1 × ∂A1/∂u_A1 × ∂u_A1/∂H1 × ∂H1/∂u_H1 × ∂u_H1/∂W11_1

    Parameters
    ----------
    net : Network
        The network; the values of its weights are not used.
    weight : str
        The weight's name.
    cost : str
        One of the costs of ``train``.
    labels : dict, optional
        Names of inputs: ``{"X1": "petal length"}``. Any text is allowed; every format escapes it.

    Returns
    -------
    Derivation
        With ``factors``; ``evaluate`` computes their values. It prints itself as text, LaTeX, MathML and HTML.

    Raises
    ------
    InputError
        If there is no such weight, cost or input, or a neuron has no derivative.

    Examples
    --------
    >>> d = derive(Network((2, 2, 1)), "W11_1")
    >>> [factor.symbol for factor in d.factors]
    ['∂C/∂A1', '∂A1/∂u_A1', '∂u_A1/∂H1', '∂H1/∂u_H1', '∂u_H1/∂W11_1']
    >>> " × ".join(factor.expanded for factor in d.factors)
    '2 × u_cost × σ′(u_A1) × W11_2 × σ′(u_H1) × X1'
    """
    check_cost_fits(cost, net.activations[-1])
    net.check_trainable()
    return Derivation(net, weight, cost, checked_labels(net, labels or {}))


def factor_dict(factor: Factor) -> dict[str, Any]:
    found = {"symbol": factor.symbol, "expanded": factor.expanded, "latex": factor.latex, "meaning": factor.meaning}
    return found if factor.value is None else {**found, "value": factor.value}


def path_dict(path: Path) -> dict[str, Any]:
    return {
        "neurons": list(path.neurons),
        "factors": [{"symbol": f.symbol, "expanded": f.expanded, "value": f.value} for f in path.factors],
        "value": path.value,
        "share": path.share,
    }


def numbers_list(row: Array) -> list[float]:
    return [float(value) for value in row]
