// Packs: numbers that go through the same operations side by side, one in each lane.
//
// A pack fills whole registers; one wider than a register is two packs of half the width. So every processor works on the
// same 64 bytes: one register of AVX-512, two of AVX2, four of SSE, NEON or WebAssembly. Every operation rounds as
// IEEE 754 prescribes, and sums over the lanes have a fixed order, so the bits do not depend on the processor or the
// compiler. The one exception is a processor without fused multiply-add (x86-64-v2, plain WebAssembly), where `fma`
// rounds twice.
#pragma once
#include <stdint.h>
#if defined(__x86_64__) && !defined(__clang__)
#include <immintrin.h>
#endif

#define INLINED __attribute__((always_inline))
#define INLINE inline INLINED

// A fully unrolled loop, so that the numbers of a tile stay in registers.
#if defined(__clang__)
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 32")
#endif

#if defined(__AVX512F__)
constexpr int REGISTER_BYTES = 64;
#elif defined(__AVX__)
constexpr int REGISTER_BYTES = 32;
#else
constexpr int REGISTER_BYTES = 16;
#endif

#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
constexpr bool FUSED_PRODUCTS = true;
#else
constexpr bool FUSED_PRODUCTS = false;
#endif

constexpr int STEP_BYTES = 64;

template <class T, int N, bool SPLIT = (N * sizeof(T) > REGISTER_BYTES)> struct Pack;

template <class T, int N> struct Pack<T, N, false> {
  static constexpr bool split = false;
  typedef T Number;
  typedef T Vector __attribute__((vector_size(N * sizeof(T))));
  typedef T Unaligned __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
  Vector v;
};

template <class T, int N> struct Pack<T, N, true> {
  static constexpr bool split = true;
  typedef T Number;
  Pack<T, N / 2> low, high;
};

template <class T> struct As { typedef T type; };  // keeps T from being deduced
template <class T> struct WholeOf;                 // the integer type as wide as T
template <> struct WholeOf<double> { typedef int64_t type; };
template <> struct WholeOf<float> { typedef int32_t type; };
template <class T> using Whole = typename WholeOf<T>::type;

template <class T> constexpr int STEP = STEP_BYTES / sizeof(T);  // lanes of a whole step
template <class T> using Step = Pack<T, STEP<T>>;
template <class T> using Four = Pack<T, 4>;

// ---- memory ----------------------------------------------------------------------------------------------------------

template <class P, class T> INLINE P load(const T* p) {
  if constexpr (P::split) return {load<decltype(P::low)>(p), load<decltype(P::high)>(p + sizeof(P) / sizeof(T) / 2)};
  else return {*(const typename P::Unaligned*)p};
}

template <class T, int N> INLINE void store(T* p, Pack<T, N> x) {
  if constexpr (x.split) store(p, x.low), store(p + N / 2, x.high);
  else *(typename Pack<T, N>::Unaligned*)p = x.v;
}

// The same number in every lane.
template <class P> INLINE P all(typename P::Number x) {
  if constexpr (P::split) { auto half = all<decltype(P::low)>(x); return {half, half}; }
  else return {x - typename P::Vector{}};
}

// ---- arithmetic ------------------------------------------------------------------------------------------------------

#define LANEWISE(OP)                                                                                                   \
  template <class T, int N> INLINE Pack<T, N> operator OP(Pack<T, N> a, Pack<T, N> b) {                                \
    if constexpr (a.split) return {a.low OP b.low, a.high OP b.high};                                                  \
    else return {a.v OP b.v};                                                                                          \
  }                                                                                                                    \
  template <class T, int N> INLINE Pack<T, N> operator OP(Pack<T, N> a, typename As<T>::type b) {                      \
    return a OP all<Pack<T, N>>(b);                                                                                    \
  }                                                                                                                    \
  template <class T, int N> INLINE Pack<T, N> operator OP(typename As<T>::type a, Pack<T, N> b) {                      \
    return all<Pack<T, N>>(a) OP b;                                                                                    \
  }
LANEWISE(+)
LANEWISE(-)
LANEWISE(*)
LANEWISE(/)
LANEWISE(&)
LANEWISE(|)
#undef LANEWISE

template <class T, int N> INLINE Pack<T, N> operator-(Pack<T, N> x) {
  if constexpr (x.split) return {-x.low, -x.high};
  else return {-x.v};
}

// a b + c with one rounding.
INLINE double fma(double a, double b, double c) { return FUSED_PRODUCTS ? __builtin_fma(a, b, c) : a * b + c; }
INLINE float fma(float a, float b, float c) { return FUSED_PRODUCTS ? __builtin_fmaf(a, b, c) : a * b + c; }

INLINE double root(double x) { return __builtin_sqrt(x); }
INLINE float root(float x) { return __builtin_sqrtf(x); }

// The same for one register, and square roots. GCC has no generic builtin for vectors.
#if defined(__clang__)
template <class V> INLINE V fused(V a, V b, V c) { return __builtin_elementwise_fma(a, b, c); }
template <class V> INLINE V roots(V x) { return __builtin_elementwise_sqrt(x); }
#else
template <class V> INLINE V fused(V a, V b, V c) {
  constexpr bool wide = sizeof(a[0]) == 8;
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && wide) return (V)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
  else if constexpr (sizeof(V) == 64) return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
  else
#endif
#if defined(__FMA__)
  if constexpr (sizeof(V) == 32 && wide) return (V)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
  else if constexpr (sizeof(V) == 32) return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
  else if constexpr (sizeof(V) == 16 && wide) return (V)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
  else if constexpr (sizeof(V) == 16) return (V)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
  else
#endif
  { V r; for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); i++) r[i] = fma(a[i], b[i], c[i]); return r; }
}
template <class V> INLINE V roots(V x) {
  V r;
  for (unsigned i = 0; i < sizeof(V) / sizeof(x[0]); i++) r[i] = root(x[i]);
  return r;
}
#endif

template <class T, int N> INLINE Pack<T, N> fma(Pack<T, N> a, Pack<T, N> b, Pack<T, N> c) {
  if constexpr (a.split) return {fma(a.low, b.low, c.low), fma(a.high, b.high, c.high)};
  else if constexpr (!FUSED_PRODUCTS) return {a.v * b.v + c.v};
  else return {fused(a.v, b.v, c.v)};
}
template <class T, int N> INLINE Pack<T, N> fma(Pack<T, N> a, Pack<T, N> b, typename As<T>::type c) {
  return fma(a, b, all<Pack<T, N>>(c));
}
template <class T, int N> INLINE Pack<T, N> fma(Pack<T, N> a, typename As<T>::type b, Pack<T, N> c) {
  return fma(a, all<Pack<T, N>>(b), c);
}
template <class T, int N> INLINE Pack<T, N> fma(Pack<T, N> a, typename As<T>::type b, typename As<T>::type c) {
  return fma(a, all<Pack<T, N>>(b), all<Pack<T, N>>(c));
}

template <class T, int N> INLINE Pack<T, N> root(Pack<T, N> x) {
  if constexpr (x.split) return {root(x.low), root(x.high)};
  else return {roots(x.v)};
}

// ---- comparisons: a mask has -1 in the lanes where they hold, else 0; all are false for NaN ----------------------------

template <class T, int N> INLINE Pack<Whole<T>, N> operator<(Pack<T, N> a, Pack<T, N> b) {
  if constexpr (a.split) return {a.low < b.low, a.high < b.high};
  else return {(typename Pack<Whole<T>, N>::Vector)(a.v < b.v)};
}
template <class T, int N> INLINE Pack<Whole<T>, N> operator<(Pack<T, N> a, typename As<T>::type b) {
  return a < all<Pack<T, N>>(b);
}
template <class T, int N> INLINE Pack<Whole<T>, N> operator>=(Pack<T, N> a, typename As<T>::type b) {
  if constexpr (a.split) return {a.low >= b, a.high >= b};
  else return {(typename Pack<Whole<T>, N>::Vector)(a.v >= b)};
}
template <class T, int N> INLINE Pack<Whole<T>, N> operator>(Pack<T, N> a, Pack<T, N> b) { return b < a; }
template <class T, int N> INLINE Pack<Whole<T>, N> operator>(Pack<T, N> a, typename As<T>::type b) {
  return all<Pack<T, N>>(b) < a;
}

template <class T, int N> INLINE Pack<T, N> select(Pack<Whole<T>, N> mask, Pack<T, N> yes, Pack<T, N> no) {
  if constexpr (mask.split) return {select(mask.low, yes.low, no.low), select(mask.high, yes.high, no.high)};
  else return {mask.v ? yes.v : no.v};
}

// The smaller and the larger number; NaN if x is NaN. One instruction, unlike `select`.
template <class T, int N> INLINE Pack<T, N> smaller(Pack<T, N> x, Pack<T, N> y) {
  if constexpr (x.split) return {smaller(x.low, y.low), smaller(x.high, y.high)};
  else return {y.v < x.v ? y.v : x.v};
}
template <class T, int N> INLINE Pack<T, N> larger(Pack<T, N> x, Pack<T, N> y) {
  if constexpr (x.split) return {larger(x.low, y.low), larger(x.high, y.high)};
  else return {y.v > x.v ? y.v : x.v};
}
template <class T, int N> INLINE Pack<T, N> smaller(Pack<T, N> x, typename As<T>::type y) {
  return smaller(x, all<Pack<T, N>>(y));
}
template <class T, int N> INLINE Pack<T, N> larger(Pack<T, N> x, typename As<T>::type y) {
  return larger(x, all<Pack<T, N>>(y));
}

// ---- bits --------------------------------------------------------------------------------------------------------------

template <class T, int N> INLINE Pack<Whole<T>, N> bits(Pack<T, N> x) {
  if constexpr (x.split) return {bits(x.low), bits(x.high)};
  else return {(typename Pack<Whole<T>, N>::Vector)x.v};
}
template <class T, int N> INLINE Pack<T, N> number(Pack<Whole<T>, N> x) {
  if constexpr (x.split) return {number<T, N / 2>(x.low), number<T, N / 2>(x.high)};
  else return {(typename Pack<T, N>::Vector)x.v};
}
template <int COUNT, class I, int N> INLINE Pack<I, N> shift_left(Pack<I, N> x) {
  if constexpr (x.split) return {shift_left<COUNT>(x.low), shift_left<COUNT>(x.high)};
  else return {x.v << COUNT};
}
template <int COUNT, class T, int N> INLINE Pack<Whole<T>, N> shifted_right(Pack<T, N> x) {  // zeros come in
  if constexpr (x.split) return {shifted_right<COUNT>(x.low), shifted_right<COUNT>(x.high)};
  else if constexpr (sizeof(T) == 8)
    return {(typename Pack<int64_t, N>::Vector)((typename Pack<uint64_t, N>::Vector)x.v >> COUNT)};
  else return {(typename Pack<int32_t, N>::Vector)((typename Pack<uint32_t, N>::Vector)x.v >> COUNT)};
}
template <class T, int N> INLINE Pack<T, N> absolute(Pack<T, N> x) {
  constexpr Whole<T> sign = Whole<T>(1) << (8 * sizeof(T) - 1);
  return number<T, N>(bits(x) & ~sign);
}

// ---- between lanes -----------------------------------------------------------------------------------------------------

template <class T, int N> INLINE Pack<T, N / 2> low_half(Pack<T, N> x) {
  if constexpr (x.split) return x.low;
  else if constexpr (N == 8) return {__builtin_shufflevector(x.v, x.v, 0, 1, 2, 3)};
  else return {__builtin_shufflevector(x.v, x.v, 0, 1, 2, 3, 4, 5, 6, 7)};
}
template <class T, int N> INLINE Pack<T, N / 2> high_half(Pack<T, N> x) {
  if constexpr (x.split) return x.high;
  else if constexpr (N == 8) return {__builtin_shufflevector(x.v, x.v, 4, 5, 6, 7)};
  else return {__builtin_shufflevector(x.v, x.v, 8, 9, 10, 11, 12, 13, 14, 15)};
}

template <class T, int N> INLINE Pack<T, 2 * N> both(Pack<T, N> low, Pack<T, N> high) {
  if constexpr (Pack<T, 2 * N>::split) return {low, high};
  else if constexpr (N == 4) return {__builtin_shufflevector(low.v, high.v, 0, 1, 2, 3, 4, 5, 6, 7)};
  else return {__builtin_shufflevector(low.v, high.v, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)};
}

// COUNT packs as one: each operation runs on all of them before the next, so that more instructions are in flight.
template <int COUNT, class T, int N> INLINE Pack<T, COUNT * N> joined(const Pack<T, N>* packs) {
  if constexpr (COUNT == 1) return *packs;
  else return both(joined<COUNT / 2>(packs), joined<COUNT / 2>(packs + COUNT / 2));
}
template <class T, int N, int M> INLINE void taken_apart(Pack<T, M> x, Pack<T, N>* to) {
  if constexpr (M == N) *to = x;
  else taken_apart(low_half(x), to), taken_apart(high_half(x), to + M / N / 2);
}

// (a0, b0, a2, b2) and (a1, b1, a3, b3)
template <class T, int N> INLINE Pack<T, N> evens(Pack<T, N> a, Pack<T, N> b) {
  if constexpr (a.split) return {evens(a.low, b.low), evens(a.high, b.high)};
  else if constexpr (N == 2) return {__builtin_shufflevector(a.v, b.v, 0, 2)};
  else return {__builtin_shufflevector(a.v, b.v, 0, 4, 2, 6)};
}
template <class T, int N> INLINE Pack<T, N> odds(Pack<T, N> a, Pack<T, N> b) {
  if constexpr (a.split) return {odds(a.low, b.low), odds(a.high, b.high)};
  else if constexpr (N == 2) return {__builtin_shufflevector(a.v, b.v, 1, 3)};
  else return {__builtin_shufflevector(a.v, b.v, 1, 5, 3, 7)};
}
// (a0, a1, b0, b1) and (a2, a3, b2, b3)
template <class T> INLINE Four<T> lows(Four<T> a, Four<T> b) {
  if constexpr (a.split) return {a.low, b.low};
  else return {__builtin_shufflevector(a.v, b.v, 0, 1, 4, 5)};
}
template <class T> INLINE Four<T> highs(Four<T> a, Four<T> b) {
  if constexpr (a.split) return {a.high, b.high};
  else return {__builtin_shufflevector(a.v, b.v, 2, 3, 6, 7)};
}

template <class T, int N> INLINE T lane(Pack<T, N> x, int i) {
  if constexpr (x.split) return i < N / 2 ? lane(x.low, i) : lane(x.high, i - N / 2);
  else return x.v[i];
}

// Σ over the lanes: halves are added until four are left, then (x0 + x1) + (x2 + x3).
template <class T, int N> INLINE T sum(Pack<T, N> x) {
  if constexpr (N > 4) return sum(low_half(x) + high_half(x));
  else return (lane(x, 0) + lane(x, 1)) + (lane(x, 2) + lane(x, 3));
}

// The sums of four packs, each in the order of `sum`.
template <class T, int N> INLINE Four<T> sums(Pack<T, N> a, Pack<T, N> b, Pack<T, N> c, Pack<T, N> d) {
  if constexpr (N > 4)
    return sums(low_half(a) + high_half(a), low_half(b) + high_half(b), low_half(c) + high_half(c), low_half(d) + high_half(d));
  else {
    Four<T> ab = evens(a, b) + odds(a, b), cd = evens(c, d) + odds(c, d);
    return lows(ab, cd) + highs(ab, cd);
  }
}

// Transposes four rows of four numbers, `by` apart.
template <class T> INLINE void transpose_four(const T* row_1, const T* row_2, const T* row_3, const T* row_4, T* target, int64_t by) {
  auto a = load<Four<T>>(row_1), b = load<Four<T>>(row_2), c = load<Four<T>>(row_3), d = load<Four<T>>(row_4);
  auto ab = evens(a, b), ba = odds(a, b), cd = evens(c, d), dc = odds(c, d);
  store(target, lows(ab, cd)), store(target + by, lows(ba, dc));
  store(target + 2 * by, highs(ab, cd)), store(target + 3 * by, highs(ba, dc));
}
