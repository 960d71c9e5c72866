"""One step of gradient descent, explained: forward pass, cost, all gradients, all updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import ArrayLike

from backpath.explain.batch_matrices import BatchMatrices
from backpath.explain.derivation import Derivation, numbers_list
from backpath.explain.derivation_data import checked_labels
from backpath.explain.document import Document
from backpath.explain.expression import Equation
from backpath.explain.rendered import Rendered
from backpath.explain.step_data import StepData
from backpath.explain.written import whole_step
from backpath.maths.network import Network
from backpath.maths.notation import neuron_index, neuron_names, weight_index, weight_name


class Step(StepData, Rendered):
    """One step of gradient descent with all its numbers.

    Numbers are computed in float64, even for a float32 network.

    Attributes
    ----------
    network : Network
        The network before the step.
    after : Network
        The network after the step.
    cost : str
        The cost's name.
    cost_value : float
        The average cost before the step.
    learning_rate : float
        η
    gradients : Gradients
        The gradients by name: ``step.gradients["W11_1"]``.
    updates : tuple of Update
        For every weight: before, gradient, after.
    matrices : tuple of BatchMatrices
        The notes' batch matrix form, by layer.
    """

    def derivation(self, weight: str) -> Derivation:
        """The chain rule of one of its gradients.

        Parameters
        ----------
        weight : str
            The weight's name.

        Returns
        -------
        Derivation
            The same as ``derive`` returns.
        """
        return Derivation(self.network, weight, self.cost, self.labels)

    def neuron(self, name: str, sample: int = 0) -> tuple[Equation, ...]:
        """A neuron of the forward pass with a sample's numbers: H1 = σ(0.35·1 + …) = σ(0.3775) = 0.59327.

        Parameters
        ----------
        name : str
            The neuron's name.
        sample : int
            The number of the sample in the batch, from 0.

        Returns
        -------
        tuple of Equation
            Two for a softmax output, u_A1 and A1; none for an input.
        """
        layer, j = neuron_index(name, self.network.sizes)
        return whole_step.neuron_equations(self, self.chain, sample, layer, j) if layer else ()

    def cost_with_numbers(self) -> Equation:
        """The cost with numbers: C = (0.75 − 1)² = 0.0625.

        Returns
        -------
        Equation
            C = … = its value.
        """
        return whole_step.cost_with_numbers(self)

    def gradient(self, weight: str) -> Equation:
        """The gradient of a weight with numbers: its factors for one sample, the samples' mean for a batch.

        Parameters
        ----------
        weight : str
            The weight's name.

        Returns
        -------
        Equation
            ∂C/∂W11_1 = … = its value.
        """
        return whole_step.gradient_with_numbers(self, self.derivation(weight))

    def update(self, weight: str) -> Equation:
        """The update of a weight with numbers: W11_1 = 0.15 − 0.5 × 0.00044 = 0.14978.

        Parameters
        ----------
        weight : str
            The weight's name.

        Returns
        -------
        Equation
            The weight after the step.
        """
        place = self.network.weight_names.index(
            weight_name(*weight_index(weight, self.network.sizes, self.network.biases))
        )
        return whole_step.update_with_numbers(self, self.updates[place])

    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """
        return whole_step.document(self)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data.

        Returns
        -------
        dict
            Ready for JSON (see docs/explain.md).
        """
        n = self.numbers
        names = [neuron_names(self.network.sizes, layer) for layer in range(len(self.network.sizes))]
        samples = []
        for place in range(len(n.x)):
            values: dict[str, float] = {}
            for layer, layer_names in enumerate(names):
                for k, name in enumerate(layer_names):
                    if layer:
                        values[f"u_{name}"] = float(n.u[layer - 1][place, k])
                    values[name] = float(n.a[layer][place, k])
            samples.append({"y": numbers_list(n.y[place]), "values": values})
        return {
            "network": {
                "sizes": list(self.network.sizes),
                "activations": list(self.network.activations),
                "biases": self.network.biases,
            },
            "labels": dict(self.labels),
            "cost": self.cost,
            "cost_value": self.cost_value,
            "learning_rate": self.learning_rate,
            "samples": samples,
            "updates": [vars(update) for update in self.updates],
            "matrices": [_matrices_dict(m) for m in self.matrices],
        }

    def __repr__(self) -> str:
        return f"Step({'-'.join(map(str, self.network.sizes))}, cost={self.cost_value!r}, {len(self.updates)} updates)"


def explain_step(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    cost: str = "squared_error",
    learning_rate: float = 0.5,
    frozen: str | Iterable[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Step:
    """One step of gradient descent, explained: forward pass neuron by neuron, cost, all gradients, all updates.

    Parameters
    ----------
    net : Network
        The network before the step.
    X : array_like
        One sample (inputs,) or a batch (N, inputs).
    y : array_like
        Its targets, (outputs,) or (N, outputs).
    cost : str
        One of the costs of ``train``.
    learning_rate : float
        η
    frozen : str or iterable of str
        Names of weights that are not updated; "biases" stands for all biases.
    labels : dict, optional
        Names of inputs: ``{"X1": "petal length"}``.

    Returns
    -------
    Step
        It prints itself as text, LaTeX, MathML and HTML.

    Raises
    ------
    InputError
        If anything does not fit the network, or a number in the step is not finite.

    Examples
    --------
    >>> net = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]])
    >>> step = explain_step(net, [0, 1], [1], learning_rate=0.5)
    >>> step.after == net.step([0, 1], [1], learning_rate=0.5)
    True
    >>> print(str(step).splitlines()[7].strip())
    H1 = σ(0.3·1 + 0·0.1 + 1·0.2) = σ(0.5) = 0.62246
    """
    names = (frozen,) if isinstance(frozen, str) else tuple(frozen)
    return Step(net, X, y, cost, learning_rate, names, checked_labels(net, labels or {}))


def _matrices_dict(m: BatchMatrices) -> dict[str, Any]:
    parts = {"D": m.D, "W": m.W, "S": m.S, "X": m.X, "gradient": m.gradient}
    return {"layer": m.layer, **{name: None if part is None else part.tolist() for name, part in parts.items()}}
