"""The compiled kernels: all of them, with every formula that they call, for Numba's cache looks at one file only.

A lane is one of many numbers that go through the same arithmetic side by side: a sample of the batch where one network
is trained, a network where many are. A row is the same number (a neuron's net input, a weight) in all lanes, one
lane after the other in memory. Rows live in one flat buffer ``b``, and a row's name is the place where it starts; so a
kernel makes no array views, whose reference counts would cost more than the arithmetic of a small network. ``lanes``
is how many lanes there are; the loop over them is always the innermost, and what an activation or a cost is, its code
of the table says, is decided outside it.

Each formula is that of ``maths.activations`` or ``maths.costs``, written with polynomials that the compiler can
vectorise (it cannot vectorise a call of exp), within about 2 ulp of it. ``one`` is 1 in the lanes' own type: a plain
1.0 would turn a float32 lane to float64.

Everything here is a plain function, compiled by assignment at the end of the file, so that it runs uncompiled too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload, register_jitable

# The only fast-math flag is `contract` (a product and a sum in one rounding): sums keep their order, and NaN stays NaN,
# by which a diverged run is known. A division by zero gives inf or NaN as in NumPy, without a branch.
FORMULA: Any = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}
# Sums over lanes may be taken in any order: once compiled it is settled, so the bits stay the same.
LANE_SUM: Any = {**FORMULA, "fastmath": {"contract", "reassoc"}}
# What Python calls: no lock held, so that threads run side by side; compiled once per machine.
KERNEL: Any = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True, "cache": True}

formula = register_jitable(**FORMULA)

# The codes of the tables, as numbers here: a changed table in another file would not reach a cached kernel. A test
# holds them together.
SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, IDENTITY, SOFTMAX = 0, 1, 2, 3, 4, 5, 6, 7, 8, 10
SQUARED_ERROR, HALF_SQUARED_ERROR, BINARY_CROSS_ENTROPY, CATEGORICAL_CROSS_ENTROPY = 0, 1, 2, 3
GD, MOMENTUM, ADAM = 0, 1, 2

LEAKY_SLOPE = 0.01
SILU_ZERO, SILU_ZERO_LOW, SILU_ZERO_EXP = -1.2784645427610737, -1.0946994183093437e-16, 0.2784645427610738
SQRT_HALF, DENSITY_AT_0 = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)

# ---- exp and log ----------------------------------------------------------------------------------------------------
# e^x = 2^k e^r with k whole and |r| <= ln 2 / 2. Adding 1.5 × 2^52 rounds x / ln 2 to k and leaves k in the lowest
# bits, from where a shift takes it into the exponent. ln 2 is subtracted in two parts, the first short enough for k
# times it to be exact. e^r - 1 = r + r² p(r), p from Chebyshev interpolation: 2e-17 relative in float64, 1e-8 in float32.

LOG2_E, LN2_HIGH, LN2_LOW, LN2 = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10, math.log(2)
ROUND_64, BIAS_64 = 6755399441055744.0, 1023 << 52


@formula
def _exponential_64(x):
    x = min(max(x, -708.0), 708.0)
    shifted = x * LOG2_E + ROUND_64
    k = shifted - ROUND_64
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    p01 = 0.5 + 0.16666666666666669 * r
    p23 = 0.04166666666662413 + 0.008333333333330062 * r
    p45 = 0.0013888888917213717 + 0.00019841269863053618 * r
    p67 = 2.4801521295954376e-05 + 2.7557268459997064e-06 * r
    p89 = 2.7620088445409746e-07 + 2.510038549551032e-08 * r
    p = (p01 + p23 * r2) + r4 * ((p45 + p67 * r2) + p89 * r4)
    bits = np.int64(np.float64(shifted).view(np.int64) << 52) + BIAS_64
    return np.int64(bits).view(np.float64), r + r2 * p


F = np.float32
LOG2_E_32, LN2_HIGH_32, LN2_LOW_32 = F(LOG2_E), F(0.693359375), F(-2.12194440e-4)
ROUND_32, BIAS_32, SHIFT_32, LARGEST_32 = F(12582912.0), np.int32(127 << 23), np.int32(23), F(87.0)
P0, P1, P2, P3, P4 = F(0.5), F(0.16666576989698775), F(0.041666554617204574), F(0.008363179052722578), F(0.001392618)


@formula
def _exponential_32(x):
    x = min(max(x, -LARGEST_32), LARGEST_32)
    shifted = x * LOG2_E_32 + ROUND_32
    k = shifted - ROUND_32
    r = (x - k * LN2_HIGH_32) - k * LN2_LOW_32
    r2 = r * r
    p = (P0 + P1 * r) + r2 * ((P2 + P3 * r) + r2 * P4)
    bits = np.int32(np.int32(np.float32(shifted).view(np.int32) << SHIFT_32) + BIAS_32)
    return np.int32(bits).view(np.float32), r + r2 * p


def exponential(x):
    """(s, q) with e^x = s (1 + q) and s a power of 2, so that e^x - 1 = (s - 1) + s q keeps its digits near x = 0.

    x is taken as at most ±708 (float32: ±87), beyond which e^x is next to 0 or infinite.
    """
    return _exponential_32(x) if isinstance(x, np.float32) else _exponential_64(x)


@overload(exponential, jit_options=FORMULA, strict=False)
def _exponential(x):
    return _exponential_32 if x == types.float32 else _exponential_64


# ln(1 + e) = 2 artanh z with z = e / (2 + e); artanh z = z + z³ p(z²), p fitted on z² <= 1/9: 5e-18 and 2e-8.


@formula
def _artanh_64(z):
    z2 = z * z
    z4 = z2 * z2
    p01 = 0.3333333333333333 + 0.20000000000007292 * z2
    p23 = 0.1428571428355438 + 0.11111111358713932 * z2
    p45 = 0.09090894718066429 + 0.07692785032479312 * z2
    p67 = 0.06657072104827468 + 0.06000536404795356 * z2
    p89 = 0.04400369243072337 + 0.08082022805971766 * z2
    z8 = z4 * z4
    return z + z * z2 * ((p01 + p23 * z4) + z8 * ((p45 + p67 * z4) + z8 * p89))


Q0, Q1, Q2, Q3 = F(0.33333320168349617), F(0.20003780322455603), F(0.1411830990265524), F(0.13425749011418575)


@formula
def _artanh_32(z):
    z2 = z * z
    return z + z * z2 * ((Q0 + Q1 * z2) + z2 * z2 * (Q2 + Q3 * z2))


def artanh(z):
    """artanh z for |z| <= 1/3."""
    return _artanh_32(z) if isinstance(z, np.float32) else _artanh_64(z)


@overload(artanh, jit_options=FORMULA, strict=False)
def _artanh(z):
    return _artanh_32 if z == types.float32 else _artanh_64


@formula
def log_one_plus(e, one):
    """ln(1 + e) for 0 <= e <= 1."""
    return (one + one) * artanh(e / (one + one + e))


@formula
def _binary_64(x):
    bits = np.float64(x).view(np.int64)
    return np.float64((bits >> 52) - 1023), np.int64((bits & ((1 << 52) - 1)) | BIAS_64).view(np.float64)


@formula
def _binary_32(x):
    bits = np.float32(x).view(np.int32)
    fraction = np.int32(bits & np.int32((1 << 23) - 1))
    return np.float32((bits >> SHIFT_32) - np.int32(127)), np.int32(fraction | BIAS_32).view(np.float32)


def binary(x):
    """(k, m) with x = 2^k m and 1 <= m < 2, for x > 0."""
    return _binary_32(x) if isinstance(x, np.float32) else _binary_64(x)


@overload(binary, jit_options=FORMULA, strict=False)
def _binary(x):
    return _binary_32 if x == types.float32 else _binary_64


# ---- rows -----------------------------------------------------------------------------------------------------------


@formula
def fill(b, r, value, lanes):
    """row = value"""
    for lane in range(lanes):
        b[r + lane] = value


@formula
def multiply(b, r, s, lanes):
    """row r = row r × row s"""
    for lane in range(lanes):
        b[r + lane] *= b[s + lane]


@register_jitable(**LANE_SUM)
def dot(b, r, s, lanes):
    """Σ over the lanes of row r × row s."""
    total = b.dtype.type(0)
    for lane in range(lanes):
        total += b[r + lane] * b[s + lane]
    return total


@register_jitable(**LANE_SUM)
def lane_sum(b, r, lanes):
    """Σ over the lanes of row r."""
    total = b.dtype.type(0)
    for lane in range(lanes):
        total += b[r + lane]
    return total


# ---- activations ----------------------------------------------------------------------------------------------------


@formula
def activate(code, b, a, d, lanes):
    """a = σ(u) and d = σ′(u), where row d holds u before and σ′(u) after (softmax is of `output`)."""
    if code == SIGMOID:
        _sigmoid(b, a, d, lanes)
    elif code == TANH:
        _tanh(b, a, d, lanes)
    elif code == RELU:
        _leaky_relu(b, a, d, lanes, b.dtype.type(0))
    elif code == LEAKY_RELU:
        _leaky_relu(b, a, d, lanes, b.dtype.type(LEAKY_SLOPE))
    elif code == ELU:
        _elu(b, a, d, lanes)
    elif code == GELU:
        _gelu(b, a, d, lanes)
    elif code == SILU:
        _silu(b, a, d, lanes)
    elif code == SOFTPLUS:
        _softplus(b, a, d, lanes)
    else:  # identity
        one = b.dtype.type(1)
        for lane in range(lanes):
            b[a + lane] = b[d + lane]
            b[d + lane] = one


@formula
def _sigmoid(b, a, d, lanes):
    """σ = 1 / (1 + e^-u), σ′ = σ(u) σ(-u) with σ(-u) = e^-u σ(u)"""
    one = b.dtype.type(1)
    for lane in range(lanes):
        s, q = exponential(-b[d + lane])
        e = s + s * q
        value = one / (one + e)
        b[a + lane] = value
        b[d + lane] = value * (e * value)


@formula
def _tanh(b, a, d, lanes):
    """With e = e^-2|u|: |tanh u| = (1 - e) / (1 + e), σ′ = 4e / (1 + e)²"""
    one = b.dtype.type(1)
    zero, two = one - one, one + one
    for lane in range(lanes):
        u = b[d + lane]
        s, q = exponential(-two * abs(u))
        e = s + s * q
        share = one / (one + e)
        value = -((s - one) + s * q) * share
        b[a + lane] = -value if u < zero else value
        b[d + lane] = two * two * e * (share * share)


@formula
def _leaky_relu(b, a, d, lanes, slope):
    one = b.dtype.type(1)
    zero = one - one
    for lane in range(lanes):
        u = b[d + lane]
        b[a + lane] = u if u > zero else slope * u
        b[d + lane] = one if u > zero else slope


@formula
def _elu(b, a, d, lanes):
    one = b.dtype.type(1)
    zero = one - one
    for lane in range(lanes):
        u = b[d + lane]
        s, q = exponential(min(u, zero))
        b[a + lane] = u if u > zero else (s - one) + s * q
        b[d + lane] = s + s * q


@formula
def _gelu(b, a, d, lanes):
    """u Φ(u), and Φ(u) + u φ(u), in float64 as the reference"""
    number = b.dtype.type
    for lane in range(lanes):
        u = np.float64(b[d + lane])
        distribution = math.erfc(-u * SQRT_HALF) * 0.5
        near = min(max(u, -38.0), 38.0)
        s, q = exponential(-near * near * 0.5)
        b[a + lane] = number(u * distribution)
        b[d + lane] = number(distribution + u * (s + s * q) * DENSITY_AT_0)


@formula
def _silu(b, a, d, lanes):
    """u σ(u), and e^u (1 + u + e^u) / (1 + e^u)², whose bracket is for u < -1 written around its zero u₀ (see
    maths.activations)"""
    number = b.dtype.type
    one = number(1)
    zero, at_zero = number(SILU_ZERO), number(SILU_ZERO_EXP)
    low = number(SILU_ZERO - np.float64(zero) + SILU_ZERO_LOW)
    for lane in range(lanes):
        u = b[d + lane]
        s, q = exponential(-abs(u))
        e = s + s * q
        share = one / (one + e)
        t = (min(u, one - one) - zero) - low
        st, qt = exponential(t)
        bracket = at_zero * ((st - one) + st * qt) + t if u < -one else one + u + e
        below = bracket * e
        above = one + (one + u) * e
        b[a + lane] = u * share if u >= one - one else u * (e * share)
        b[d + lane] = (below if u < one - one else above) * (share * share)


@formula
def _softplus(b, a, d, lanes):
    """max(u, 0) + ln(1 + e^-|u|), and the sigmoid"""
    one = b.dtype.type(1)
    zero = one - one
    for lane in range(lanes):
        u = b[d + lane]
        s, q = exponential(-abs(u))
        e = s + s * q
        share = one / (one + e)
        b[a + lane] = max(u, zero) + log_one_plus(e, one)
        b[d + lane] = share if u >= zero else e * share


@formula
def _softmax(b, a, d, outputs, lanes, spare):
    """a_j = e^(u_j - max u) / Σ; of the spare rows the first then holds max u, the second ln Σ."""
    one = b.dtype.type(1)
    top, total = spare, spare + lanes
    fill(b, total, one - one, lanes)
    for lane in range(lanes):
        b[top + lane] = b[d + lane]
    for r in range(d + lanes, d + outputs * lanes, lanes):
        for lane in range(lanes):
            b[top + lane] = max(b[top + lane], b[r + lane])
    for j in range(0, outputs * lanes, lanes):
        for lane in range(lanes):
            u, m = b[d + j + lane], b[top + lane]
            shifted = u - m
            back = shifted - u
            lost = (u - (shifted - back)) - (m + back)
            s, q = exponential(shifted)
            e = (s + s * q) * (one + lost)
            b[a + j + lane] = e
            b[total + lane] += e
    for j in range(0, outputs * lanes, lanes):
        for lane in range(lanes):
            b[a + j + lane] /= b[total + lane]
    ln2 = b.dtype.type(LN2)
    for lane in range(lanes):
        x = b[total + lane]
        k, m = binary(x)
        b[total + lane] = (k * ln2 + log_one_plus(m - one, one)) + (x - x)  # NaN stays NaN


# ---- the output layer: costs and deltas -----------------------------------------------------------------------------


@formula
def output(cost, code, b, a, d, y, c, outputs, lanes, spare):
    """The output layer of ``outputs`` rows each at a, d and y: a = σ(u), row c += the lane's cost, d = δ = ∂C/∂u,
    where the rows d hold u before. ``spare`` are three rows to work with."""
    if cost == BINARY_CROSS_ENTROPY:
        for j in range(0, outputs * lanes, lanes):
            _binary_cross_entropy(b, a + j, d + j, y + j, c, lanes)
    elif cost == CATEGORICAL_CROSS_ENTROPY:
        _categorical_cross_entropy(b, a, d, y, c, outputs, lanes, spare)
    else:
        one = b.dtype.type(1)
        two = one + one
        slope = one if cost == HALF_SQUARED_ERROR else two
        if code == SOFTMAX:
            _softmax_squared_error(b, a, d, y, c, outputs, lanes, spare, slope)
        else:
            for j in range(0, outputs * lanes, lanes):
                activate(code, b, a + j, d + j, lanes)
                for lane in range(lanes):
                    error = b[a + j + lane] - b[y + j + lane]
                    b[c + lane] += slope / two * (error * error)
                    b[d + j + lane] *= slope * error


@formula
def _binary_cross_entropy(b, a, d, y, c, lanes):
    """C = -y ln σ(u) - (1 - y) ln σ(-u), δ = (1 - y) σ(u) - y σ(-u)"""
    one = b.dtype.type(1)
    zero = one - one
    for lane in range(lanes):
        u, target = b[d + lane], b[y + lane]
        s, q = exponential(-abs(u))
        e = s + s * q
        share = one / (one + e)
        rest = e * share
        value, other = (share, rest) if u >= zero else (rest, share)
        tail = log_one_plus(e, one)
        b[c + lane] += target * (max(-u, zero) + tail) + (one - target) * (max(u, zero) + tail)
        b[a + lane] = value
        b[d + lane] = (one - target) * value - target * other


@formula
def _categorical_cross_entropy(b, a, d, y, c, outputs, lanes, spare):
    """C = Σ -y_j ln a_j, δ_j = a_j Σ y - y_j"""
    _softmax(b, a, d, outputs, lanes, spare)
    top, log_total, targets = spare, spare + lanes, spare + 2 * lanes
    fill(b, targets, b.dtype.type(0), lanes)
    for r in range(y, y + outputs * lanes, lanes):
        for lane in range(lanes):
            b[targets + lane] += b[r + lane]
    for j in range(0, outputs * lanes, lanes):
        for lane in range(lanes):
            target = b[y + j + lane]
            b[c + lane] += target * (b[log_total + lane] - (b[d + j + lane] - b[top + lane]))
            b[d + j + lane] = b[a + j + lane] * b[targets + lane] - target


@formula
def _softmax_squared_error(b, a, d, y, c, outputs, lanes, spare, slope):
    """δ_j = a_j (∂C/∂a_j - Σ_k a_k ∂C/∂a_k): every output depends on every net input"""
    _softmax(b, a, d, outputs, lanes, spare)
    half = slope / (b.dtype.type(1) + b.dtype.type(1))
    shared = spare
    fill(b, shared, b.dtype.type(0), lanes)
    for j in range(0, outputs * lanes, lanes):
        for lane in range(lanes):
            error = b[a + j + lane] - b[y + j + lane]
            b[c + lane] += half * (error * error)
            b[d + j + lane] = slope * error
            b[shared + lane] += b[a + j + lane] * b[d + j + lane]
    for j in range(0, outputs * lanes, lanes):
        for lane in range(lanes):
            b[d + j + lane] = b[a + j + lane] * (b[d + j + lane] - b[shared + lane])
