// The output layer: a = σ(u), the cost of each lane, and δ = ∂C/∂u.
//
// A row has `lanes` numbers, a whole number of steps. The rows d hold u before and δ after; row c gets the lanes' costs.
#pragma once
#include "formulas.hpp"

template <class T> struct Output {
  int64_t cost, activation, outputs, lanes;
  T *a, *d;
  const T* y;
  T *c, *spare;  // spare: two scratch rows
};

// a = σ(u) and d = σ′(u), where d holds u before (softmax: see `output`).
template <class T> INLINE void activate(int64_t code, T* a, T* d, int64_t lanes) {
  for_activation(code, [&](auto constant) INLINED {
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto [value, slope] = activated<constant.code>(load<Step<T>>(d + k));
      store(a + k, value), store(d + k, slope);
    }
  });
}

// c += C, δ = ∂C/∂A σ′(u)
template <class T> INLINE void errors(const Output<T>& o, int64_t j) {
  using P = Step<T>;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    auto [value, slope] = of_error(o.cost, load<P>(o.a + j + k) - load<P>(o.y + j + k));
    store(o.c + k, load<P>(o.c + k) + value);
    store(o.d + j + k, slope * load<P>(o.d + j + k));
  }
}

// C = y (ln y - u) - y + A, δ = A - y
template <class T> INLINE void poisson(const Output<T>& o, int64_t j) {
  using P = Step<T>;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    P u = load<P>(o.d + j + k), target = load<P>(o.y + j + k), value = exp(u).value;
    store(o.c + k, load<P>(o.c + k) + fma(target, logarithm(target) - u, value - target));
    store(o.a + j + k, value);
    store(o.d + j + k, value - target);
  }
}

// C = -y ln σ(u) - (1 - y) ln σ(-u), δ = (1 - y) σ(u) - y σ(-u)
template <class T> INLINE void binary_cross_entropy(const Output<T>& o, int64_t j) {
  using P = Step<T>;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    P u = load<P>(o.d + j + k), target = load<P>(o.y + j + k);
    P e = exponential(-absolute(u)), share = 1 / (e + 1), tail = log_one_plus(e);
    P value = select(u < 0, e * share, share), other = select(u < 0, share, e * share);
    P cost = fma(target, larger(-u, 0) + tail, (1 - target) * (larger(u, 0) + tail));
    store(o.c + k, load<P>(o.c + k) + cost);
    store(o.a + j + k, value);
    store(o.d + j + k, fma(1 - target, value, -(target * other)));
  }
}

// a_j = e^(u_j - max u) / Σ; afterwards the first spare row holds max u, the second ln Σ.
template <class T> INLINE void softmax(const Output<T>& o) {
  using P = Step<T>;
  int64_t size = o.outputs * o.lanes;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    P top = load<P>(o.d + k), total = all<P>(0);
    for (int64_t j = o.lanes; j < size; j += o.lanes) top = larger(top, load<P>(o.d + j + k));
    for (int64_t j = 0; j < size; j += o.lanes) {
      P u = load<P>(o.d + j + k), shifted = u - top, back = shifted - u;
      P lost = (u - (shifted - back)) - (top + back);  // the rounding error, which matters in the tails
      P e = exponential(shifted) * (lost + 1);
      store(o.a + j + k, e);
      total = total + e;
    }
    P share = 1 / total;
    for (int64_t j = 0; j < size; j += o.lanes) store(o.a + j + k, load<P>(o.a + j + k) * share);
    store(o.spare + k, top), store(o.spare + o.lanes + k, logarithm(total));
  }
}

// C = Σ -y_j ln a_j with ln a_j = u_j - max u - ln Σ, δ_j = a_j Σ y - y_j
template <class T> INLINE void categorical_cross_entropy(const Output<T>& o) {
  using P = Step<T>;
  int64_t size = o.outputs * o.lanes;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    P top = load<P>(o.spare + k), log_total = load<P>(o.spare + o.lanes + k);
    P targets = all<P>(0), cost = load<P>(o.c + k);
    for (int64_t j = 0; j < size; j += o.lanes) targets = targets + load<P>(o.y + j + k);
    for (int64_t j = 0; j < size; j += o.lanes) {
      P target = load<P>(o.y + j + k);
      cost = fma(target, log_total - (load<P>(o.d + j + k) - top), cost);
      store(o.d + j + k, fma(load<P>(o.a + j + k), targets, -target));
    }
    store(o.c + k, cost);
  }
}

// δ_j = a_j (∂C/∂a_j - Σ_k a_k ∂C/∂a_k): every output depends on every net input
template <class T> INLINE void softmax_errors(const Output<T>& o) {
  using P = Step<T>;
  int64_t size = o.outputs * o.lanes;
  for (int64_t k = 0; k < o.lanes; k += STEP<T>) {
    P total = load<P>(o.c + k), shared = all<P>(0);
    for (int64_t j = 0; j < size; j += o.lanes) {
      P a = load<P>(o.a + j + k);
      auto [value, slope] = of_error(o.cost, a - load<P>(o.y + j + k));
      total = total + value;
      shared = fma(a, slope, shared);
    }
    for (int64_t j = 0; j < size; j += o.lanes) {
      P a = load<P>(o.a + j + k), slope = of_error(o.cost, a - load<P>(o.y + j + k)).slope;
      store(o.d + j + k, a * (slope - shared));
    }
    store(o.c + k, total);
  }
}

template <class T> void output(const Output<T>& o) {
  bool together = o.activation == SOFTMAX;
  if (together) softmax(o);
  if (o.cost == CATEGORICAL_CROSS_ENTROPY) return categorical_cross_entropy(o);
  if (together && o.cost != BINARY_CROSS_ENTROPY) return softmax_errors(o);
  for (int64_t j = 0; j < o.outputs * o.lanes; j += o.lanes) {
    if (o.cost == BINARY_CROSS_ENTROPY) binary_cross_entropy(o, j);
    else if (o.cost == POISSON) poisson(o, j);
    else activate(o.activation, o.a + j, o.d + j, o.lanes), errors(o, j);
  }
}
