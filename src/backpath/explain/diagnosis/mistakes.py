"""The codes of all mistakes, and the data of a mistake for the search and the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.passes import Edit, Index, Passes
from backpath.explain.expression import Expression

# code -> short description
CODES = {
    "cost_convention": "the ½ of the cost, or the 2 of its derivative, is missing or extra",
    "missing_batch_average": "the gradient is summed over the samples, or averaged twice",
    "sign_flipped": "the sign is wrong",
    "missing_output_derivative": "σ′ of the output layer is missing",
    "missing_hidden_derivative": "σ′ of a hidden layer is missing",
    "derivative_of_activation": "σ′ is evaluated at σ(u) instead of u",
    "activation_twice": "the activation is applied twice",
    "wrong_activation_derivative": "σ′ is that of another activation",
    "missing_path_weight": "the weight is missing in backpropagation",
    "transposed_weights": "a weight matrix is transposed",
    "wrong_path_weight": "backpropagation uses the weight of another path",
    "updated_weights_used": "backpropagation uses weights that are already updated",
    "wrong_input": "an input or an output of a neuron is read as a different number",
    "missing_input": "an input is left out of a weighted sum",
    "bias_not_updated": "the bias is treated as a constant",
    "bias_sign": "the bias neuron's 1 is read as -1",
    "single_sample_only": "only one sample of the batch counts",
    "weights_swapped": "two weights are swapped",
    "scaled": "a constant factor without an explanation",
    "unknown": "no mistake in the catalogue gives these figures",
    # other frequent mistakes
    "net_input_in_derivative": "the derivative's formula in σ(u) is evaluated with u",
    "derivative_twice": "σ′ occurs twice",
    "extra_output_derivative": "σ′ of the output layer is present, although it cancels",
    "cost_not_differentiated": "the cost is used instead of its derivative",
    "softmax_diagonal": "softmax is differentiated as if its outputs did not depend on each other",
    "missing_activation": "the activation is not applied",
    "missing_path": "a path is left out of the sum over paths",
    "output_average": "the gradient is also averaged over the outputs",
    "missing_learning_rate": "the update has no learning rate",
    "learning_rate_included": "the gradient includes the learning rate",
    "other_learning_rate": "the update uses another learning rate",
    "wrong_target": "a target is read as a different number",
    "wrong_weight": "a weight is read as a different number",
    "wrong_value": "a value of the forward pass is not what the network gives",
    "rounded": "a note, not a mistake: right to the few digits of plain floats",
    # conventions without an argument
    "other_cost": "the gradient is that of another cost",
    "weight_decay": "a multiple of the weights, or of their signs, is added: an L2 or an L1 term",
    "gradient_clipped": "the gradients are clipped, or scaled to a norm",
    "label_smoothing": "the targets are smoothed (label smoothing)",
    "no_biases": "the network has no biases",
    "several_updates": "the weights are those after several updates",
    # slips in one use of a quantity
    "wrong_slope": "another quantity is used instead of σ′",
    "wrong_delta": "another quantity is used instead of δ",
    "wrong_error": "another quantity is used instead of the error",
    "wrong_factor": "another quantity is used instead of the input of a weight",
    "wrong_activation": "another activation is applied",
    "wrong_bias_gradient": "the gradient of the biases is computed from the wrong quantity",
    "wrong_reduction": "the sum over the samples, or over the outputs, is not the mean over the samples",
    "sample_left_out": "a sample of the batch is left out",
    "neuron_left_out": "a neuron or an input gets no gradient, or another one's",
    "gradient_shifted": "the rows or columns of a gradient are shifted",
    "rounded_on_the_way": "numbers are rounded during the computation",
    "weight_set": "the weight is set to the step, or doubled, instead of changed by the step",
    "all_zero": "every gradient is 0",
}


PLAIN, LOCAL, RARE = range(3)
Among = Literal["all", "own", "above"]
FloatOrArray = float | NDArray[np.floating]


@dataclass(frozen=True)
class Change:
    """The change of a formula by a mistake.

    Attributes
    ----------
    of : the part of the formula: the "cost", "slope", "weight" or "input" factor, the "delta" of an output where it is
        one factor, the "whole" product, or the "sum" or "activation" of a neuron's forward pass
    layer : the layer of the factor; None: the layers in ``among``
    claimed : a function that returns the expression used instead; None: nothing
    terms : for a "sum", the quantity that the weight of each input (None: the bias) multiplies; None: no such term
    among : all layers, the weight's own, or those above it
    neuron : for a "sum" or "activation", the first neuron that the mistake affects
    """

    of: Literal["cost", "slope", "delta", "weight", "input", "whole", "sum", "activation"]
    layer: int | None = None
    claimed: Callable[..., Expression] | None = None
    terms: Mapping[int | None, Expression | None] = field(default_factory=dict)
    among: Among = "all"
    neuron: int = 1


@dataclass(frozen=True, eq=False)
class Mistake:
    """One mistake in one place.

    Attributes
    ----------
    code : a key of ``CODES``
    where : the neurons or weights of the place
    message : the mistake in a sentence
    edits : its changes to a pass
    change : its change to the formula in the report
    rank : how unusual it is: ``PLAIN``, ``LOCAL`` (in one layer, or less usual), or ``RARE``
    coupled : whether its effect on a layer depends on another mistake in the layers above
    convention : whether it is a choice rather than a slip
    is_right : whether a program with only this deviation is right
    by_sample : whether it depends on the samples of a batch, and has no meaning for a single sample
    by_size : whether its effect on an error depends on the error's constants: its size or sign
    fitted : whether its message contains a fitted number
    """

    code: str
    where: tuple[str, ...]
    message: str
    edits: tuple[Edit, ...]
    change: Change | None = None
    rank: int = PLAIN
    coupled: bool = False
    convention: bool = False
    is_right: bool = False
    by_sample: bool = False
    by_size: bool = False
    fitted: bool = False


@dataclass(frozen=True, eq=False)
class Family:
    """Mistakes of one kind with a number that is fitted to the figures.

    Attributes
    ----------
    code, where, rank : as in ``Mistake``
    edits, message, change : the same as functions of the number; for edits also of an array with a number for each pass
    starts : numbers to start from
    right : the number with which it is not a mistake; NaN if unknown
    touches : the weights whose figures it may change; empty: all
    likely : numbers that are likelier than others; by default the starts
    """

    code: str
    where: tuple[str, ...]
    edits: Callable[[FloatOrArray], tuple[Edit, ...]]
    message: Callable[[float], str]
    starts: tuple[float, ...]
    right: float = math.nan
    change: Callable[[float], Change | None] = lambda number: None
    rank: int = PLAIN
    touches: frozenset[str] = frozenset()
    likely: tuple[float, ...] = ()

    def mistake(self, number: float) -> Mistake:
        message, change = self.message(number), self.change(number)
        return Mistake(self.code, self.where, message, self.edits(number), change, self.rank, fitted=True)


def at(layer: int, edit: Callable[[Passes, Index], None]) -> Callable[[Passes, Index], None]:
    """The edit, made when that layer is computed."""

    def made(p: Passes, h: Index) -> None:
        if p.at == layer:
            edit(p, h)

    return made
