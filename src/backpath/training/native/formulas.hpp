// e^x, ln x and erfc, then the activations and costs of maths/activations.py and maths/costs.py, over packs.
//
// The polynomials come from Chebyshev interpolation with 60 digits; the comments give their errors.
#pragma once
#include "codes.hpp"
#include "lanes.hpp"

constexpr double LEAKY_SLOPE = 0.01;
constexpr double SILU_ZERO = -1.2784645427610737, SILU_ZERO_LOW = -1.0946994183093437e-16;
constexpr double SILU_ZERO_EXP = 0.2784645427610738;
constexpr double SQRT_HALF = 0.7071067811865476, DENSITY_AT_0 = 0.3989422804014327;
constexpr double LN2 = 0.6931471805599453, LOG2_E = 1.4426950408889634;

// The bits of a number; adding 1.5 × 2^mantissa rounds it to a whole number, which is then in its lowest bits.
template <class T> struct Format;
template <> struct Format<double> {
  static constexpr int mantissa = 52;
  static constexpr int64_t one = int64_t(1023) << 52;
  static constexpr double round = 6755399441055744.0, magic = 4503599627370496.0, bias = 1023;
};
template <> struct Format<float> {
  static constexpr int mantissa = 23;
  static constexpr int32_t one = 127 << 23;
  static constexpr float round = 12582912.0f, magic = 8388608.0f, bias = 127;
};

// ---- e^x = 2^k e^r with k whole and |r| <= ln 2 / 2; e^r - 1 = r + r² p(r) ---------------------------------------------
// ln 2 is subtracted in two parts; the first has few enough bits that k times it is exact.

template <class P> struct Exponential { P scale, less_one; };  // 2^k and e^r - 1

template <int N> INLINE Exponential<Pack<double, N>> exponential_parts(Pack<double, N> x) {  // p to 2e-17
  x = smaller(larger(x, -708.0), 708.0);
  auto shifted = fma(x, LOG2_E, 6755399441055744.0), k = shifted - 6755399441055744.0;
  auto r = fma(k, -1.90821492927058770002e-10, fma(k, -6.93147180369123816490e-01, x)), r2 = r * r, r4 = r2 * r2;
  auto p01 = fma(r, 0.16666666666666669, 0.5), p23 = fma(r, 0.008333333333330062, 0.04166666666662413);
  auto p45 = fma(r, 0.00019841269863053618, 0.0013888888917213717);
  auto p67 = fma(r, 2.7557268459997064e-06, 2.4801521295954376e-05);
  auto p89 = fma(r, 2.510038549551032e-08, 2.7620088445409746e-07);
  auto p = fma(r4, fma(r4, p89, fma(p67, r2, p45)), fma(p23, r2, p01));
  return {number<double, N>(shift_left<52>(bits(shifted)) + Format<double>::one), fma(p, r2, r)};
}

template <int N> INLINE Exponential<Pack<float, N>> exponential_parts(Pack<float, N> x) {  // p to 1e-8
  x = smaller(larger(x, -87.0f), 87.0f);
  auto shifted = fma(x, float(LOG2_E), 12582912.0f), k = shifted - 12582912.0f;
  auto r = fma(k, 2.12194440e-4f, fma(k, -0.693359375f, x)), r2 = r * r;
  auto p = fma(r2, 0.0013926183587713494f, fma(r, 0.008363179052722578f, 0.041666554617204574f));
  p = fma(p, r2, fma(r, 0.16666576989698775f, 0.5f));
  return {number<float, N>(shift_left<23>(bits(shifted)) + Format<float>::one), fma(p, r2, r)};
}

template <class P, class T, int COUNT> INLINE P horner(P t, const T (&terms)[COUNT]) {
  P p = all<P>(terms[0]);
  for (int k = 1; k < COUNT; k++) p = fma(p, t, terms[k]);
  return p;
}

// e^x in the fewest operations, for code that has other independent operations to interleave; x is clamped to ±708
// (float32: ±87), beyond which e^x is close to 0 or infinite.
template <int N> INLINE Pack<double, N> exponential(Pack<double, N> x) {
  constexpr double terms[] = {
    2.510038549551032e-08, 2.7620088445409746e-07, 2.7557268459997064e-06, 2.4801521295954376e-05,
    0.00019841269863053618, 0.0013888888917213717, 0.008333333333330062, 0.04166666666662413, 0.16666666666666669, 0.5,
    1, 1};
  x = smaller(larger(x, -708.0), 708.0);
  auto shifted = fma(x, LOG2_E, 6755399441055744.0), k = shifted - 6755399441055744.0;
  auto r = fma(k, -1.90821492927058770002e-10, fma(k, -6.93147180369123816490e-01, x));
  return number<double, N>(bits(horner(r, terms)) + shift_left<52>(bits(shifted)));
}

template <int N> INLINE Pack<float, N> exponential(Pack<float, N> x) {
  constexpr float terms[] = {0.0013926183587713494f, 0.008363179052722578f, 0.041666554617204574f, 0.16666576989698775f,
                             0.5f, 1, 1};
  x = smaller(larger(x, -87.0f), 87.0f);
  auto shifted = fma(x, float(LOG2_E), 12582912.0f), k = shifted - 12582912.0f;
  auto r = fma(k, 2.12194440e-4f, fma(k, -0.693359375f, x));
  return number<float, N>(bits(horner(r, terms)) + shift_left<23>(bits(shifted)));
}

// e^x - 1, with full precision near x = 0
template <class P> INLINE P exponential_less_one(P x) {
  auto e = exponential_parts(x);
  return fma(e.scale, e.less_one, e.scale - 1);
}

// ---- ln x: artanh x = x + x³ p(x²) for |x| <= 1/3 ----------------------------------------------------------------------

template <int N> INLINE Pack<double, N> artanh(Pack<double, N> x) {  // p to 5e-18
  auto z = x * x, z2 = z * z, z4 = z2 * z2;
  auto p01 = fma(z, 0.20000000000007292, 0.3333333333333333), p23 = fma(z, 0.11111111358713932, 0.1428571428355438);
  auto p45 = fma(z, 0.07692785032479312, 0.09090894718066429);
  auto p67 = fma(z, 0.06000536404795356, 0.06657072104827468);
  auto p89 = fma(z, 0.08082022805971766, 0.04400369243072337);
  auto p = fma(z4, fma(z4, p89, fma(p67, z2, p45)), fma(p23, z2, p01));
  return fma(p, z * x, x);
}

template <int N> INLINE Pack<float, N> artanh(Pack<float, N> x) {  // p to 2e-8
  auto z = x * x;
  auto p = fma(fma(z, 0.13425749011418575f, 0.1411830990265524f), z * z, fma(z, 0.20003780322455603f, 0.33333320168349617f));
  return fma(p, z * x, x);
}

// ln(1 + e) = 2 artanh(e / (2 + e)) for 0 <= e <= 1
template <class P> INLINE P log_one_plus(P e) { return 2 * artanh(e / (e + 2)); }

// ln x for x > 0, below 1 with the absolute error of a number near 1; finite at 0; NaN and infinity are unchanged.
template <class T, int N> INLINE Pack<T, N> logarithm(Pack<T, N> x) {
  using F = Format<T>;
  constexpr Whole<T> fraction = (Whole<T>(1) << F::mantissa) - 1;
  auto magic = all<Pack<T, N>>(F::magic);
  auto exponent = number<T, N>(shifted_right<F::mantissa>(x) | bits(magic)) - (F::magic + F::bias);
  auto m = number<T, N>((bits(x) & fraction) | F::one);
  return fma(exponent, T(LN2), log_one_plus(m - 1)) + (x - x);
}

// ---- e^(x²) erfc(x) for x >= 0: times (1 + 2x), a polynomial in t = (x - K) / (x + K) -----------------------------------

template <int N> INLINE Pack<double, N> scaled_erfc(Pack<double, N> x) {  // K = 3.75, to 1.5e-16
  constexpr double terms[] = {
    -2.7293941332533855e-09, -1.952790162974837e-09, 3.256499083798513e-08, 1.8778501156468795e-08,
    -2.4996538037405243e-07, -5.0816911811698186e-08, 1.7438577411359181e-06, -9.79297529099823e-07,
    -1.143961526007595e-05, 2.238759272534769e-05, 5.164737123871838e-05, -0.0002901553656394713,
    0.00029371408777227685, 0.0017556261692276722, -0.00974657962081509, 0.028362277371370044,
    -0.058693398584491845, 0.09230432116435616, -0.10880393014193915, 0.08227673848999159,
    0.0035854154854663067, -0.14024059858554522, 1.2375126308378275};
  return horner((x - 3.75) / (x + 3.75), terms) / fma(x, 2.0, 1.0);
}

template <int N> INLINE Pack<float, N> scaled_erfc(Pack<float, N> x) {  // K = 2, to 7e-8
  constexpr float terms[] = {
    0.00016586757913220586f, -0.0001824780150093975f, -0.0014083577484941415f, 0.001040480801881112f,
    0.008700217212541207f, -0.00794070690627213f, -0.05421590087873781f, 0.16403527327474507f,
    -0.16603060433264322f, -0.09276303881018705f, 1.2769783815525286f};
  return horner((x - 2) / (x + 2), terms) / fma(x, 2.0f, 1.0f);
}

// ---- activations: σ(u) and σ′(u) ---------------------------------------------------------------------------------------

template <class P> struct Activated { P value, slope; };

// σ = 1 / (1 + e^-u), σ′ = σ(u) σ(-u) with σ(-u) = e^-u σ(u)
template <class P> INLINE Activated<P> sigmoid(P u) {
  P e = exponential(-u), value = 1 / (e + 1);
  return {value, value * (e * value)};
}

// The same with more operations but shorter dependency chains, for code that has nothing else to interleave.
template <class P> INLINE Activated<P> sigmoid_soon(P u) {
  auto e = exponential_parts(-u);
  P value = 1 / fma(e.scale, e.less_one, e.scale + 1);
  return {value, value * (fma(e.scale, e.less_one, e.scale) * value)};
}

// With e = e^-2|u|: |tanh u| = (1 - e) / (1 + e), σ′ = 4e / (1 + e)²
template <class P> INLINE Activated<P> tanh(P u) {
  auto parts = exponential_parts(-2 * absolute(u));
  P e = fma(parts.scale, parts.less_one, parts.scale), less_one = fma(parts.scale, parts.less_one, parts.scale - 1);
  P share = 1 / (e + 1), value = less_one * share;
  return {select(u > 0, -value, value), 4 * e * (share * share)};
}

template <class P> INLINE Activated<P> relu(P u) {
  return {larger(u, 0), select(u > 0, all<P>(1), all<P>(0))};
}

template <class P> INLINE Activated<P> leaky_relu(P u) {
  return {select(u > 0, u, u * LEAKY_SLOPE), select(u > 0, all<P>(1), all<P>(LEAKY_SLOPE))};
}

template <class P> INLINE Activated<P> elu(P u) {
  auto e = exponential_parts(smaller(u, 0));
  return {select(u > 0, u, fma(e.scale, e.less_one, e.scale - 1)), fma(e.scale, e.less_one, e.scale)};
}

// u Φ(u), and Φ(u) + u φ(u), with Φ(-|u|) = ½ erfc(|u| / √2)
template <class P> INLINE Activated<P> gelu(P u) {
  P near = smaller(absolute(u), 38.0), e = exponential(near * near * -0.5);
  P tail = e * scaled_erfc(near * SQRT_HALF) * 0.5, distribution = select(u > 0, 1 - tail, tail);
  return {u * distribution, fma(u, e * DENSITY_AT_0, distribution)};
}

// u σ(u), and e^u (1 + u + e^u) / (1 + e^u)²; for u < -1 the bracket is expanded around its zero u₀ (see
// maths/activations.py)
template <class P> INLINE Activated<P> silu(P u) {
  P e = exponential(-absolute(u)), share = 1 / (e + 1);
  P t = (smaller(u, 0) - SILU_ZERO) - SILU_ZERO_LOW;
  P bracket = select(u < -1, fma(exponential_less_one(t), SILU_ZERO_EXP, t), u + 1 + e);
  P slope = select(u < 0, bracket * e, fma(u + 1, e, 1));
  return {u * select(u < 0, e * share, share), slope * (share * share)};
}

// max(u, 0) + ln(1 + e^-|u|), and the sigmoid
template <class P> INLINE Activated<P> softplus(P u) {
  P e = exponential(-absolute(u)), share = 1 / (e + 1);
  return {larger(u, 0) + log_one_plus(e), select(u < 0, e * share, share)};
}

// e^u as the square of e^(u/2), which may overflow
template <class P> INLINE Activated<P> exp(P u) {
  P half = exponential(u * 0.5), value = half * half;
  return {value, value};
}

template <int64_t CODE, bool SOON = false, class P> INLINE Activated<P> activated(P u) {
  if constexpr (CODE == SIGMOID && SOON) return sigmoid_soon(u);
  else if constexpr (CODE == SIGMOID) return sigmoid(u);
  else if constexpr (CODE == TANH) return tanh(u);
  else if constexpr (CODE == RELU) return relu(u);
  else if constexpr (CODE == LEAKY_RELU) return leaky_relu(u);
  else if constexpr (CODE == ELU) return elu(u);
  else if constexpr (CODE == GELU) return gelu(u);
  else if constexpr (CODE == SILU) return silu(u);
  else if constexpr (CODE == SOFTPLUS) return softplus(u);
  else if constexpr (CODE == EXP) return exp(u);
  else return {u, all<P>(1)};
}

// Calls `work` with the code as a constant, so that it is compiled for each activation.
template <int64_t CODE> struct Constant { static constexpr int64_t code = CODE; };
template <class Work> INLINE void for_activation(int64_t code, Work work) {
  switch (code) {
    case SIGMOID: return work(Constant<SIGMOID>{});
    case TANH: return work(Constant<TANH>{});
    case RELU: return work(Constant<RELU>{});
    case LEAKY_RELU: return work(Constant<LEAKY_RELU>{});
    case ELU: return work(Constant<ELU>{});
    case GELU: return work(Constant<GELU>{});
    case SILU: return work(Constant<SILU>{});
    case SOFTPLUS: return work(Constant<SOFTPLUS>{});
    case EXP: return work(Constant<EXP>{});
    default: return work(Constant<IDENTITY>{});
  }
}

template <class P> INLINE Activated<P> activated(int64_t code, P u) {
  Activated<P> found;
  for_activation(code, [&](auto constant) INLINED { found = activated<constant.code>(u); });
  return found;
}

// ---- costs that depend on A - y alone: C and ∂C/∂A ----------------------------------------------------------------------

template <class P> struct Costed { P value, slope; };

template <class P> INLINE Costed<P> of_error(int64_t cost, P error) {
  if (cost == HUBER) {  // with near = min(1, |A - y|): C = near (|A - y| - near/2)
    P size = absolute(error), near = smaller(size, 1);
    return {near * fma(near, -0.5, size), larger(smaller(error, 1), -1)};
  }
  if (cost == ABSOLUTE_ERROR)
    return {absolute(error), select(error > 0, all<P>(1), select(error < 0, all<P>(-1), all<P>(0)))};
  double slope = cost == SQUARED_ERROR ? 2 : 1;
  return {error * error * (slope * 0.5), error * slope};
}
