"""Slips of people's programs: each edits one use of one quantity, and says what a report should call it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from explain.mistaken import SLOPES
from explain.programs.program import (
    DERIVATIVES,
    VALUES,
    Array,
    Planted,
    Program,
    derivative,
    need,
    one_of,
    through,
)

Slip = Callable[[Program, np.random.Generator], Planted]
SLIPS: dict[str, Slip] = {}
PLACES = {
    "everywhere": ("own", "bias", "back"),
    "back": ("back",),
    "gradient": ("own", "bias"),
    "bias": ("bias",),
    "weights": ("own",),
}
WORDS = {"everywhere": ("",), "back": ("back",), "gradient": ("gradients",), "bias": ("bias",), "weights": ("weights",)}


def slip(name: str) -> Callable[[Slip], Slip]:
    def add(function: Slip) -> Slip:
        SLIPS[name] = function
        return function

    return add


def planted(*codes: str, layers: object = None, words: tuple[str, ...] = ("",)) -> Planted:
    return Planted(frozenset(codes), None if layers is None else frozenset(layers), words)


def layer_for(p: Program, place: str, rng: np.random.Generator) -> int:
    """A layer in which that place is a separate one."""
    k = one_of(rng, [k for k in p.layers if k > 1 or place not in ("back", "gradient")])
    p.take(("delta", k))
    return int(k)


SLOPE_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Program, int], Callable]]] = {
    "missing": (
        ("missing_output_derivative", "missing_hidden_derivative", "other_cost"),
        lambda p, k: lambda p, e: e,
    ),
    "of_activation": (
        ("derivative_of_activation",),
        lambda p, k: lambda p, e: through(p.activations[k - 1], p.a[k], e),
    ),
    "twice": (("derivative_twice",), lambda p, k: lambda p, e: e * derivative(p, k) ** 2),
    "times_u": (("wrong_slope",), lambda p, k: lambda p, e: e * derivative(p, k) * p.u[k]),
    "value": (("wrong_slope", "wrong_activation_derivative"), lambda p, k: lambda p, e: e * p.a[k]),
    "of_u": (("net_input_in_derivative",), lambda p, k: lambda p, e: e * _formula(p, k)(p.u[k])),
    "of_error": (("wrong_slope",), lambda p, k: lambda p, e: e * _own(p, k)(e)),
    "of_bias": (("wrong_slope",), lambda p, k: lambda p, e: e * _own(p, k)(0 * p.u[k] + p.weights[k - 1][:, -1])),
}


def _own(p: Program, k: int) -> Callable[[Array], Array]:
    need(p.activations[k - 1] != "softmax")
    return DERIVATIVES[p.activations[k - 1]]


def _formula(p: Program, k: int) -> Callable[[Array], Array]:
    formulas = {"sigmoid": lambda v: v * (1 - v), "tanh": lambda v: 1 - v * v}
    need(p.activations[k - 1] in formulas)
    return formulas[p.activations[k - 1]]


def _slope_slip(kind: str, place: str) -> None:
    codes, make = SLOPE_KINDS[kind]

    @slip(f"slope {kind} {place}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        k = layer_for(p, place, rng)
        if kind == "of_u":
            _formula(p, k)
        if kind in ("of_error", "of_bias"):
            _own(p, k)
        for use in PLACES[place]:
            p.slope[k, use] = make(p, k)
        return planted(*codes, layers=[k], words=WORDS[place])


for _kind in SLOPE_KINDS:
    for _place in PLACES:
        _slope_slip(_kind, _place)


@slip("slope of another activation")
def _other_slope(p: Program, rng: np.random.Generator) -> Planted:
    k = layer_for(p, "everywhere", rng)
    other = one_of(rng, sorted(DERIVATIVES.keys() - {p.activations[k - 1], "identity"}))
    for use in PLACES["everywhere"]:
        p.slope[k, use] = lambda p, e: e * DERIVATIVES[other](p.u[k])
    return planted("wrong_activation_derivative", "wrong_slope", layers=[k])


@slip("slope of another layer")
def _slope_of_other_layer(p: Program, rng: np.random.Generator) -> Planted:
    pairs = [(k, m) for k in p.layers for m in p.layers if m != k and p.sizes[m] in (1, p.sizes[k])]
    k, m = one_of(rng, pairs)
    p.take(("delta", k))
    for use in PLACES["everywhere"]:
        p.slope[k, use] = lambda p, e: e * derivative(p, m)
    return planted("wrong_slope", layers=[k])


def _delta_slip(name: str, code: str, change: Callable[[Program, int], Callable], places: tuple[str, ...]) -> None:
    for place in places:

        @slip(f"delta {name} {place}")
        def edit(p: Program, rng: np.random.Generator, place: str = place) -> Planted:
            k = layer_for(p, place, rng)
            for use in PLACES[place]:
                p.delta[k, use] = change(p, k)
            return planted(code, "wrong_error", "missing_hidden_derivative", layers=[k], words=WORDS[place])


_delta_slip("is the output", "wrong_delta", lambda p, k: lambda p, d: p.a[k], ("everywhere", "back", "gradient"))
_delta_slip("is relu", "wrong_delta", lambda p, k: lambda p, d: np.maximum(d, 0), ("everywhere", "back"))
_delta_slip("is absolute", "wrong_delta", lambda p, k: lambda p, d: np.abs(d), ("everywhere", "back"))


def _error_slip(name: str, change: Callable[[Program, Array, Array], Array]) -> None:
    @slip(f"error {name}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        need("squared" in p.cost and (len(p.X) > 1 or name in ("absolute", "relu", "y", "A")))
        p.take("error")
        p.error = change
        codes = ("wrong_error", "cost_not_differentiated", "wrong_delta", "other_cost", "wrong_reduction")
        return planted(*codes, layers=[p.output])


_error_slip("absolute", lambda p, A, y: np.abs(SLOPES[p.cost](A, y)))
_error_slip("relu", lambda p, A, y: np.maximum(SLOPES[p.cost](A, y), 0))
_error_slip("mean", lambda p, A, y: 0 * A + SLOPES[p.cost](A, y).mean(axis=0))
_error_slip("mean target", lambda p, A, y: SLOPES[p.cost](A, 0 * y + y.mean(axis=0)))
_error_slip("cost of the batch", lambda p, A, y: 0 * A + ((A - y) ** 2).mean())
_error_slip("cost", lambda p, A, y: (A - y) ** 2)
_error_slip("y", lambda p, A, y: y)
_error_slip("A", lambda p, A, y: A)


def _factor_slip(name: str, code: str, change: Callable[[Program, int], Callable], able: Callable) -> None:
    @slip(f"factor {name}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        k = one_of(rng, [k for k in p.layers if able(p, k)])
        p.take(("inputs", k))
        p.inputs[k] = change(p, k)
        more = ("wrong_input", "missing_input", "missing_activation", "wrong_reduction", "gradient_shifted")
        return planted(code, *more, layers=[k - 1, k])


_factor_slip(
    "is the next outputs", "wrong_factor", lambda p, k: lambda p: p.a[k], lambda p, k: p.sizes[k] == p.sizes[k - 1]
)
_factor_slip("is X", "wrong_factor", lambda p, k: lambda p: p.X, lambda p, k: k > 1 and p.sizes[k - 1] == p.sizes[0])
_factor_slip("is u", "missing_activation", lambda p, k: lambda p: p.u[k - 1], lambda p, k: k > 1)
_factor_slip("is the slope", "wrong_factor", lambda p, k: lambda p: derivative(p, k - 1), lambda p, k: k > 1)
_factor_slip("is missing", "missing_input", lambda p, k: lambda p: np.ones_like(p.a[k - 1]), lambda p, k: True)
_factor_slip(
    "is the last", "wrong_factor", lambda p, k: lambda p: 0 * p.a[k - 1] + p.a[k - 1][-1], lambda p, k: len(p.X) > 1
)
_factor_slip(
    "is shifted", "wrong_factor", lambda p, k: lambda p: np.roll(p.a[k - 1], 1, axis=1), lambda p, k: p.sizes[k - 1] > 1
)


@slip("factor is the weight")
def _weight_as_factor(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, p.layers)
    p.take(("inputs", k), ("delta", k), ("bias", k), ("sum", k))

    def after(p: Program, G: Array, W: Array) -> Array:
        return np.column_stack([G[:, -1:] * W[:, :-1], G[:, -1]])

    p.after[k] = after
    return planted("wrong_factor", layers=[k - 1, k])


REDUCTIONS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "last only": ("single_sample_only", lambda d: np.where(np.arange(len(d))[:, None] == len(d) - 1, len(d) * d, 0)),
    "first only": ("single_sample_only", lambda d: np.where(np.arange(len(d))[:, None] == 0, len(d) * d, 0)),
    "last left out": ("sample_left_out", lambda d: np.where(np.arange(len(d))[:, None] < len(d) - 1, d, 0)),
    "first left out": ("sample_left_out", lambda d: np.where(np.arange(len(d))[:, None] > 0, d, 0)),
    "mean times mean": ("wrong_reduction", lambda d: 0 * d + d.mean(axis=0)),
    "nothing reset": ("wrong_reduction", lambda d: d * np.arange(len(d), 0, -1)[:, None]),
    "N - 1": ("wrong_reduction", lambda d: d * len(d) / max(len(d) - 1, 1)),
    "one off": ("wrong_reduction", lambda d: np.roll(d, 1, axis=0)),
}


def _reduction_slip(name: str, of: str) -> None:
    code, change = REDUCTIONS[name]

    @slip(f"reduction {name} of {of}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        need(len(p.X) > 2)
        layers = list(p.layers) if rng.random() < 0.6 else [one_of(rng, p.layers)]
        p.take(*(("sum", k) for k in layers))
        for k in layers:
            weights, bias = p.weights_sum[k], p.bias_sum[k]
            if of in ("all", "weights"):
                p.weights_sum[k] = lambda d, F, f=weights: f(change(d), F)
            if of in ("all", "biases"):
                p.bias_sum[k] = lambda d, f=bias: f(change(d))
        more = ("wrong_reduction", "wrong_factor", "wrong_delta", "missing_batch_average", "wrong_bias_gradient")
        return planted(code, *more, "single_sample_only", layers=[*layers, layers[0] - 1] if len(layers) == 1 else None)


for _name in REDUCTIONS:
    for _of in ("all", "weights", "biases"):
        if _of != "biases" or _name not in ("mean times mean", "one off"):  # that leaves a mean as it is
            _reduction_slip(_name, _of)


def _bias_slip(name: str, code: str, change: Callable[[Array, Array, Array], Array]) -> None:
    @slip(f"bias gradient {name}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        layers = list(p.layers) if rng.random() < 0.6 else [one_of(rng, p.layers)]
        p.take(*(("bias", k) for k in layers))
        for k in layers:
            p.after[k] = lambda p, G, W: np.column_stack([G[:, :-1], change(G[:, -1], G, W)])
        more = ("bias_sign", "sign_flipped", "bias_not_updated", "missing_batch_average", "wrong_reduction")
        return planted(code, "wrong_bias_gradient", *more, layers=layers if len(layers) == 1 else None, words=("bias",))


_bias_slip("of rows", "wrong_bias_gradient", lambda b, G, W: G[:, :-1].sum(axis=1))
_bias_slip("times bias", "wrong_bias_gradient", lambda b, G, W: b * W[:, -1])
_bias_slip("negative", "bias_sign", lambda b, G, W: -b)
_bias_slip("nothing", "bias_not_updated", lambda b, G, W: 0 * b)
_bias_slip("of all neurons", "wrong_reduction", lambda b, G, W: 0 * b + b.sum())


@slip("neuron left out")
def _neuron_left_out(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if p.sizes[k] > 1])
    p.take(("delta", k))
    j = one_of(rng, [0, p.sizes[k] - 1])
    place = one_of(rng, ["everywhere", *(["gradient"] if k > 1 else [])])
    for use in PLACES[place]:
        p.delta[k, use] = lambda p, d: np.where(np.arange(d.shape[1]) == j, 0.0, d)
    return planted("neuron_left_out", layers=[k])


@slip("rows shifted")
def _rows_shifted(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if p.sizes[k] > 1])
    p.take(("inputs", k), ("bias", k))
    p.after[k] = lambda p, G, W: np.roll(G, 1, axis=0)
    return planted("gradient_shifted", "weights_swapped", "wrong_delta", layers=[k])


@slip("columns shifted")
def _columns_shifted(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, p.layers)
    p.take(("inputs", k), ("bias", k))
    p.after[k] = lambda p, G, W: np.roll(G, 1, axis=1)
    return planted("gradient_shifted", "weights_swapped", layers=[k])


def _back_slip(name: str, codes: tuple[str, ...], change: Callable, able: Callable[[Program, int], bool]) -> None:
    @slip(f"way back {name}")
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        k = one_of(rng, [k for k in p.layers if k > 1 and able(p, k)])
        p.take(("back", k))
        p.back[k] = lambda p, W: change(W)
        return planted(*codes, layers=[k, k - 1])


_back_slip("no weights", ("missing_path_weight",), lambda W: np.ones_like(W[:, :-1]), lambda p, k: True)
_back_slip("bias first", ("wrong_path_weight",), lambda W: W[:, 1:], lambda p, k: True)
_back_slip("rows reversed", ("wrong_path_weight", "missing_path"), lambda W: W[::-1, :-1], lambda p, k: p.sizes[k] > 1)
_back_slip(
    "columns rolled", ("wrong_path_weight",), lambda W: np.roll(W[:, :-1], 1, axis=1), lambda p, k: p.sizes[k - 1] > 1
)
_back_slip(
    "transposed",
    ("transposed_weights", "wrong_path_weight"),
    lambda W: W[:, :-1].T,
    lambda p, k: p.sizes[k] == p.sizes[k - 1] > 1,
)
_back_slip(
    "one path", ("missing_path",), lambda W: W[:, :-1] * (np.arange(len(W)) == 0)[:, None], lambda p, k: p.sizes[k] > 1
)


@slip("updated early")
def _updated_early(p: Program, rng: np.random.Generator) -> Planted:
    need(p.output > 1)
    p.take(*(("back", k) for k in p.layers))
    p.early = True
    return planted("updated_weights_used")


@slip("wrong activation")
def _wrong_activation(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(
        rng, [k for k in p.layers if p.activations[k - 1] != "softmax" and (k < p.output or "squared" in p.cost)]
    )
    p.take(("delta", k), ("value", k))
    usual = ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity"]
    other = one_of(rng, [name for name in usual if name != p.activations[k - 1]])
    p.value[k] = VALUES[other]
    for use in PLACES["everywhere"]:
        p.slope[k, use] = lambda p, e: e * DERIVATIVES[other](p.u[k])
    return planted("wrong_activation", "missing_activation", layers=[k])


@slip("activation twice")
def _activation_twice(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if k < p.output])
    p.take(("delta", k), ("value", k))
    value, name = p.value[k], p.activations[k - 1]
    p.value[k] = lambda u: value(value(u))
    for use in PLACES["everywhere"]:
        p.slope[k, use] = lambda p, e: e * DERIVATIVES[name](value(p.u[k])) * DERIVATIVES[name](p.u[k])
    return planted("activation_twice", "wrong_activation", layers=[k])


@slip("bias left out of the sums")
def _no_bias(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, p.layers)
    p.take(("value", k))
    p.sums[k] = lambda a, W: a @ W[:, :-1].T
    return planted("missing_input", "wrong_weight", layers=[k])


@slip("input left out of the sums")
def _no_input(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if p.sizes[k - 1] > 1])
    p.take(("value", k))
    i = int(rng.integers(p.sizes[k - 1]))
    p.sums[k] = lambda a, W: np.delete(a, i, axis=1) @ np.delete(W[:, :-1], i, axis=1).T + W[:, -1]
    return planted("missing_input", layers=[k - 1, k])


@slip("rounded on the way")
def _rounded(p: Program, rng: np.random.Generator) -> Planted:
    p.take("rounding")
    decimals = int(rng.integers(1, 4))
    for k in p.layers:
        p.outputs[k] = lambda a: np.round(a, decimals)
    return planted("rounded_on_the_way")


def _convention(name: str, code: str, able: Callable[[Program], bool], factor: Callable[[Program], float]) -> None:
    def edit(p: Program, rng: np.random.Generator) -> Planted:
        need(able(p))
        p.take("convention " + code)
        right = p.error
        constant = factor(p)
        p.error = lambda p, A, y: constant * right(p, A, y)
        return planted(code)

    CONVENTIONS[name] = edit


CONVENTIONS: dict[str, Slip] = {}
_convention("half", "cost_convention", lambda p: p.cost == "squared_error", lambda p: 0.5)
_convention("twice", "cost_convention", lambda p: p.cost == "half_squared_error", lambda p: 2.0)
_convention("sum", "missing_batch_average", lambda p: len(p.X) > 1, lambda p: float(len(p.X)))
_convention("sign", "sign_flipped", lambda p: not p.early, lambda p: -1.0)
_convention("rate", "learning_rate_included", lambda p: not p.early, lambda p: p.rate)
_convention("outputs", "output_average", lambda p: p.sizes[-1] > 1 and not p.early, lambda p: 1 / p.sizes[-1])


MEANT: dict[str, Slip] = {}  # what people do with right gradients, and may mean to


def meant(name: str) -> Callable[[Slip], Slip]:
    def add(function: Slip) -> Slip:
        MEANT[name] = function
        return function

    return add


def _penalty(name: str, term: Callable[[Array], Array], words: str, size: float) -> None:
    for of, biases in (("weights", False), ("weights and biases", True)):

        @meant(f"{name} of the {of}")
        def edit(p: Program, rng: np.random.Generator, biases: bool = biases) -> Planted:
            strength = size * float(rng.choice([1, 2, 5]))

            def finish(found: list[Array]) -> list[Array]:
                terms = [term(W) for W in p.weights]
                for t in terms:
                    t[:, -1] *= biases
                return [g + strength * t for g, t in zip(found, terms, strict=True)]

            p.finish = finish
            return planted("weight_decay", words=(words,))


_penalty("L2", lambda W: W.copy(), "× W", 0.01)
_penalty("L1", np.sign, "sign(W)", 0.01)


def _below(largest: float, share: float) -> float:
    """A number of one digit at about this share of the largest."""
    return float(f"{share * largest:.0e}")


@meant("clipped one by one")
def _clipped(p: Program, rng: np.random.Generator) -> Planted:
    right = [np.abs(g) for g in p.gradients()]
    limit = _below(max(g.max() for g in right), 0.6)
    left = sum(int(((g > 0) & (g < 0.99 * limit)).sum()) for g in right)
    need(limit > 0 and left >= 3)
    p.finish = lambda found: [np.clip(g, -limit, limit) for g in found]
    return planted("gradient_clipped", words=("is clipped to the range",))


def _length(arrays: list[Array]) -> float:
    return float(np.sqrt(sum((a**2).sum() for a in arrays)))


@meant("scaled to a norm")
def _scaled(p: Program, rng: np.random.Generator) -> Planted:
    need(_length(p.gradients()) > 1e-6)
    length = float(rng.choice([1.0, 0.5, 0.1]))
    p.finish = lambda found: [length * g / _length(found) for g in found]
    return planted("gradient_clipped", words=("norm",))


@meant("each layer scaled to a norm")
def _each_scaled(p: Program, rng: np.random.Generator) -> Planted:
    need(min(_length([g]) for g in p.gradients()) > 1e-6)
    p.finish = lambda found: [g / _length([g]) for g in found]
    return planted("gradient_clipped", words=("norm",))


@meant("smoothed targets")
def _smoothed(p: Program, rng: np.random.Generator) -> Planted:
    need("cross_entropy" in p.cost)
    share, middle = float(rng.choice([0.1, 0.05, 0.2])), 1 / p.sizes[-1] if p.activations[-1] == "softmax" else 0.5
    p.y = (1 - share) * p.y + share * middle
    return planted("label_smoothing", words=(f"smoothed by {share:g}",))


@meant("another leak")
def _leaky(p: Program, rng: np.random.Generator) -> Planted:
    layers = [k for k in p.layers if p.activations[k - 1] == "leaky_relu"]
    need(layers)
    leak = float(rng.choice([0.2, 0.1, 0.3]))
    for k in layers:
        p.value[k] = lambda u: np.where(u > 0, u, leak * u)
        for use in PLACES["everywhere"]:
            p.slope[k, use] = lambda p, e, k=k: e * np.where(p.u[k] > 0, 1, leak)
    return planted("wrong_activation", words=(f"is {leak:g}, not",))


@slip("step instead of the activation")
def _step(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if k < p.output])
    p.take(("delta", k), ("value", k))
    p.value[k] = lambda u: np.where(u >= 0, 1.0, 0.0)
    return planted("wrong_activation", layers=[k])


@slip("mean over all neurons for the bias")
def _bias_mean(p: Program, rng: np.random.Generator) -> Planted:
    k = one_of(rng, [k for k in p.layers if p.sizes[k] > 1])
    p.take(("bias", k))
    p.after[k] = lambda p, G, W: np.column_stack([G[:, :-1], 0 * G[:, -1] + G[:, -1].mean()])
    return planted("wrong_reduction", layers=[k], words=("bias",))
