"""``why_not_learning`` finds out what keeps a network with right gradients from learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from backpath.explain.digits import shown
from backpath.explain.document import Block, Document, prose
from backpath.explain.learning import of_network, of_step
from backpath.explain.learning.situation import Reason, Situation
from backpath.explain.rendered import Rendered
from backpath.maths.checks import check_learning_rate
from backpath.maths.network import Network
from backpath.maths.other_names import cost_called

# the most important first
_STRUCTURAL = (
    of_network.zero_weights,
    of_network.equal_neurons,
    of_network.dead_neurons,
    of_network.targets_out_of_reach,
    of_network.unscaled_inputs,
    of_network.saturated_neurons,
    of_network.tiny_weights,
    of_step.step_too_large,
)
_SLOW = (of_step.plateau, of_step.step_too_small, of_step.too_few_epochs)


class LearningReport(Rendered):
    """The reasons why a network does not learn.

    Attributes
    ----------
    findings : tuple of Reason
        Each has a code ``.mistake``, the neurons ``.where``, and a sentence ``.message``; the most important first.
    cost : float
        The present cost.
    unlearned : float
        The cost as a share of the cost of the best constant output: about 1 if nothing has been learned.
    """

    def __init__(self, findings: Sequence[Reason], cost: float, unlearned: float):
        self.findings, self.cost, self.unlearned = tuple(findings), cost, unlearned

    def __repr__(self) -> str:
        return f"LearningReport({', '.join(f.mistake for f in self.findings) or 'nothing found'})"

    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """
        share = f"{shown(100 * self.unlearned, 3)}% of the cost of the best constant answer"
        blocks: list[Block] = [prose(f"The cost is {shown(self.cost, 4)}, which is {share}.")]
        blocks += [prose(f"{f.message[0].upper()}{f.message[1:]}.") for f in self.findings]
        if not self.findings:
            blocks.append(prose("Nothing in the network, the data or the step keeps it from learning."))
        return Document(("Why it does not learn" if self.findings else "It can learn",), tuple(blocks))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data.

        Returns
        -------
        dict
            Ready for JSON (see docs/explain.md).
        """
        return {
            "cost": self.cost,
            "unlearned": self.unlearned,
            "findings": [{"mistake": f.mistake, "where": list(f.where), "message": f.message} for f in self.findings],
        }


def why_not_learning(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    *,
    learning_rate: float | None = None,
    cost: str = "squared_error",
) -> LearningReport:
    """Find out why the cost does not fall although the gradients are right.

    Each reason comes from numbers: the weights, both passes over the samples, and the cost after a step.

    Parameters
    ----------
    net : Network
        The network, before or after training.
    X : array_like
        The inputs of the samples, (N, inputs).
    y : array_like
        Their targets, (N, outputs).
    learning_rate : float | None
        η of gradient descent; without it, the step length is not checked.
    cost : str
        One of the costs that ``train`` knows, by backpath's or another library's name.

    Returns
    -------
    LearningReport
        With ``findings``, the most important first; empty if there is no obstacle.

    Raises
    ------
    InputError
        If anything does not fit the network.

    Examples
    --------
    >>> net = Network.from_weights([[[.5, .5, .5], [.5, .5, .5]], [[.5, .5, .5]]])
    >>> report = why_not_learning(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], learning_rate=2)
    >>> report.findings[0].mistake, report.findings[0].where
    ('equal_neurons', ('H1', 'H2'))
    """
    if learning_rate is not None:
        check_learning_rate(learning_rate)
    s = Situation.of(net, X, y, cost_called(cost, net.activations[-1]), learning_rate)
    findings = [reason for find in (*_STRUCTURAL, of_network.mostly_off_neurons) for reason in find(s)]
    slow = [reason for find in _SLOW for reason in find(s)][:1]  # each also covers the next ones
    if findings and slow and slow[0].mistake == "too_few_epochs":
        slow = []
    return LearningReport([*findings, *slow], s.cost, s.unlearned)


def why_poor(net: Network, X: ArrayLike, y: ArrayLike, cost: str, learning_rate: float | None) -> str:
    """The most important reason for a poor result, in a sentence; "" if the result is good, or there is no reason.

    >>> net = Network((2, 2, 1)).replace({"W11_2": 0, "W12_2": 0})
    >>> why_poor(net, [[0, 1], [1, 1]], [1, 0], "huber", 1)
    'the weights into layer 2 are all 0, so no gradient gets back through them; start with random weights'
    """
    found = why_not_learning(net, X, y, learning_rate=learning_rate, cost=cost)
    return found.findings[0].message if found.findings and found.unlearned > of_network.POOR else ""


def hindrances(net: Network, X: ArrayLike, y: ArrayLike, cost: str, learning_rate: float | None) -> str:
    """The obstacles in the network, the data or the step length, in a sentence or two; "" if there are none."""
    s = Situation.of(net, X, y, cost, learning_rate)
    reasons = [reason for find in _STRUCTURAL for reason in find(s)]
    parts = [reason.message for reason in reasons if of_network.is_of_part(s, reason)]
    whole = [reason.message for reason in reasons if not of_network.is_of_part(s, reason)]
    said = [f"But it will hardly learn: {'; '.join(whole)}."] if whole else []
    return " ".join([*said, *([f"But not all of its neurons will learn: {'; '.join(parts)}."] if parts else [])])
