// The notes' network, many times over, by hand: what AVX-512 intrinsics can do where nothing but the weights is wanted.
// A lane is a network; weights and gradients stay in registers for all epochs; 2-2-1, sigmoid, gd, four samples.
#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

#ifdef __AVX512F__
struct F64 {
  typedef double T;
  typedef __m512d P;
  static constexpr int64_t LANES = 8;
  INLINE P load(const T* p) { return _mm512_loadu_pd(p); }
  INLINE void store(T* p, P x) { _mm512_storeu_pd(p, x); }
  INLINE P all(T x) { return _mm512_set1_pd(x); }
  INLINE P fma(P a, P b, P c) { return _mm512_fmadd_pd(a, b, c); }
  INLINE P sigmoid(P u, P& slope) {
    P z = _mm512_min_pd(_mm512_max_pd(u, all(-708)), all(708));
    P k = _mm512_roundscale_pd(_mm512_mul_pd(z, all(-1.4426950408889634)), 8);
    P r = _mm512_fnmsub_pd(k, all(6.93147180369123816490e-01), z);
    r = _mm512_fnmadd_pd(k, all(1.90821492927058770002e-10), r);
    constexpr T C[] = {2.510038549551032e-08, 2.7620088445409746e-07, 2.7557268459997064e-06, 2.4801521295954376e-05,
                       0.00019841269863053618, 0.0013888888917213717, 0.008333333333330062, 0.04166666666662413,
                       0.16666666666666669, 0.5, 1, 1};
    P p = all(C[0]);
    for (int i = 1; i < 12; i++) p = fma(p, r, all(C[i]));
    P e = _mm512_scalef_pd(p, k), value = _mm512_div_pd(all(1), _mm512_add_pd(e, all(1)));
    slope = _mm512_mul_pd(value, _mm512_mul_pd(e, value));
    return value;
  }
};

struct F32 {
  typedef float T;
  typedef __m512 P;
  static constexpr int64_t LANES = 16;
  INLINE P load(const T* p) { return _mm512_loadu_ps(p); }
  INLINE void store(T* p, P x) { _mm512_storeu_ps(p, x); }
  INLINE P all(T x) { return _mm512_set1_ps(x); }
  INLINE P fma(P a, P b, P c) { return _mm512_fmadd_ps(a, b, c); }
  INLINE P sigmoid(P u, P& slope) {
    P z = _mm512_min_ps(_mm512_max_ps(u, all(-87)), all(87));
    P k = _mm512_roundscale_ps(_mm512_mul_ps(z, all(-1.44269504f)), 8);
    P r = _mm512_fnmsub_ps(k, all(0.69314718246f), z);
    constexpr T C[] = {0.0013926183587713494f, 0.008363179052722578f, 0.041666554617204574f, 0.16666576989698775f,
                       0.5f, 1, 1};
    P p = all(C[0]);
    for (int i = 1; i < 7; i++) p = fma(p, r, all(C[i]));
    P e = _mm512_scalef_ps(p, k), value = _mm512_div_ps(all(1), _mm512_add_ps(e, all(1)));
    slope = _mm512_mul_ps(value, _mm512_mul_ps(e, value));
    return value;
  }
};

// weights: 9 rows of `stride` networks, of which those from `first` to before `last` are trained.
template <class F>
static void train(typename F::T* weights, int64_t stride, int64_t first, int64_t last, const typename F::T* X,
                  const typename F::T* Y, typename F::T rate, int64_t epochs) {
  typedef typename F::P P;
  for (int64_t n = first; n < last; n += F::LANES) {
    P w[9], x[4][2], y[4];
    for (int k = 0; k < 9; k++) w[k] = F::load(weights + k * stride + n);
    for (int s = 0; s < 4; s++) x[s][0] = F::all(X[2 * s]), x[s][1] = F::all(X[2 * s + 1]), y[s] = F::all(Y[s]);
    P factor = F::all(-rate * 2 / 4);
    for (int64_t epoch = 0; epoch < epochs; epoch++) {
      P g[9], a[4][2], d[4][2], delta[4];
      for (int k = 0; k < 9; k++) g[k] = F::all(0);
      for (int s = 0; s < 4; s++)
        for (int j = 0; j < 2; j++)
          a[s][j] = F::sigmoid(F::fma(w[3 * j], x[s][0], F::fma(w[3 * j + 1], x[s][1], w[3 * j + 2])), d[s][j]);
      for (int s = 0; s < 4; s++) {
        P slope, value = F::sigmoid(F::fma(w[6], a[s][0], F::fma(w[7], a[s][1], w[8])), slope);
        delta[s] = (value - y[s]) * slope;
      }
      for (int s = 0; s < 4; s++) {
        for (int j = 0; j < 2; j++) {
          P h = delta[s] * w[6 + j] * d[s][j];
          g[3 * j] = F::fma(h, x[s][0], g[3 * j]), g[3 * j + 1] = F::fma(h, x[s][1], g[3 * j + 1]), g[3 * j + 2] += h;
          g[6 + j] = F::fma(delta[s], a[s][j], g[6 + j]);
        }
        g[8] += delta[s];
      }
      for (int k = 0; k < 9; k++) w[k] = F::fma(g[k], factor, w[k]);
    }
    for (int k = 0; k < 9; k++) F::store(weights + k * stride + n, w[k]);
  }
}

extern "C" void train_float64(double* w, int64_t stride, int64_t first, int64_t last, const double* X, const double* Y,
                              double rate, int64_t epochs) {
  train<F64>(w, stride, first, last, X, Y, rate, epochs);
}
extern "C" void train_float32(float* w, int64_t stride, int64_t first, int64_t last, const float* X, const float* Y,
                              double rate, int64_t epochs) {
  train<F32>(w, stride, first, last, X, Y, float(rate), epochs);
}
#endif

// One such network, its four samples in the lanes of AVX2: what is left is one chain of operations, each waiting for the
// one before. The polynomial is in the form in which fewest wait.
namespace single {
typedef __m256d P;
INLINE P all(double x) { return _mm256_set1_pd(x); }
INLINE P fma(P a, P b, P c) { return _mm256_fmadd_pd(a, b, c); }

INLINE P sigmoid(P u, P& slope) {
  P z = _mm256_min_pd(_mm256_max_pd(_mm256_sub_pd(all(0), u), all(-708)), all(708));
  P shifted = fma(z, all(1.4426950408889634), all(6755399441055744.0)), k = _mm256_sub_pd(shifted, all(6755399441055744.0));
  P r = fma(k, all(-1.90821492927058770002e-10), fma(k, all(-6.93147180369123816490e-01), z));
  P r2 = _mm256_mul_pd(r, r), r4 = _mm256_mul_pd(r2, r2);
  P p01 = fma(r, all(0.16666666666666669), all(0.5)), p23 = fma(r, all(0.008333333333330062), all(0.04166666666662413));
  P p45 = fma(r, all(0.00019841269863053618), all(0.0013888888917213717));
  P p67 = fma(r, all(2.7557268459997064e-06), all(2.4801521295954376e-05));
  P p89 = fma(r, all(2.510038549551032e-08), all(2.7620088445409746e-07));
  P p = fma(fma(r4, fma(r4, p89, fma(p67, r2, p45)), fma(p23, r2, p01)), r2, r);
  __m256i bits = _mm256_add_epi64(_mm256_slli_epi64(_mm256_castpd_si256(shifted), 52), _mm256_set1_epi64x(1023LL << 52));
  P scale = _mm256_castsi256_pd(bits), e = fma(scale, p, scale);
  P value = _mm256_div_pd(all(1), fma(scale, p, _mm256_add_pd(scale, all(1))));
  slope = _mm256_mul_pd(value, _mm256_mul_pd(e, value));
  return value;
}

INLINE P sums(P a, P b, P c) {  // (Σa, Σb, Σc, 0)
  P low = _mm256_hadd_pd(a, b), high = _mm256_hadd_pd(c, all(0));
  return _mm256_add_pd(_mm256_permute2f128_pd(low, high, 0x20), _mm256_permute2f128_pd(low, high, 0x31));
}
template <int K> INLINE P lane(P w) { return _mm256_permute4x64_pd(w, K * 0x55); }
INLINE P net_input(P w, P x_1, P x_2) { return fma(x_2, lane<1>(w), fma(x_1, lane<0>(w), lane<2>(w))); }
}  // namespace single

// weights: three rows of four numbers, the last of them 0; X: the first inputs, then the second ones.
extern "C" void train_one(double* weights, const double* X, const double* Y, double rate, int64_t epochs) {
  using namespace single;
  P w_1 = _mm256_loadu_pd(weights), w_2 = _mm256_loadu_pd(weights + 4), w_3 = _mm256_loadu_pd(weights + 8);
  P x_1 = _mm256_loadu_pd(X), x_2 = _mm256_loadu_pd(X + 4), y = _mm256_loadu_pd(Y), factor = all(-rate);
  for (int64_t epoch = 0; epoch < epochs; epoch++) {
    P slope_1, slope_2, slope;
    P h_1 = sigmoid(net_input(w_1, x_1, x_2), slope_1), h_2 = sigmoid(net_input(w_2, x_1, x_2), slope_2);
    P a = sigmoid(net_input(w_3, h_1, h_2), slope);
    P delta = _mm256_mul_pd(_mm256_mul_pd(_mm256_sub_pd(a, y), all(0.5)), slope);  // 2 (A - y) σ′ / 4 samples
    P delta_1 = _mm256_mul_pd(_mm256_mul_pd(delta, lane<0>(w_3)), slope_1);
    P delta_2 = _mm256_mul_pd(_mm256_mul_pd(delta, lane<1>(w_3)), slope_2);
    w_1 = fma(sums(_mm256_mul_pd(x_1, delta_1), _mm256_mul_pd(x_2, delta_1), delta_1), factor, w_1);
    w_2 = fma(sums(_mm256_mul_pd(x_1, delta_2), _mm256_mul_pd(x_2, delta_2), delta_2), factor, w_2);
    w_3 = fma(sums(_mm256_mul_pd(h_1, delta), _mm256_mul_pd(h_2, delta), delta), factor, w_3);
  }
  _mm256_storeu_pd(weights, w_1), _mm256_storeu_pd(weights + 4, w_2), _mm256_storeu_pd(weights + 8, w_3);
}
