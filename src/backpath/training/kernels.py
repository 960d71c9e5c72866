"""The compiled kernels: all of them, with every formula that they call, for Numba's cache looks at one file only.

A lane is one of many numbers that go through the same arithmetic side by side: a sample of the batch where one network
is trained, a network where many are. A row is the same number (a neuron's net input, a weight) in all lanes, one
lane after the other in memory. Rows live in one flat buffer ``b``, and a row's name is the place where it starts.
``lanes`` is how many lanes a row has, always a multiple of ``step(b)``: as many numbers as the processor takes at once
(64 bytes: 8 of float64, 16 of float32). A row is worked through in such steps: ``load`` one, compute with it as with a
number, ``store`` it. What an activation or a cost is, its code of the table says, outside the loop over the lanes.

Why not plain loops over single numbers, which the compiler vectorises too: in a small network a row is one step long,
and the compiler's checks that rows do not overlap would cost more than the arithmetic. Why no BLAS for wide layers: a
block of four sums over one step reaches what the processor can do, and BLAS gives other last digits for another number
of threads. Every sum here has one order, whatever runs beside it.

Each formula is that of ``maths.activations`` or ``maths.costs``, written with polynomials (there is no vector exp to
call), within a few ulp of it. Everything here is a plain function, compiled by assignment at the end of the file; the
plain ones run uncompiled too, on NumPy arrays of ``step(b)`` numbers.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import (
    lower_builtin,
    models,
    overload,
    register_jitable,
    register_model,
    type_callable,
)

from backpath.training.kernel_cache import compiled

# The only fast-math flag is `contract` (a product and a sum in one rounding): sums keep their order, and NaN stays NaN,
# by which a diverged run is known. A division by zero gives inf or NaN as in NumPy, without a branch.
FORMULA: Any = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}
# What Python calls: the lock is released, so that other threads run.
KERNEL: Any = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}

formula = register_jitable(**FORMULA)
# What works on whole rows is called, not inlined: in one piece a kernel would have far more values than registers.
rows = register_jitable(**{**FORMULA, "forceinline": False})

# The codes of the tables, as numbers here: a changed table in another file would not reach a cached kernel. A test
# holds them together.
SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, IDENTITY, SOFTMAX, EXP = 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11
SQUARED_ERROR, HALF_SQUARED_ERROR, BINARY_CROSS_ENTROPY, CATEGORICAL_CROSS_ENTROPY = 0, 1, 2, 3
HUBER, ABSOLUTE_ERROR, POISSON = 4, 5, 6
GD, MOMENTUM, ADAM = 0, 1, 2

LEAKY_SLOPE = 0.01
SILU_ZERO, SILU_ZERO_LOW, SILU_ZERO_EXP = -1.2784645427610737, -1.0946994183093437e-16, 0.2784645427610738
SQRT_HALF, DENSITY_AT_0 = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
LN2 = math.log(2)
TINY = 1e-30  # in place of the sum of sample weights that are all 0

# ---- lanes: as many numbers as the processor takes at once -----------------------------------------------------------

STEP_BYTES = 64


class Lanes(types.Type):
    """Numba's type of ``count`` numbers of a row, or (of "mask") of as many truth values."""

    def __init__(self, number: Any, count: int, mask: bool = False):
        self.number, self.count, self.mask = number, count, mask
        super().__init__(name=f"{'Mask' if mask else 'Lanes'}({number} × {count})")


def _count(number: Any) -> int:
    return STEP_BYTES * 8 // number.bitwidth


def _element(number: types.Type) -> ir.Type:
    return {types.float64: ir.DoubleType(), types.float32: ir.FloatType(), types.int64: ir.IntType(64)}[number]


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        element = ir.IntType(1) if lanes.mask else _element(lanes.number)
        super().__init__(manager, lanes, ir.VectorType(element, lanes.count))


class Memory(types.Type):
    """Numba's type of a buffer's address alone: one number to pass on, where an array is seven."""

    def __init__(self, dtype: types.Type):
        self.dtype = dtype
        super().__init__(name=f"Memory({dtype})")


@register_model(Memory)
class _MemoryModel(models.PrimitiveModel):
    def __init__(self, manager, memory):
        super().__init__(manager, memory, _element(memory.dtype).as_pointer())


def _splat(builder, value, count):
    """The same value in every lane."""
    vector = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    vector = builder.insert_element(vector, value, ir.IntType(32)(0))
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), count), None))


def _operation(function, arguments, build, mask=False):
    """Let compiled code call ``function`` with lanes; a plain number among the arguments is taken in every lane."""

    @type_callable(function)
    def typing(context):
        def typed(*given):  # Numba asks a signature how many arguments there are, so each number has its own
            lanes = [t for t in given if isinstance(t, Lanes)]
            plain = all(isinstance(t, (Lanes, types.Number)) for t in given)
            return Lanes(lanes[-1].number, lanes[-1].count, mask) if lanes and plain else None

        def of_one(x):
            return typed(x)

        def of_two(x, y):
            return typed(x, y)

        def of_three(x, y, z):
            return typed(x, y, z)

        return (of_one, of_two, of_three)[arguments - 1]

    def generate(context, builder, signature, values):
        lanes = next(t for t in reversed(signature.args) if isinstance(t, Lanes))
        vectors = [
            v if isinstance(t, Lanes) else _splat(builder, context.cast(builder, v, t, lanes.number), lanes.count)
            for v, t in zip(values, signature.args, strict=True)
        ]
        return build(builder, lanes, *vectors)

    for kinds in itertools.product((Lanes, types.Number), repeat=arguments):
        if Lanes in kinds:
            lower_builtin(function, *kinds)(generate)


def _vector_intrinsic(name):
    """LLVM's function of that name."""

    def build(builder, lanes, *vectors):
        kind = f"v{lanes.count}f{lanes.number.bitwidth}"
        signature = ir.FunctionType(vectors[-1].type, [v.type for v in vectors])
        return builder.call(cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.{kind}"), vectors)

    return build


def _compared(symbol):
    return lambda builder, lanes, x, y: builder.fcmp_ordered(symbol, x, y)


_operation(operator.add, 2, lambda builder, lanes, x, y: builder.fadd(x, y))
_operation(operator.sub, 2, lambda builder, lanes, x, y: builder.fsub(x, y))
_operation(operator.mul, 2, lambda builder, lanes, x, y: builder.fmul(x, y))
_operation(operator.truediv, 2, lambda builder, lanes, x, y: builder.fdiv(x, y))
_operation(operator.neg, 1, lambda builder, lanes, x: builder.fneg(x))
_operation(abs, 1, _vector_intrinsic("fabs"))
_operation(np.sqrt, 1, _vector_intrinsic("sqrt"))
_operation(operator.lt, 2, _compared("<"), mask=True)
_operation(operator.gt, 2, _compared(">"), mask=True)
_operation(operator.ge, 2, _compared(">="), mask=True)


def select(condition, yes, no):
    """In each lane ``yes`` where the condition holds, else ``no``."""
    return np.where(condition, yes, no)


_operation(select, 3, lambda builder, lanes, condition, yes, no: builder.select(condition, yes, no))


def power_of_two(shifted):
    """2^k for the whole k that sits in the lowest bits of 1.5 × 2^52 + k (float32: 1.5 × 2^23 + k)."""
    wide = shifted.dtype == np.float64
    return np.ldexp(shifted.dtype.type(1), (shifted - (ROUND_64 if wide else ROUND_32)).astype(int))


def _power_of_two(builder, lanes, shifted):
    whole, mantissa, bias = (64, 52, 1023) if lanes.number == types.float64 else (32, 23, 127)
    vector = ir.VectorType(ir.IntType(whole), lanes.count)
    bits = builder.shl(builder.bitcast(shifted, vector), _splat(builder, ir.IntType(whole)(mantissa), lanes.count))
    one = _splat(builder, ir.IntType(whole)(bias << mantissa), lanes.count)
    return builder.bitcast(builder.add(bits, one), shifted.type)


_operation(power_of_two, 1, _power_of_two)


def exponent(x):
    """k with x = 2^k m and 1 <= m < 2, for x > 0."""
    return np.frexp(x)[1].astype(x.dtype) - 1


def _exponent(builder, lanes, x):
    whole, mantissa, bias = (64, 52, 1023) if lanes.number == types.float64 else (32, 23, 127)
    vector = ir.VectorType(ir.IntType(whole), lanes.count)
    bits = builder.lshr(builder.bitcast(x, vector), _splat(builder, ir.IntType(whole)(mantissa), lanes.count))
    return builder.sitofp(builder.sub(bits, _splat(builder, ir.IntType(whole)(bias), lanes.count)), x.type)


_operation(exponent, 1, _exponent)


def fraction(x):
    """m with x = 2^k m and 1 <= m < 2, for x > 0."""
    return np.frexp(x)[0] * 2


def _fraction(builder, lanes, x):
    whole, mantissa, bias = (64, 52, 1023) if lanes.number == types.float64 else (32, 23, 127)
    vector = ir.VectorType(ir.IntType(whole), lanes.count)
    low = _splat(builder, ir.IntType(whole)((1 << mantissa) - 1), lanes.count)
    one = _splat(builder, ir.IntType(whole)(bias << mantissa), lanes.count)
    return builder.bitcast(builder.or_(builder.and_(builder.bitcast(x, vector), low), one), x.type)


_operation(fraction, 1, _fraction)


def constant_like(x, value):
    """The same value in every lane of lanes like x."""
    return np.full_like(x, value)


_operation(constant_like, 2, lambda builder, lanes, x, value: value)


def step(b):
    """How many numbers of the buffer are taken at once."""
    return STEP_BYTES // b.itemsize


@overload(step, inline="always")
def _step(b):
    count = _count(b.dtype)
    return lambda b: count


def memory(b):
    """The buffer as its address; uncompiled, itself."""
    return b


@type_callable(memory)
def _memory_typing(context):
    return lambda b: Memory(b.dtype)


@lower_builtin(memory, types.Array)
def _memory(context, builder, signature, arguments):
    return _address(context, builder, signature.args[0], arguments[0])


def _address(context, builder, kind, b):
    return b if isinstance(kind, Memory) else context.make_array(kind)(context, builder, b).data


def load(b, r):
    """The numbers of the buffer from place r on."""
    return b[r : r + step(b)].copy()


@type_callable(load)
def _load_typing(context):
    return lambda b, r: Lanes(b.dtype, _count(b.dtype))


def _place(context, builder, kind, b, r, count):
    """The address of b[r], as one of lanes."""
    data = _address(context, builder, kind, b)
    vector = ir.VectorType(_element(kind.dtype), count)
    return builder.bitcast(builder.gep(data, [r]), vector.as_pointer())


def load_four(b, r):
    """Four numbers of the buffer from place r on."""
    return b[r : r + 4].copy()


@type_callable(load_four)
def _load_four_typing(context):
    return lambda b, r: Lanes(b.dtype, 4)


@lower_builtin(load, types.Array, types.Integer)
@lower_builtin(load, Memory, types.Integer)
@lower_builtin(load_four, Memory, types.Integer)
def _load(context, builder, signature, arguments):
    kind = signature.args[0]
    b, r = arguments
    place = _place(context, builder, kind, b, r, signature.return_type.count)
    return builder.load(place, align=kind.dtype.bitwidth // 8)


def store(b, r, x):
    """Put lanes, or the same number in all of them, into the buffer from place r on."""
    b[r : r + len(x)] = x


@type_callable(store)
def _store_typing(context):
    return lambda b, r, x: types.none


@lower_builtin(store, types.Array, types.Integer, Lanes)
@lower_builtin(store, Memory, types.Integer, Lanes)
def _store(context, builder, signature, arguments):
    kind = signature.args[0]
    b, r, x = arguments
    place = _place(context, builder, kind, b, r, signature.args[2].count)
    builder.store(x, place, align=kind.dtype.bitwidth // 8)
    return context.get_dummy_value()


def at(b, k):
    """b[k], without Python's negative places."""
    return b[k]


@type_callable(at)
def _at_typing(context):
    return lambda b, k: b.dtype


@lower_builtin(at, types.Array, types.Integer)
@lower_builtin(at, Memory, types.Integer)
def _at(context, builder, signature, arguments):
    data = _address(context, builder, signature.args[0], arguments[0])
    return builder.load(builder.gep(data, [arguments[1]]))


def put(b, k, x):
    """b[k] = x, without Python's negative places."""
    b[k] = x


@type_callable(put)
def _put_typing(context):
    return lambda b, k, x: types.none


@lower_builtin(put, types.Array, types.Integer, types.Number)
@lower_builtin(put, Memory, types.Integer, types.Number)
def _put(context, builder, signature, arguments):
    kind, _, given = signature.args
    data = _address(context, builder, kind, arguments[0])
    builder.store(context.cast(builder, arguments[2], given, kind.dtype), builder.gep(data, [arguments[1]]))
    return context.get_dummy_value()


def lanes_sum(x):
    """Σ over the lanes, in an order that is settled once it is compiled."""
    return x.sum()


@type_callable(lanes_sum)
def _lanes_sum_typing(context):
    return lambda x: x.number


@lower_builtin(lanes_sum, Lanes)
def _lanes_sum(context, builder, signature, arguments):
    (x,), number = arguments, signature.args[0].number
    kind = ir.FunctionType(_element(number), [_element(number), x.type])
    name = f"llvm.vector.reduce.fadd.v{signature.args[0].count}f{number.bitwidth}"
    reduce = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(reduce, [_element(number)(0.0), x], fastmath=("reassoc",))


def buffer(numbers: int, dtype: Any) -> Any:
    """A buffer of zeros whose steps do not straddle the cache's lines."""
    raw = np.zeros(numbers + STEP_BYTES // np.dtype(dtype).itemsize, dtype)
    first = -raw.__array_interface__["data"][0] % STEP_BYTES // raw.itemsize
    return raw[first : first + numbers]


def put_sums(b, k, s0, s1, s2, s3, factor, more):
    """Put factor × the sums over the lanes of four into b[k : k + 4], or with ``more`` add that."""
    sums = np.array([s0.sum(), s1.sum(), s2.sum(), s3.sum()], b.dtype) * b.dtype.type(factor)
    b[k : k + 4] = sums + b[k : k + 4] if more else sums


@type_callable(put_sums)
def _put_sums_typing(context):
    return lambda b, k, s0, s1, s2, s3, factor, more: types.none


def _neighbours_added(builder, x, y):
    """(x0 + x1, x2 + x3, …, y0 + y1, …)"""
    count = x.type.count
    indices = ir.VectorType(ir.IntType(32), count)
    halves = [builder.shuffle_vector(x, y, ir.Constant(indices, list(range(k, 2 * count, 2)))) for k in (0, 1)]
    return builder.fadd(*halves)


@lower_builtin(put_sums, Memory, types.Integer, Lanes, Lanes, Lanes, Lanes, types.Float, types.Boolean)
def _put_sums(context, builder, signature, arguments):
    b, k, s0, s1, s2, s3, factor, more = arguments
    sums = _neighbours_added(builder, _neighbours_added(builder, s0, s1), _neighbours_added(builder, s2, s3))
    while sums.type.count > 4:
        half = ir.VectorType(ir.IntType(32), sums.type.count // 2)
        parts = [
            builder.shuffle_vector(sums, sums, ir.Constant(half, list(range(k, sums.type.count, 2)))) for k in (0, 1)
        ]
        sums = builder.fadd(*parts)
    factor = context.cast(builder, factor, signature.args[6], signature.args[0].dtype)
    sums = builder.fmul(sums, _splat(builder, factor, 4))
    place = builder.bitcast(builder.gep(b, [k]), sums.type.as_pointer())
    align = signature.args[0].dtype.bitwidth // 8
    with builder.if_then(more):
        builder.store(builder.fadd(sums, builder.load(place, align=align)), place, align=align)
    with builder.if_then(builder.not_(more)):
        builder.store(sums, place, align=align)
    return context.get_dummy_value()


def turn_four(b, r, lanes, target, row):
    """Four numbers of each of four rows, ``lanes`` apart, turned into four rows, ``row`` apart."""
    for k in range(4):
        b[target + k * row : target + k * row + 4] = b[r + k : r + k + 4 * lanes : lanes]


@type_callable(turn_four)
def _turn_four_typing(context):
    return lambda b, r, lanes, target, row: types.none


@lower_builtin(turn_four, Memory, types.Integer, types.Integer, types.Integer, types.Integer)
def _turn_four(context, builder, signature, arguments):
    b, r, lanes, target, row = arguments
    align = signature.args[0].dtype.bitwidth // 8
    four = ir.VectorType(b.type.pointee, 4).as_pointer()

    def places(first, stride):
        for _ in range(4):
            yield builder.bitcast(builder.gep(b, [first]), four)
            first = builder.add(first, stride)

    def mixed(x, y, *indices):
        return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), 4), list(indices)))

    x = [builder.load(place, align=align) for place in places(r, lanes)]
    halves = [mixed(x[k], x[k + 1], *which) for which in ((0, 4, 1, 5), (2, 6, 3, 7)) for k in (0, 2)]
    turned = [mixed(*halves[k : k + 2], *which) for k in (0, 2) for which in ((0, 1, 4, 5), (2, 3, 6, 7))]
    for place, y in zip(places(target, row), turned, strict=True):
        builder.store(y, place, align=align)
    return context.get_dummy_value()


# ---- exp and log ----------------------------------------------------------------------------------------------------
# e^x = 2^k e^r with k whole and |r| <= ln 2 / 2. Adding 1.5 × 2^52 rounds x / ln 2 to k and leaves k in the lowest
# bits, from where a shift takes it into the exponent. ln 2 is subtracted in two parts, the first short enough for k
# times it to be exact. e^r - 1 = r + r² p(r). This p and the polynomials below are from Chebyshev interpolation at 60
# digits; the errors said are theirs.

LOG2_E = 1.4426950408889634
ROUND_64, LN2_HIGH_64, LN2_LOW_64 = 6755399441055744.0, 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUND_32, LN2_HIGH_32, LN2_LOW_32 = 12582912.0, 0.693359375, -2.12194440e-4


@formula
def smaller(x, y):
    """The smaller one in each lane; where x is NaN, NaN."""
    return select(y < x, y, x)


@formula
def larger(x, y):
    """The larger one in each lane; where x is NaN, NaN."""
    return select(y > x, y, x)


@formula
def _exponential_64(x):
    """p to 2e-17"""
    x = smaller(larger(x, -708.0), 708.0)
    shifted = x * LOG2_E + ROUND_64
    k = shifted - ROUND_64
    r = (x - k * LN2_HIGH_64) - k * LN2_LOW_64
    r2 = r * r
    r4 = r2 * r2
    p01 = r * 0.16666666666666669 + 0.5
    p23 = r * 0.008333333333330062 + 0.04166666666662413
    p45 = r * 0.00019841269863053618 + 0.0013888888917213717
    p67 = r * 2.7557268459997064e-06 + 2.4801521295954376e-05
    p89 = r * 2.510038549551032e-08 + 2.7620088445409746e-07
    p = (p23 * r2 + p01) + r4 * (r4 * p89 + (p67 * r2 + p45))
    return power_of_two(shifted), p * r2 + r


@formula
def _exponential_32(x):
    """p to 1e-8"""
    x = smaller(larger(x, -87.0), 87.0)
    shifted = x * LOG2_E + ROUND_32
    k = shifted - ROUND_32
    r = (x - k * LN2_HIGH_32) - k * LN2_LOW_32
    r2 = r * r
    p = ((r * 0.008363179052722578 + 0.041666554617204574) + r2 * 0.0013926183587713494) * r2
    p = p + (r * 0.16666576989698775 + 0.5)
    return power_of_two(shifted), p * r2 + r


def _by_number(name, wide, narrow):
    """A function of lanes that is ``wide`` in float64 and ``narrow`` in float32."""

    def function(x):
        return wide(x) if x.dtype == np.float64 else narrow(x)

    function.__name__ = name
    overload(function, jit_options=FORMULA, strict=False)(lambda x: wide if x.number == types.float64 else narrow)
    return function


exponential_parts = _by_number("exponential_parts", _exponential_64, _exponential_32)


@formula
def exponential(x):
    """e^x; x is taken as at most ±708 (float32: ±87), beyond which e^x is next to 0 or infinite."""
    s, q = exponential_parts(x)
    return s * q + s


@formula
def exponential_less_one(x):
    """(e^x, e^x - 1), with all the digits near x = 0."""
    s, q = exponential_parts(x)
    return s * q + s, s * q + (s - 1)


@formula
def _artanh_64(x):
    """p to 5e-18"""
    z = x * x
    z2 = z * z
    z4 = z2 * z2
    p01 = z * 0.20000000000007292 + 0.3333333333333333
    p23 = z * 0.11111111358713932 + 0.1428571428355438
    p45 = z * 0.07692785032479312 + 0.09090894718066429
    p67 = z * 0.06000536404795356 + 0.06657072104827468
    p89 = z * 0.08082022805971766 + 0.04400369243072337
    p = (p23 * z2 + p01) + z4 * (z4 * p89 + (p67 * z2 + p45))
    return p * (z * x) + x


@formula
def _artanh_32(x):
    """p to 2e-8"""
    z = x * x
    p = (z * 0.13425749011418575 + 0.1411830990265524) * (z * z) + (z * 0.20003780322455603 + 0.33333320168349617)
    return p * (z * x) + x


# artanh x = x + x³ p(x²) for |x| <= 1/3
artanh = _by_number("artanh", _artanh_64, _artanh_32)


@formula
def log_one_plus(e):
    """ln(1 + e) = 2 artanh(e / (2 + e)) for 0 <= e <= 1."""
    return 2 * artanh(e / (e + 2))


@formula
def logarithm(x):
    """ln x for x > 0, of which those below 1 have the digits of a number near 1; at 0 some number."""
    return (exponent(x) * LN2 + log_one_plus(fraction(x) - 1)) + (x - x)  # NaN and infinity stay


# e^(x²) erfc(x) (1 + 2x) for x >= 0 is a polynomial in t = (x - K) / (x + K)


@formula
def _scaled_erfc_64(x):
    """K = 3.75, to 1.5e-16"""
    t = (x - 3.75) / (x + 3.75)
    p = t * -2.7293941332533855e-09 - 1.952790162974837e-09
    p = p * t + 3.256499083798513e-08
    p = p * t + 1.8778501156468795e-08
    p = p * t - 2.4996538037405243e-07
    p = p * t - 5.0816911811698186e-08
    p = p * t + 1.7438577411359181e-06
    p = p * t - 9.79297529099823e-07
    p = p * t - 1.143961526007595e-05
    p = p * t + 2.238759272534769e-05
    p = p * t + 5.164737123871838e-05
    p = p * t - 0.0002901553656394713
    p = p * t + 0.00029371408777227685
    p = p * t + 0.0017556261692276722
    p = p * t - 0.00974657962081509
    p = p * t + 0.028362277371370044
    p = p * t - 0.058693398584491845
    p = p * t + 0.09230432116435616
    p = p * t - 0.10880393014193915
    p = p * t + 0.08227673848999159
    p = p * t + 0.0035854154854663067
    p = p * t - 0.14024059858554522
    return (p * t + 1.2375126308378275) / (2 * x + 1)


@formula
def _scaled_erfc_32(x):
    """K = 2, to 7e-8"""
    t = (x - 2) / (x + 2)
    p = t * 0.00016586757913220586 - 0.0001824780150093975
    p = p * t - 0.0014083577484941415
    p = p * t + 0.001040480801881112
    p = p * t + 0.008700217212541207
    p = p * t - 0.00794070690627213
    p = p * t - 0.05421590087873781
    p = p * t + 0.16403527327474507
    p = p * t - 0.16603060433264322
    p = p * t - 0.09276303881018705
    return (p * t + 1.2769783815525286) / (2 * x + 1)


# e^(x²) erfc(x) for x >= 0
scaled_erfc = _by_number("scaled_erfc", _scaled_erfc_64, _scaled_erfc_32)

# ---- activations ----------------------------------------------------------------------------------------------------


@formula
def _sigmoid(u):
    """σ = 1 / (1 + e^-u), σ′ = σ(u) σ(-u) with σ(-u) = e^-u σ(u)"""
    s, q = exponential_parts(-u)
    value = 1 / (s * q + (s + 1))
    return value, value * ((s * q + s) * value)


@formula
def _tanh(u):
    """With e = e^-2|u|: |tanh u| = (1 - e) / (1 + e), σ′ = 4e / (1 + e)²"""
    e, less_one = exponential_less_one(-2 * abs(u))
    share = 1 / (e + 1)
    value = less_one * share
    return select(u > 0, -value, value), 4 * e * (share * share)


@formula
def _relu(u):
    return larger(u, 0), select(u > 0, constant_like(u, 1), constant_like(u, 0))


@formula
def _leaky_relu(u):
    return select(u > 0, u, u * LEAKY_SLOPE), select(u > 0, constant_like(u, 1), constant_like(u, LEAKY_SLOPE))


@formula
def _elu(u):
    e, less_one = exponential_less_one(smaller(u, 0))
    return select(u > 0, u, less_one), e


@formula
def _gelu(u):
    """u Φ(u), and Φ(u) + u φ(u), with Φ(-|u|) = ½ erfc(|u| / √2)"""
    near = smaller(abs(u), 38.0)
    e = exponential(near * near * -0.5)
    tail = e * scaled_erfc(near * SQRT_HALF) * 0.5
    distribution = select(u > 0, 1 - tail, tail)
    return u * distribution, distribution + u * (e * DENSITY_AT_0)


@formula
def _silu(u):
    """u σ(u), and e^u (1 + u + e^u) / (1 + e^u)², whose bracket is for u < -1 written around its zero u₀ (see
    maths.activations)"""
    e = exponential(-abs(u))
    share = 1 / (e + 1)
    t = (smaller(u, 0) - SILU_ZERO) - SILU_ZERO_LOW
    less_one = exponential_less_one(t)[1]
    bracket = select(u < -1, less_one * SILU_ZERO_EXP + t, u + 1 + e)
    slope = select(u < 0, bracket * e, (u + 1) * e + 1)
    return u * select(u < 0, e * share, share), slope * (share * share)


@formula
def _softplus(u):
    """max(u, 0) + ln(1 + e^-|u|), and the sigmoid"""
    e = exponential(-abs(u))
    share = 1 / (e + 1)
    return larger(u, 0) + log_one_plus(e), select(u < 0, e * share, share)


@formula
def _identity(u):
    return u, constant_like(u, 1)


@formula
def _exp(u):
    """e^u as the square of e^(u/2), which may overflow"""
    half = exponential(u * 0.5)
    value = half * half
    return value, value


def _over_rows(function):
    """function: u -> (σ, σ′), for a whole row."""

    def row(b, a, d, lanes):
        for lane in range(0, lanes, step(b)):
            value, slope = function(load(b, d + lane))
            store(b, a + lane, value)
            store(b, d + lane, slope)

    return rows(row)


_sigmoid_row, _tanh_row, _relu_row = _over_rows(_sigmoid), _over_rows(_tanh), _over_rows(_relu)
_leaky_relu_row, _elu_row, _gelu_row = _over_rows(_leaky_relu), _over_rows(_elu), _over_rows(_gelu)
_silu_row, _softplus_row, _identity_row = _over_rows(_silu), _over_rows(_softplus), _over_rows(_identity)
_exp_row = _over_rows(_exp)


@rows
def activate(code, b, a, d, lanes):
    """a = σ(u) and d = σ′(u), where row d holds u before and σ′(u) after (softmax is of `output`)."""
    if code == SIGMOID:
        _sigmoid_row(b, a, d, lanes)
    elif code == TANH:
        _tanh_row(b, a, d, lanes)
    elif code == RELU:
        _relu_row(b, a, d, lanes)
    elif code == LEAKY_RELU:
        _leaky_relu_row(b, a, d, lanes)
    elif code == ELU:
        _elu_row(b, a, d, lanes)
    elif code == GELU:
        _gelu_row(b, a, d, lanes)
    elif code == SILU:
        _silu_row(b, a, d, lanes)
    elif code == SOFTPLUS:
        _softplus_row(b, a, d, lanes)
    elif code == EXP:
        _exp_row(b, a, d, lanes)
    else:
        _identity_row(b, a, d, lanes)


# ---- the output layer: costs and deltas -----------------------------------------------------------------------------


@rows
def output(cost, code, b, a, d, y, c, outputs, lanes, spare):
    """The output layer of ``outputs`` rows each at a, d and y: a = σ(u), row c += the lane's cost, d = δ = ∂C/∂u,
    where the rows d hold u before. ``spare`` are two rows to work with."""
    if code == SOFTMAX:
        _softmax(b, a, d, outputs, lanes, spare)
    if cost == BINARY_CROSS_ENTROPY:
        for j in range(0, outputs * lanes, lanes):
            _binary_cross_entropy(b, a + j, d + j, y + j, c, lanes)
    elif cost == CATEGORICAL_CROSS_ENTROPY:
        _categorical_cross_entropy(b, a, d, y, c, outputs, lanes, spare)
    elif code == SOFTMAX:
        _softmax_error(cost, b, a, d, y, c, outputs, lanes)
    else:
        for j in range(0, outputs * lanes, lanes):
            if cost == POISSON:
                _poisson(b, a + j, d + j, y + j, c, lanes)
                continue
            activate(code, b, a + j, d + j, lanes)
            if cost == HUBER:
                _huber_row(b, a + j, d + j, y + j, c, lanes)
            elif cost == ABSOLUTE_ERROR:
                _absolute_error_row(b, a + j, d + j, y + j, c, lanes)
            else:
                _squared_error(b, a + j, d + j, y + j, c, lanes, 2.0 if cost == SQUARED_ERROR else 1.0)


@rows
def _squared_error(b, a, d, y, c, lanes, slope):
    """C = slope/2 (A - y)², δ = slope (A - y) σ′(u)"""
    for lane in range(0, lanes, step(b)):
        error = load(b, a + lane) - load(b, y + lane)
        store(b, c + lane, load(b, c + lane) + error * error * (slope * 0.5))
        store(b, d + lane, error * slope * load(b, d + lane))


@formula
def _huber(error):
    """With near = min(1, |A - y|): C = near (|A - y| - near/2), ∂C/∂A = max(-1, min(1, A - y))"""
    size = abs(error)
    near = smaller(size, 1.0)
    return near * (size - near * 0.5), larger(smaller(error, 1.0), -1.0)


@formula
def _absolute_error(error):
    """C = |A - y|, ∂C/∂A its sign"""
    below = select(error < 0, constant_like(error, -1), constant_like(error, 0))
    return abs(error), select(error > 0, constant_like(error, 1), below)


@formula
def _of_error(cost, error):
    """(C, ∂C/∂A) of the costs that follow from A - y alone"""
    if cost == HUBER:
        return _huber(error)
    if cost == ABSOLUTE_ERROR:
        return _absolute_error(error)
    slope = 2.0 if cost == SQUARED_ERROR else 1.0
    return error * error * (slope * 0.5), error * slope


def _error_row(function):
    """function: A - y -> (C, ∂C/∂A), for a whole row: c += C, δ = ∂C/∂A σ′(u)"""

    def row(b, a, d, y, c, lanes):
        for lane in range(0, lanes, step(b)):
            value, slope = function(load(b, a + lane) - load(b, y + lane))
            store(b, c + lane, load(b, c + lane) + value)
            store(b, d + lane, slope * load(b, d + lane))

    return rows(row)


_huber_row, _absolute_error_row = _error_row(_huber), _error_row(_absolute_error)


@rows
def _poisson(b, a, d, y, c, lanes):
    """C = y (ln y - u) - y + A, δ = A - y"""
    for lane in range(0, lanes, step(b)):
        u, target = load(b, d + lane), load(b, y + lane)
        value = _exp(u)[0]
        store(b, c + lane, load(b, c + lane) + (target * (logarithm(target) - u) + (value - target)))
        store(b, a + lane, value)
        store(b, d + lane, value - target)


@rows
def _binary_cross_entropy(b, a, d, y, c, lanes):
    """C = -y ln σ(u) - (1 - y) ln σ(-u), δ = (1 - y) σ(u) - y σ(-u)"""
    for lane in range(0, lanes, step(b)):
        u, target = load(b, d + lane), load(b, y + lane)
        e = exponential(-abs(u))
        share = 1 / (e + 1)
        value, other = select(u < 0, e * share, share), select(u < 0, share, e * share)
        tail = log_one_plus(e)
        cost = target * (larger(-u, 0) + tail) + (1 - target) * (larger(u, 0) + tail)
        store(b, c + lane, load(b, c + lane) + cost)
        store(b, a + lane, value)
        store(b, d + lane, (1 - target) * value - target * other)


@rows
def _softmax(b, a, d, outputs, lanes, spare):
    """a_j = e^(u_j - max u) / Σ; of the spare rows the first then holds max u, the second ln Σ."""
    size = outputs * lanes
    for lane in range(0, lanes, step(b)):
        top = load(b, d + lane)
        for j in range(lanes, size, lanes):
            top = larger(top, load(b, d + j + lane))
        total = constant_like(top, 0.0)
        for j in range(0, size, lanes):
            u = load(b, d + j + lane)
            shifted = u - top
            back = shifted - u
            lost = (u - (shifted - back)) - (top + back)  # what rounding took; it costs digits in the tails
            e = exponential(shifted) * (lost + 1)
            store(b, a + j + lane, e)
            total = total + e
        share = 1 / total
        for j in range(0, size, lanes):
            store(b, a + j + lane, load(b, a + j + lane) * share)
        store(b, spare + lane, top)
        store(b, spare + lanes + lane, logarithm(total))


@rows
def _categorical_cross_entropy(b, a, d, y, c, outputs, lanes, spare):
    """C = Σ -y_j ln a_j with ln a_j = u_j - max u - ln Σ, δ_j = a_j Σ y - y_j"""
    size = outputs * lanes
    for lane in range(0, lanes, step(b)):
        top, log_total = load(b, spare + lane), load(b, spare + lanes + lane)
        targets = constant_like(top, 0.0)
        for j in range(0, size, lanes):
            targets = targets + load(b, y + j + lane)
        cost = load(b, c + lane)
        for j in range(0, size, lanes):
            target = load(b, y + j + lane)
            cost = cost + target * (log_total - (load(b, d + j + lane) - top))
            store(b, d + j + lane, load(b, a + j + lane) * targets - target)
        store(b, c + lane, cost)


@rows
def _softmax_error(cost, b, a, d, y, c, outputs, lanes):
    """δ_j = a_j (∂C/∂a_j - Σ_k a_k ∂C/∂a_k): every output depends on every net input"""
    size = outputs * lanes
    for lane in range(0, lanes, step(b)):
        total = load(b, c + lane)
        shared = constant_like(total, 0.0)
        for j in range(0, size, lanes):
            value = load(b, a + j + lane)
            one, slope = _of_error(cost, value - load(b, y + j + lane))
            total = total + one
            shared = shared + value * slope
        for j in range(0, size, lanes):
            value = load(b, a + j + lane)
            slope = _of_error(cost, value - load(b, y + j + lane))[1]
            store(b, d + j + lane, value * (slope - shared))
        store(b, c + lane, total)


# ---- one network: the samples of a batch in the lanes ---------------------------------------------------------------
# The weights are those of the network's arrays in one flat array, each neuron's filled up with zeros (ROW). The columns
# of the table `layers`, after the first three: where the weights start in w, how long one neuron's are, and where in b
# the rows of σ(u) start, those of u, then σ′(u), then δ, and the inputs turned: with a row per sample (-1: not needed).

INPUTS, NEURONS, ACTIVATION, WEIGHTS, ROW, VALUES, DELTAS, TURNED = range(8)
COLUMNS = 8


# what becomes of a sum: it is put in its place; it is put there times what is there; it is put there times a factor, or
# that is added to what is there
PUT, TIMES, SCALED, ADDED = 0, 1, 2, 3


@formula
def _finish(t, k, s, how, factor):
    if how == TIMES:
        s = s * load(t, k)
    elif how >= SCALED:
        s = s * factor + load(t, k) if how == ADDED else s * factor
    store(t, k, s)


@formula
def _finish_four(t, k, by, s, how, factor):
    _finish(t, k, s[0], how, factor)
    _finish(t, k + by, s[1], how, factor)
    _finish(t, k + 2 * by, s[2], how, factor)
    _finish(t, k + 3 * by, s[3], how, factor)


@formula
def _four(w, k, by):
    return at(w, k), at(w, k + by), at(w, k + 2 * by), at(w, k + 3 * by)


@formula
def _four_alike(like, w):
    return constant_like(like, w[0]), constant_like(like, w[1]), constant_like(like, w[2]), constant_like(like, w[3])


@formula
def _four_more(x, w, s):
    return x * w[0] + s[0], x * w[1] + s[1], x * w[2] + s[2], x * w[3] + s[3]


@rows
def _product(b, w, k, by_row, by_term, bias, count, source, terms, stride, lanes, t, target, by_target, how, factor):
    """t_r = w[bias + r by_row] + Σ_i w[k + r by_row + i by_term] × source_i, r = 0 … ``count`` - 1, finished as ``how``
    says; a bias below 0 means none.

    In tiles of four sums by two steps, so that each number loaded serves several sums and the processor has eight under
    way; at the edges by one step, and one sum."""
    one, none = step(b), (0.0, 0.0, 0.0, 0.0)
    whole, pairs = count - count % 4, lanes - lanes % (2 * one)
    for lane in range(0, pairs, 2 * one):
        for r in range(0, whole, 4):
            place, n, m = source + lane, k + r * by_row, target + r * by_target + lane
            s = _four_alike(load(b, place), none if bias < 0 else _four(w, bias + r * by_row, by_row))
            z = s
            for _ in range(terms):
                weights = _four(w, n, by_row)
                s, z = _four_more(load(b, place), weights, s), _four_more(load(b, place + one), weights, z)
                n += by_term
                place += stride
            _finish_four(t, m, by_target, s, how, factor)
            _finish_four(t, m + one, by_target, z, how, factor)
    for lane in range(pairs, lanes, one):
        for r in range(0, whole, 4):
            place, n, m = source + lane, k + r * by_row, target + r * by_target + lane
            s = _four_alike(load(b, place), none if bias < 0 else _four(w, bias + r * by_row, by_row))
            for _ in range(terms):
                s = _four_more(load(b, place), _four(w, n, by_row), s)
                n += by_term
                place += stride
            _finish_four(t, m, by_target, s, how, factor)
    for lane in range(0, lanes, one):
        for r in range(whole, count):
            place, n = source + lane, k + r * by_row
            s = constant_like(load(b, place), 0.0 if bias < 0 else at(w, bias + r * by_row))
            for i in range(terms):
                s = load(b, place + i * stride) * at(w, n + i * by_term) + s
            _finish(t, target + r * by_target + lane, s, how, factor)


@rows
def _net_inputs(b, w, weights, row, inputs, neurons, a, u, lanes):
    """u_j = W~_j + Σ_i W_ji a_i"""
    _product(b, w, weights, row, 1, weights + inputs, neurons, a, inputs, lanes, lanes, b, u, lanes, PUT, 1.0)


@rows
def _hidden_deltas(b, w, weights, row, inputs, neurons, delta, d, lanes):
    """δ_i = σ′(u_i) Σ_j W_ji δ_j, where the rows d hold σ′(u) before."""
    _product(b, w, weights, 1, row, -1, inputs, delta, neurons, lanes, lanes, b, d, lanes, TIMES, 1.0)


@rows
def _turn(b, a, inputs, row, turned, lanes):
    """[a_1 a_2 … 1] of each sample in a row, from rows of one input each."""
    whole = inputs - inputs % 4
    for i in range(0, whole, 4):
        for lane in range(0, lanes, 4):
            turn_four(b, a + i * lanes + lane, lanes, turned + lane * row + i, row)
    for i in range(whole, inputs):
        for lane in range(lanes):
            put(b, turned + lane * row + i, at(b, a + i * lanes + lane))
    for lane in range(lanes):
        put(b, turned + lane * row + inputs, 1.0)


@rows
def _turned_gradient(b, g, weights, row, inputs, neurons, turned, delta, lanes, factor, more):
    """`_gradient` with the inputs of a neuron in the lanes: no sums over lanes, but the inputs have to be turned."""
    aside = inputs % step(b) == 0  # the bias would take a step of its own
    how, extent = ADDED if more else SCALED, inputs if aside else row
    _product(b, b, delta, lanes, 1, -1, neurons, turned, lanes, row, extent, g, weights, row, how, factor)
    if aside:
        for j in range(neurons):
            d, k = delta + j * lanes, weights + j * row + inputs
            s = constant_like(load(b, d), 0.0)
            for lane in range(0, lanes, step(b)):
                s = s + load(b, d + lane)
            put(g, k, lanes_sum(s) * factor + at(g, k) if more else lanes_sum(s) * factor)


@rows
def _gradient(b, g, weights, row, inputs, neurons, a, delta, lanes, factor, more):
    """g_ji = factor Σ_lanes δ_j a_i, bias last; with ``more`` that much more."""
    zero = constant_like(load(b, delta), 0.0)
    whole = inputs - inputs % 4
    for j in range(neurons):
        d, k = delta + j * lanes, weights + j * row
        for i in range(0, whole, 4):
            s0, s1, s2, s3 = zero, zero, zero, zero
            for lane in range(0, lanes, step(b)):
                x, place = load(b, d + lane), a + i * lanes + lane
                s0 = load(b, place) * x + s0
                s1 = load(b, place + lanes) * x + s1
                s2 = load(b, place + 2 * lanes) * x + s2
                s3 = load(b, place + 3 * lanes) * x + s3
            put_sums(g, k + i, s0, s1, s2, s3, factor, more)
        s0, s1, s2, s3 = zero, zero, zero, zero
        place, left = a + whole * lanes, inputs - whole
        for lane in range(0, lanes, step(b)):
            x = load(b, d + lane)
            s3 = s3 + x
            if left > 0:
                s0 = load(b, place + lane) * x + s0
            if left > 1:
                s1 = load(b, place + lanes + lane) * x + s1
            if left > 2:
                s2 = load(b, place + 2 * lanes + lane) * x + s2
        # of the last four, those beyond the bias are 0
        if left == 0:
            s0, s3 = s3, zero
        elif left == 1:
            s1, s3 = s3, zero
        elif left == 2:
            s2, s3 = s3, zero
        put_sums(g, k + whole, s0, s1, s2, s3, factor, more)


@rows
def _forward(b, w, layers, count, x, cost, y, c, lanes, spare):
    """The net inputs, activations and derivatives of every layer, the lanes' costs, and δ of the output layer."""
    a = x
    for q in range(0, count * COLUMNS, COLUMNS):
        neurons, code, d = at(layers, q + NEURONS), at(layers, q + ACTIVATION), at(layers, q + DELTAS)
        _net_inputs(b, w, at(layers, q + WEIGHTS), at(layers, q + ROW), at(layers, q + INPUTS), neurons, a, d, lanes)
        a = at(layers, q + VALUES)
        if q + COLUMNS < count * COLUMNS:
            activate(code, b, a, d, neurons * lanes)  # its rows lie one after the other, as if they were one
        else:
            output(cost, code, b, a, d, y, c, neurons, lanes, spare)


@rows
def _backward(b, w, g, layers, count, x, lanes, factor, more):
    """δ of the hidden layers, then factor × the gradient of every weight, in the order of the weights."""
    for q in range((count - 1) * COLUMNS, 0, -COLUMNS):
        before, inputs, neurons = q - COLUMNS, at(layers, q + INPUTS), at(layers, q + NEURONS)
        delta, d = at(layers, q + DELTAS), at(layers, before + DELTAS)
        _hidden_deltas(b, w, at(layers, q + WEIGHTS), at(layers, q + ROW), inputs, neurons, delta, d, lanes)
    a = x
    for q in range(0, count * COLUMNS, COLUMNS):
        weights, row, delta = at(layers, q + WEIGHTS), at(layers, q + ROW), at(layers, q + DELTAS)
        inputs, neurons, turned = at(layers, q + INPUTS), at(layers, q + NEURONS), at(layers, q + TURNED)
        if turned >= 0:
            if q == 0:
                turned = x + at(layers, (count - 1) * COLUMNS + NEURONS) * lanes + (inputs + 1) * lanes
            else:
                _turn(b, a, inputs, row, turned, lanes)
            _turned_gradient(b, g, weights, row, inputs, neurons, turned, delta, lanes, factor, more)
        else:
            _gradient(b, g, weights, row, inputs, neurons, a, delta, lanes, factor, more)
        a = at(layers, q + VALUES)


@formula
def _sigma(code, u):
    """(σ(u), σ′(u))"""
    if code == SIGMOID:
        return _sigmoid(u)
    if code == TANH:
        return _tanh(u)
    if code == RELU:
        return _relu(u)
    if code == LEAKY_RELU:
        return _leaky_relu(u)
    if code == ELU:
        return _elu(u)
    if code == GELU:
        return _gelu(u)
    if code == SILU:
        return _silu(u)
    if code == SOFTPLUS:
        return _softplus(u)
    if code == EXP:
        return _exp(u)
    return _identity(u)


@rows
def _narrow(b, w, g, layers, count, x, cost, factor, more):
    """`_forward`, `_weigh` and `_backward` in one piece, for four lanes, squared errors and few weights: there the
    calls and loops would cost more than the arithmetic."""
    last = (count - 1) * COLUMNS
    y = x + at(layers, INPUTS) * 4
    share, slope_of_cost = load_four(b, y + at(layers, last + NEURONS) * 4), 2.0 if cost == SQUARED_ERROR else 1.0
    a, total = x, constant_like(share, 0.0)
    for q in range(0, last + 1, COLUMNS):
        inputs, code, k = at(layers, q + INPUTS), at(layers, q + ACTIVATION), at(layers, q + WEIGHTS)
        values, d = at(layers, q + VALUES), at(layers, q + DELTAS)
        for j in range(0, at(layers, q + NEURONS) * 4, 4):
            s = constant_like(share, at(w, k + inputs))
            for i in range(inputs):
                s = load_four(b, a + i * 4) * at(w, k + i) + s
            value, slope = _sigma(code, s)
            if q < last:
                store(b, values + j, value)
                store(b, d + j, slope)
            else:
                error = value - load_four(b, y + j)
                total = error * error + total
                store(b, d + j, error * (share * slope_of_cost) * slope)
            k += at(layers, q + ROW)
        a = values
    for q in range(last, 0, -COLUMNS):
        d, delta = at(layers, q - COLUMNS + DELTAS), at(layers, q + DELTAS)
        for i in range(at(layers, q + INPUTS)):
            s, k = constant_like(share, 0.0), at(layers, q + WEIGHTS) + i
            for j in range(at(layers, q + NEURONS)):
                s = load_four(b, delta + j * 4) * at(w, k) + s
                k += at(layers, q + ROW)
            store(b, d + i * 4, s * load_four(b, d + i * 4))
    a = x
    for q in range(0, last + 1, COLUMNS):
        weights, row, delta = at(layers, q + WEIGHTS), at(layers, q + ROW), at(layers, q + DELTAS)
        _narrow_gradient(b, g, weights, row, at(layers, q + INPUTS), at(layers, q + NEURONS), a, delta, factor, more)
        a = at(layers, q + VALUES)
    return lanes_sum(total * share) * (slope_of_cost * 0.5)


@formula
def _narrow_gradient(b, g, k, row, inputs, neurons, a, delta, factor, more):
    """`_gradient` of four lanes"""
    for j in range(neurons):
        x = load_four(b, delta + j * 4)
        zero = constant_like(x, 0.0)
        for i in range(0, inputs + 1, 4):
            place, left = a + i * 4, inputs - i
            s0 = load_four(b, place) * x if left > 0 else x
            s1 = load_four(b, place + 4) * x if left > 1 else x if left == 1 else zero
            s2 = load_four(b, place + 8) * x if left > 2 else x if left == 2 else zero
            s3 = load_four(b, place + 12) * x if left > 3 else x if left == 3 else zero
            put_sums(g, k + i, s0, s1, s2, s3, factor, more)
        k += row


@rows
def _weigh(b, deltas, outputs, c, share, lanes):
    """Give each sample its share in the batch's average: in δ of the outputs, and in the cost, which is returned."""
    total = constant_like(load(b, c), 0.0)
    for lane in range(0, lanes, step(b)):
        s = load(b, share + lane)
        total = load(b, c + lane) * s + total
        for j in range(outputs):
            place = deltas + j * lanes + lane
            store(b, place, load(b, place) * s)
    return lanes_sum(total)


@rows
def _lay(b, x, X, inputs, row, Y, outputs, sample_weight, weighted, order, first, count, lanes, whole):
    """Samples order[first], … in the lanes: rows of inputs, of targets, and of each one's share in its batch, whose
    weights sum to ``whole``; then, unless ``row`` is 0, the inputs with a row per sample. Lanes beyond ``count`` repeat
    the last sample, with no share."""
    turned = x + (inputs + outputs + 1) * lanes
    for lane in range(lanes):
        sample = at(order, first + min(lane, count - 1))
        if row > 0:
            for i in range(inputs):
                put(b, turned + lane * row + i, at(X, sample * inputs + i))
            put(b, turned + lane * row + inputs, 1.0)
        else:
            for i in range(inputs):
                put(b, x + i * lanes + lane, at(X, sample * inputs + i))
        for j in range(outputs):
            put(b, x + (inputs + j) * lanes + lane, at(Y, sample * outputs + j))
        share = at(sample_weight, sample) / whole if weighted else 1.0 / whole
        put(b, x + (inputs + outputs) * lanes + lane, share if lane < count else 0.0)
    if row > 0:
        whole = inputs - inputs % 4
        for lane in range(0, lanes, 4):
            for i in range(0, whole, 4):
                turn_four(b, turned + lane * row + i, row, x + i * lanes + lane, lanes)
        for i in range(whole, inputs):
            for lane in range(lanes):
                put(b, x + i * lanes + lane, at(b, turned + lane * row + i))


@formula
def _weight_of(sample_weight, weighted, order, first, end):
    """The sum of the samples' weights, which is their number where none are given; not 0, so as to divide by it."""
    if not weighted:
        return float(end - first)
    total = 0.0
    for k in range(first, end):
        total += at(sample_weight, at(order, k))
    return max(total, TINY)


@rows
def _decay(w, g, layers, count, decay):
    """Add that of decay/2 Σ W², biases apart, to the gradient; returns it."""
    total, squares = 0.0, constant_like(load(w, 0), 0.0)
    for q in range(0, count * COLUMNS, COLUMNS):
        inputs = at(layers, q + INPUTS)
        whole = inputs - inputs % step(w)
        for j in range(at(layers, q + NEURONS)):
            first = at(layers, q + WEIGHTS) + j * at(layers, q + ROW)
            for k in range(first, first + whole, step(w)):
                x = load(w, k)
                squares = x * x + squares
                store(g, k, x * decay + load(g, k))
            for k in range(first + whole, first + inputs):
                total += at(w, k) * at(w, k)
                put(g, k, at(g, k) + decay * at(w, k))
    return decay * 0.5 * (total + lanes_sum(squares))


@rows
def _update(solver, w, g, m, v, free, some_frozen, count, rates, t):
    """Update all weights once, for the t-th time (see ``training.job.Solver``); ``free`` is 1 where one may change."""
    eta, mu, nesterov = at(rates, 0), at(rates, 1), at(rates, 2)
    beta_1, beta_2, epsilon = at(rates, 3), at(rates, 4), at(rates, 5)
    eta_t = eta
    if solver == ADAM:
        eta_t = eta * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    for k in range(0, count, step(w)):
        old, gradient = load(w, k), load(g, k)
        new = old - gradient * eta
        if solver == MOMENTUM:
            velocity = load(m, k) * mu - gradient * eta
            store(m, k, velocity)
            new = old + velocity * mu - gradient * eta if nesterov else old + velocity
        elif solver == ADAM:
            mean = load(m, k) * beta_1 + gradient * (1.0 - beta_1)
            square = load(v, k) * beta_2 + gradient * gradient * (1.0 - beta_2)
            store(m, k, mean)
            store(v, k, square)
            new = old - mean * eta_t / (np.sqrt(square) + epsilon)
        if some_frozen:
            new = select(load(free, k) > 0, new, old)
        store(w, k, new)


@rows
def _clip(g, layers, count, length, most):
    """Scale the gradient down to the norm ``most``, where it is longer."""
    squares = 0.0
    for q in range(0, count * COLUMNS, COLUMNS):
        for j in range(at(layers, q + NEURONS)):
            first = at(layers, q + WEIGHTS) + j * at(layers, q + ROW)
            for k in range(first, first + at(layers, q + INPUTS) + 1):
                squares += float(at(g, k)) * float(at(g, k))
    norm = math.sqrt(squares)
    if norm > most:
        for k in range(0, length, step(g)):
            store(g, k, load(g, k) * (most / norm))


# the places in `plan`, `rates` and `state`
COST, SOLVER, LAYERS, WEIGHT_COUNT, SAMPLES, BATCH, BLOCK, SPARE, DATA, LAID, NARROW, FUSED = range(12)
L2, TOL, PATIENCE, SHARE, CLIP = 6, 7, 8, 9, 10
UPDATES, BEST, WAITED, CONVERGED = range(4)


@formula
def _batch(b, w, g, layers, X, Y, sample_weight, weighted, order, start, end, x, plan, whole, factor, more):
    """The cost of the samples order[start], …, order[end - 1], and in g factor × its gradient, or with ``more`` that
    much more."""
    count, block, spare = at(plan, LAYERS), at(plan, BLOCK), at(plan, SPARE)
    last = (count - 1) * COLUMNS
    inputs, outputs, deltas = at(layers, INPUTS), at(layers, last + NEURONS), at(layers, last + DELTAS)
    c, cost, row = spare + 2 * block, 0.0, at(layers, ROW) if at(layers, TURNED) >= 0 else 0
    for first in range(start, end, block):
        size = min(block, end - first)
        unit = min(step(b), block)
        lanes = (size + unit - 1) // unit * unit
        if not at(plan, LAID):
            _lay(b, x, X, inputs, row, Y, outputs, sample_weight, weighted, order, first, size, lanes, whole)
        y = x + inputs * lanes
        if at(plan, NARROW):
            cost += _narrow(b, w, g, layers, count, x, at(plan, COST), factor, more)
        else:
            zero = constant_like(load(b, x), 0.0)
            for lane in range(0, lanes, step(b)):
                store(b, c + lane, zero)
            _forward(b, w, layers, count, x, at(plan, COST), y, c, lanes, spare)
            cost += _weigh(b, deltas, outputs, c, y + outputs * lanes, lanes)
            _backward(b, w, g, layers, count, x, lanes, factor, more or first > start)
        if at(plan, LAID):
            x += (inputs + outputs + 1 + row) * lanes
    return cost, x


def train_network(b, w, g, m, v, free, layers, X, Y, sample_weight, orders, plan, rates, state, costs):
    """Train one network for ``len(costs)`` epochs; returns the epochs done, fewer if the cost of the last one is not
    finite or it has converged.

    Parameters
    ----------
    b : buffer
        Working memory; with ``plan[LAID]`` also all samples, laid in lanes by ``lay_samples``.
    w, g, m, v : buffers
        Weights, gradient, and what the solver remembers, filled up to whole steps.
    free : buffer, empty if all weights may change
    layers : int64 array (layers × COLUMNS,)
    X, Y, sample_weight : arrays (N × inputs,), (N × outputs,), (N,) or empty
    orders : int64 array (epochs × N,), or (N,) for each epoch the same
    plan, rates, state : int64, float64, float64 arrays
    costs : float64 array (epochs,)
        Where the cost of each epoch goes.
    """
    plan, rates, state = memory(plan), memory(rates), memory(state)
    samples, weighted, some_frozen = at(plan, SAMPLES), len(sample_weight) > 0, len(free) > 0
    stride = samples if len(orders) > samples else 0
    b, w, g, m, v, free = memory(b), memory(w), memory(g), memory(m), memory(v), memory(free)
    layers, X, Y, sample_weight, orders = memory(layers), memory(X), memory(Y), memory(sample_weight), memory(orders)
    epochs, costs = len(costs), memory(costs)
    # plain descent by a batch of one block takes its gradient off the weights as it comes
    fused = at(plan, FUSED) > 0
    target, factor = (w, -at(rates, 0)) if fused else (g, 1.0)
    for epoch in range(epochs):
        x, total = at(plan, DATA), 0.0
        for start in range(epoch * stride, epoch * stride + samples, at(plan, BATCH)):
            end = min(start + at(plan, BATCH), epoch * stride + samples)
            weight = _weight_of(sample_weight, weighted, orders, start, end)
            cost, x = _batch(
                b, w, target, layers, X, Y, sample_weight, weighted, orders, start, end, x, plan, weight, factor, fused
            )
            cost *= at(rates, SHARE)
            if at(rates, L2) > 0 and weight > TINY:
                cost += _decay(w, g, layers, at(plan, LAYERS), at(rates, L2) / weight)
            if at(rates, CLIP) > 0:
                _clip(g, layers, at(plan, LAYERS), at(plan, WEIGHT_COUNT), at(rates, CLIP))
            put(state, UPDATES, at(state, UPDATES) + 1)
            if not fused:
                t = at(state, UPDATES)
                _update(at(plan, SOLVER), w, g, m, v, free, some_frozen, at(plan, WEIGHT_COUNT), rates, t)
            total += cost * (end - start)
        total /= samples
        put(costs, epoch, total)
        if not math.isfinite(total) or _has_converged(state, rates, total):
            return epoch + 1
    return epochs


@rows
def _has_converged(state, rates, cost):
    """The rule of ``training.job.Convergence``; no tolerance is a negative one."""
    if at(rates, TOL) < 0:
        return False
    put(state, WAITED, 0 if cost < at(state, BEST) - at(rates, TOL) else at(state, WAITED) + 1)
    put(state, BEST, min(at(state, BEST), cost))
    put(state, CONVERGED, 1 if at(state, WAITED) >= at(rates, PATIENCE) else 0)
    return at(state, CONVERGED) > 0


def lay_samples(b, layers, X, Y, sample_weight, order, plan):
    """Lay all samples in lanes, batch after batch, block after block."""
    plan, layers = memory(plan), memory(layers)
    weighted, x = len(sample_weight) > 0, at(plan, DATA)
    inputs, outputs = at(layers, INPUTS), at(layers, (at(plan, LAYERS) - 1) * COLUMNS + NEURONS)
    b, X, Y, sample_weight, order = memory(b), memory(X), memory(Y), memory(sample_weight), memory(order)
    row = at(layers, ROW) if at(layers, TURNED) >= 0 else 0
    for start in range(0, at(plan, SAMPLES), at(plan, BATCH)):
        end = min(start + at(plan, BATCH), at(plan, SAMPLES))
        whole = _weight_of(sample_weight, weighted, order, start, end)
        for first in range(start, end, at(plan, BLOCK)):
            size = min(at(plan, BLOCK), end - first)
            unit = min(step(b), at(plan, BLOCK))
            lanes = (size + unit - 1) // unit * unit
            _lay(b, x, X, inputs, row, Y, outputs, sample_weight, weighted, order, first, size, lanes, whole)
            x += (inputs + outputs + 1 + row) * lanes


# ---- many networks of the same sizes: a lane is a network -----------------------------------------------------------
# A block of networks goes through its epochs together: their weights are copied into rows, one row a weight, and back
# at the end. The samples are the same for all lanes. A lane that is not to train any more gets the learning rate 0.

# what is known of each network: the rows of `numbers` and of `counts`
OF_RATE, OF_MU, OF_COST, OF_WORST, OF_BEST, OF_WAITED = 0, 1, 2, 3, 4, 5
COUNT_EPOCHS, COUNT_SOLVED_AFTER, COUNT_STATUS = 0, 1, 2
IS_TRAINING, IS_SOLVED, IS_CONVERGED, IS_DIVERGED = 0, 1, 2, 3
# behind those of `numbers`: how many epochs after its beginning a block's network was first solved, and was converged
JUST_SOLVED, JUST_CONVERGED, STATE_ROWS = 6, 7, 8


@rows
def fill(b, r, value, lanes):
    """row = value"""
    for lane in range(0, lanes, step(b)):
        store(b, r + lane, constant_like(load(b, r + lane), value))


@rows
def lane_places(sizes: Any, weights: int, moments: int, lanes: int) -> Any:
    """Where a block's rows start: of weights, solver's memory, gradient, activations, deltas, targets, two to work
    with, and what is known of each network; then the length of the whole buffer."""
    neurons = 0
    for size in sizes[1:]:
        neurons += size
    m = weights * lanes
    g = m + moments * lanes
    a = g + weights * lanes
    d = a + neurons * lanes
    y = d + neurons * lanes
    spare = y + sizes[-1] * lanes
    state = spare + 2 * lanes
    return 0, m, g, a, d, y, spare, state, state + STATE_ROWS * lanes


@rows
def _first_net_inputs(b, u, w, x, neurons, lanes):
    """u = W~ + Σ W x, of layer 1: an input is the same number for all lanes."""
    inputs = len(x)
    for _ in range(neurons):
        bias = w + inputs * lanes
        if inputs % 2:
            x0 = x[0]
            for lane in range(0, lanes, step(b)):
                store(b, u + lane, load(b, bias + lane) + load(b, w + lane) * x0)
        for i in range(inputs % 2, inputs, 2):
            x0, x1, w0, w1 = x[i], x[i + 1], w + i * lanes, w + (i + 1) * lanes
            start = bias if i == 0 else u
            for lane in range(0, lanes, step(b)):
                store(b, u + lane, load(b, start + lane) + load(b, w0 + lane) * x0 + load(b, w1 + lane) * x1)
        u, w = u + lanes, bias + lanes


@rows
def _add_first_gradients(b, g, d, x, neurons, lanes):
    """∂C/∂W += δ x and ∂C/∂W~ += δ, of layer 1"""
    inputs = len(x)
    for _ in range(neurons):
        for i in range(0, inputs - 1, 2):
            x0, x1, g1 = x[i], x[i + 1], g + lanes
            for lane in range(0, lanes, step(b)):
                delta = load(b, d + lane)
                store(b, g + lane, load(b, g + lane) + delta * x0)
                store(b, g1 + lane, load(b, g1 + lane) + delta * x1)
            g += 2 * lanes
        if inputs % 2:
            x0 = x[inputs - 1]
            for lane in range(0, lanes, step(b)):
                store(b, g + lane, load(b, g + lane) + load(b, d + lane) * x0)
            g += lanes
        for lane in range(0, lanes, step(b)):
            store(b, g + lane, load(b, g + lane) + load(b, d + lane))
        g, d = g + lanes, d + lanes


@rows
def _lane_net_inputs(b, u, w, a, inputs, neurons, lanes):
    """u = W~ + Σ W a, of the other layers"""
    for _ in range(neurons):
        bias = w + inputs * lanes
        for lane in range(0, lanes, step(b)):
            total = load(b, bias + lane)
            for i in range(lane, lane + inputs * lanes, lanes):
                total = total + load(b, w + i) * load(b, a + i)
            store(b, u + lane, total)
        u, w = u + lanes, bias + lanes


@rows
def _add_lane_gradients(b, g, d, a, inputs, neurons, lanes):
    """∂C/∂W += δ a and ∂C/∂W~ += δ, of the other layers"""
    for _ in range(neurons):
        bias = g + inputs * lanes
        for lane in range(0, lanes, step(b)):
            delta = load(b, d + lane)
            for i in range(lane, lane + inputs * lanes, lanes):
                store(b, g + i, load(b, g + i) + delta * load(b, a + i))
            store(b, bias + lane, load(b, bias + lane) + delta)
        g, d = bias + lanes, d + lanes


@rows
def _lane_hidden_deltas(b, before, d, w, inputs, neurons, lanes):
    """δ_i = σ′(u_i) Σ_j δ_j W_ji of the layer before, whose rows ``before`` hold σ′(u) until then"""
    for _ in range(inputs):
        for lane in range(0, lanes, step(b)):
            total = load(b, d + lane) * load(b, w + lane)
            for j in range(1, neurons):
                total = total + load(b, d + j * lanes + lane) * load(b, w + j * (inputs + 1) * lanes + lane)
            store(b, before + lane, load(b, before + lane) * total)
        before, w = before + lanes, w + lanes


@rows
def _forward_lanes(b, w, a, d, y, spare, state, x, t, sizes, codes, cost, lanes):
    """One sample (x, t) through all networks: a of every layer, σ′ of the hidden ones, δ of the output layer; the rows
    of the cost += its cost, and of the worst error. Gives the places behind the last row of w and at the outputs'
    of a and d."""
    last, outputs = len(codes) - 1, len(t)
    _first_net_inputs(b, d, w, x, sizes[1], lanes)
    w += sizes[1] * (len(x) + 1) * lanes
    for q in range(1, last + 1):
        inputs, neurons = sizes[q], sizes[q + 1]
        activate(codes[q - 1], b, a, d, inputs * lanes)  # a layer's rows are one long row
        d += inputs * lanes
        _lane_net_inputs(b, d, w, a, inputs, neurons, lanes)
        a += inputs * lanes
        w += neurons * (inputs + 1) * lanes
    for j in range(outputs):
        fill(b, y + j * lanes, t[j], lanes)
    output(cost, codes[last], b, a, d, y, state + OF_COST * lanes, outputs, lanes, spare)
    _worst_error(b, state + OF_WORST * lanes, a, t, lanes)
    return w, a, d


@rows
def _worst_error(b, worst, a, t, lanes):
    """row worst = max(worst, |A - y|)"""
    for j in range(len(t)):
        target, row = t[j], a + j * lanes
        for lane in range(0, lanes, step(b)):
            store(b, worst + lane, larger(abs(load(b, row + lane) - target), load(b, worst + lane)))


@rows
def _backward_lanes(b, w, g, a, d, x, sizes, lanes):
    """Back through all networks, from the places that `_forward_lanes` gave: the gradient's rows += δ a."""
    for q in range(len(sizes) - 2, 0, -1):
        inputs, neurons = sizes[q], sizes[q + 1]
        weights = neurons * (inputs + 1) * lanes
        a, w, g = a - inputs * lanes, w - weights, g - weights
        _add_lane_gradients(b, g, d, a, inputs, neurons, lanes)
        _lane_hidden_deltas(b, d - inputs * lanes, d, w, inputs, neurons, lanes)
        d -= inputs * lanes
    _add_first_gradients(b, g - sizes[1] * (len(x) + 1) * lanes, d, x, sizes[1], lanes)


@rows
def _update_lanes(b, w, m, g, state, free, solver, share, betas, lanes):
    """One update of every free weight by ``share`` times the summed gradient, whose rows are 0 after it (see Solver);
    ``betas``: β₁, β₂, ε, √(1-β₂ᵗ)/(1-β₁ᵗ)"""
    rate, mu, v = state + OF_RATE * lanes, state + OF_MU * lanes, m + len(free) * lanes
    for k in range(len(free)):
        row = k * lanes
        for lane in range(0, lanes, step(b)):
            weight, gradient = load(b, w + row + lane), load(b, g + row + lane) * share
            eta = load(b, rate + lane)
            if free[k]:
                if solver == GD:
                    weight = weight - eta * gradient
                elif solver == MOMENTUM:
                    velocity = load(b, mu + lane) * load(b, m + row + lane) - eta * gradient
                    store(b, m + row + lane, velocity)
                    weight = weight + velocity
                else:
                    first = load(b, m + row + lane) * betas[0] + gradient * (1 - betas[0])
                    second = load(b, v + row + lane) * betas[1] + gradient * gradient * (1 - betas[1])
                    store(b, m + row + lane, first)
                    store(b, v + row + lane, second)
                    weight = weight - eta * betas[3] * first / (np.sqrt(second) + betas[2])
                store(b, w + row + lane, weight)
            store(b, g + row + lane, constant_like(gradient, 0))


@rows
def _judge_solved(b, state, epoch, solved_error, stop, lanes):
    """Notes the epoch in which all errors were first below ``solved_error``; where it is to stop, rate and μ are 0."""
    for lane in range(state, state + lanes, step(b)):
        rate, mu = load(b, lane + OF_RATE * lanes), load(b, lane + OF_MU * lanes)
        solved = load(b, lane + JUST_SOLVED * lanes)
        below = load(b, lane + OF_WORST * lanes) < solved_error
        store(
            b,
            lane + JUST_SOLVED * lanes,
            select(below, select(solved < 0, constant_like(solved, epoch), solved), solved),
        )
        if stop:
            store(b, lane + OF_RATE * lanes, select(below, constant_like(rate, 0), rate))
            store(b, lane + OF_MU * lanes, select(below, constant_like(mu, 0), mu))


@rows
def _judge_converged(b, state, epoch, share, tol, patience, lanes):
    """The rule of `Convergence` for each lane, after an epoch's updates."""
    for lane in range(state, state + lanes, step(b)):
        rate, mu = load(b, lane + OF_RATE * lanes), load(b, lane + OF_MU * lanes)
        cost, best = load(b, lane + OF_COST * lanes) * share, load(b, lane + OF_BEST * lanes)
        waited = load(b, lane + OF_WAITED * lanes) + 1
        waited = select(cost < best - tol, constant_like(waited, 0), waited)
        reached, now = load(b, lane + JUST_CONVERGED * lanes), constant_like(waited, epoch)
        over = waited >= patience
        store(b, lane + OF_WAITED * lanes, waited)
        store(b, lane + OF_BEST * lanes, select(cost < best, cost, best))
        store(b, lane + JUST_CONVERGED * lanes, select(over, select(reached < 0, now, reached), reached))
        store(b, lane + OF_RATE * lanes, select(over, constant_like(rate, 0), rate))
        store(b, lane + OF_MU * lanes, select(over, constant_like(mu, 0), mu))


@rows
def _take(b, r, table, networks, lanes):
    """Rows of the buffer from the columns of these networks; what lanes are left keep what they had."""
    for k in range(len(table)):
        for lane in range(len(networks)):
            put(b, r + k * lanes + lane, table[k, networks[lane]])


@rows
def _give(b, r, table, network, lane, lanes):
    """A network's column of rows of the buffer goes back."""
    for k in range(len(table)):
        table[k, network] = at(b, r + k * lanes + lane)


@rows
def _is_finite(b, w, weights, cost, lane, lanes):
    """Whether a lane's weights and cost are finite."""
    fault = at(b, cost + lane) - at(b, cost + lane)
    for k in range(weights):
        fault += at(b, w + k * lanes + lane) - at(b, w + k * lanes + lane)
    return fault == 0


@rows
def _conclude(b, w, m, state, weights, moments, numbers, counts, networks, begin, epochs, stop, lanes):
    """A block's networks go back. One that is not finite any more does not: it keeps the weights it had."""
    for lane in range(len(networks)):
        network = networks[lane]
        if not _is_finite(b, w, len(weights), state + OF_COST * lanes, lane, lanes):
            counts[COUNT_STATUS, network] = IS_DIVERGED
            continue
        _give(b, w, weights, network, lane, lanes)
        _give(b, m, moments, network, lane, lanes)
        _give(b, state, numbers, network, lane, lanes)
        solved = at(b, state + JUST_SOLVED * lanes + lane)
        converged = at(b, state + JUST_CONVERGED * lanes + lane)
        counts[COUNT_EPOCHS, network] = begin + epochs
        if solved >= 0 and counts[COUNT_SOLVED_AFTER, network] < 0:
            counts[COUNT_SOLVED_AFTER, network] = begin + int(solved)
        if stop and solved >= 0:
            counts[COUNT_STATUS, network], counts[COUNT_EPOCHS, network] = IS_SOLVED, begin + int(solved)
        elif converged >= 0:
            counts[COUNT_STATUS, network], counts[COUNT_EPOCHS, network] = IS_CONVERGED, begin + int(converged)


@rows
def _record(b, state, history, networks, share, lanes):
    """The costs of the lanes that still train."""
    for lane in range(len(networks)):
        if at(b, state + OF_RATE * lanes + lane) != 0:
            history[networks[lane]] = at(b, state + OF_COST * lanes + lane) * share


def train_lanes(  # a kernel's settings are plain numbers
    b,
    weights,
    moments,
    numbers,
    counts,
    history,
    networks,
    free,
    sizes,
    codes,
    X,
    Y,
    orders,
    cost,
    solver,
    batch,
    begin,
    epochs,
    every,
    solved_error,
    stop,
    tol,
    patience,
    betas,
    lanes,
):
    """Train some networks for ``epochs`` epochs, the first of them epoch ``begin``.

    Parameters
    ----------
    b : buffer
        Working memory of the length that `lane_places` gives last.
    weights, moments, numbers, counts, history : arrays of P columns
        A column is a network: its weights, what the solver remembers (0, 1 or 2 × weights), the rows named above, and
        its costs in every epoch that ``every`` divides (0: in none).
    networks : int64 array
        The columns to train.
    free : bool array (weights,)
    sizes, codes : int64 arrays
        Neurons by layer; each layer's activation.
    X, Y : arrays (N, inputs), (N, outputs)
    orders : int64 array (epochs or 1, N)
        The samples' order in each epoch.
    cost, solver, batch : int
    solved_error, stop : float, bool
        A network all of whose errors are below that is solved, and is to stop then, or not.
    tol, patience : float, int
        The rule of ``training.job.Convergence``; no tolerance is a negative one.
    betas : β₁, β₂, ε of Adam
    lanes : int
    """
    w, m, g, a, d, y, spare, state, _ = lane_places(sizes, len(weights), len(moments), lanes)
    b = memory(b)
    samples, batches = len(X), (len(X) + batch - 1) // batch
    for low in range(0, len(networks), lanes):
        block = networks[low : low + lanes]
        _take(b, w, weights, block, lanes)
        _take(b, m, moments, block, lanes)
        _take(b, state, numbers, block, lanes)
        fill(b, state + JUST_SOLVED * lanes, -1, lanes)
        fill(b, state + JUST_CONVERGED * lanes, -1, lanes)
        for k in range(len(weights)):
            fill(b, g + k * lanes, 0, lanes)
        for epoch in range(epochs):
            fill(b, state + OF_COST * lanes, 0, lanes)
            fill(b, state + OF_WORST * lanes, 0, lanes)
            order = orders[epoch % len(orders)]
            for first in range(0, samples, batch):
                last = min(samples, first + batch)
                for s in order[first:last]:
                    w_end, a_end, d_end = _forward_lanes(
                        b, w, a, d, y, spare, state, X[s], Y[s], sizes, codes, cost, lanes
                    )
                    _backward_lanes(b, w_end, g + w_end - w, a_end, d_end, X[s], sizes, lanes)
                if last == samples:
                    _judge_solved(b, state, epoch, solved_error, stop, lanes)
                    if every > 0 and (begin + epoch) % every == 0:
                        _record(b, state, history[(begin + epoch) // every], block, 1 / samples, lanes)
                t = (begin + epoch) * batches + first // batch + 1
                step_size = math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
                adam = betas[0], betas[1], betas[2], step_size
                _update_lanes(b, w, m, g, state, free, solver, 1 / (last - first), adam, lanes)
            if tol >= 0:
                _judge_converged(b, state, epoch + 1, 1 / samples, tol, patience, lanes)
        _conclude(b, w, m, state, weights, moments, numbers, counts, block, begin, epochs, stop, lanes)


def evaluate_lanes(b, weights, numbers, networks, sizes, codes, X, Y, cost, lanes):
    """The cost and the worst error of the networks whose columns are named."""
    w, _, _, a, d, y, spare, state, _ = lane_places(sizes, len(weights), 0, lanes)
    b = memory(b)
    for low in range(0, len(networks), lanes):
        block = networks[low : low + lanes]
        _take(b, w, weights, block, lanes)
        fill(b, state + OF_COST * lanes, 0, lanes)
        fill(b, state + OF_WORST * lanes, 0, lanes)
        for s in range(len(X)):
            _forward_lanes(b, w, a, d, y, spare, state, X[s], Y[s], sizes, codes, cost, lanes)
        for lane in range(len(block)):
            numbers[OF_COST, block[lane]] = at(b, state + OF_COST * lanes + lane) / len(X)
            numbers[OF_WORST, block[lane]] = at(b, state + OF_WORST * lanes + lane)


train_network_compiled = compiled(train_network, **KERNEL)
lay_samples_compiled = compiled(lay_samples, **KERNEL)
train_lanes_compiled = compiled(train_lanes, **KERNEL)
evaluate_lanes_compiled = compiled(evaluate_lanes, **KERNEL)
