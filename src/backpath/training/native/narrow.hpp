// One narrow network: a batch of four samples, squared errors and few weights, where calls and loops over whole steps
// would cost more than the arithmetic.
//
// The samples are in the lanes: rows of inputs, then of targets, then a row with each sample's share in the average.
#pragma once
#include "formulas.hpp"

// Where a gradient goes: it is stored times a factor, or added times a factor.
template <class T> struct Target { T* to; T factor; bool more; };

template <class T, class P> INLINE void put(const Target<T>& g, int64_t k, P gradient) {
  store(g.to + k, g.more ? fma(gradient, g.factor, load<P>(g.to + k)) : gradient * g.factor);
}

// g_ji = factor Σ_lanes δ_j a_i, bias last
template <class T> INLINE void narrow_gradient(const T* a, const T* delta, const Layer& layer, const Target<T>& g) {
  using P = Four<T>;
  int64_t k = layer.weights;
  for (int64_t j = 0; j < layer.neurons; j++, k += layer.row) {
    P d = load<P>(delta + 4 * j), none = all<P>(0);
    for (int64_t i = 0; i < layer.inputs + 1; i += 4) {
      int64_t left = layer.inputs - i;
      const T* p = a + 4 * i;
      P s0 = left > 0 ? load<P>(p) * d : d, s1 = left > 1 ? load<P>(p + 4) * d : left == 1 ? d : none;
      P s2 = left > 2 ? load<P>(p + 8) * d : left == 2 ? d : none, s3 = left > 3 ? load<P>(p + 12) * d : left == 3 ? d : none;
      put(g, k + i, sums(s0, s1, s2, s3));
    }
  }
}

// The cost of the four samples at x; writes their gradient to g.
template <class T> double narrow(const Training<T>& t, const T* w, const T* x, const Target<T>& g) {
  using P = Four<T>;
  const Layer *layers = t.layers, &last = layers[t.plan->layers - 1];
  int64_t count = t.plan->layers;
  T* b = t.memory;
  const T *y = x + 4 * layers[0].inputs, *a = x;
  T slope_of_cost = t.plan->cost == SQUARED_ERROR ? 2 : 1;
  P share = load<P>(y + 4 * last.neurons), total = all<P>(0);
  for (int64_t q = 0; q < count; q++) {
    const Layer& layer = layers[q];
    T *values = b + layer.values, *deltas = b + layer.deltas;
    for_activation(layer.activation, [&](auto constant) INLINED {
      const T* weights = w + layer.weights;
      for (int64_t j = 0; j < layer.neurons; j++, weights += layer.row) {
        P u = all<P>(weights[layer.inputs]);
        for (int64_t i = 0; i < layer.inputs; i++) u = fma(load<P>(a + 4 * i), weights[i], u);
        auto [value, slope] = activated<constant.code, true>(u);
        if (q < count - 1) store(values + 4 * j, value), store(deltas + 4 * j, slope);
        else {
          P error = value - load<P>(y + 4 * j);
          total = fma(error, error, total);
          store(deltas + 4 * j, error * (share * slope_of_cost) * slope);
        }
      }
    });
    a = values;
  }
  for (int64_t q = count - 1; q > 0; q--) {  // δ_i = σ′(u_i) Σ_j W_ji δ_j
    const Layer& layer = layers[q];
    T *before = b + layers[q - 1].deltas, *deltas = b + layer.deltas;
    for (int64_t i = 0; i < layer.inputs; i++) {
      P s = all<P>(0);
      const T* weight = w + layer.weights + i;
      for (int64_t j = 0; j < layer.neurons; j++, weight += layer.row) s = fma(load<P>(deltas + 4 * j), *weight, s);
      store(before + 4 * i, s * load<P>(before + 4 * i));
    }
  }
  a = x;
  for (int64_t q = 0; q < count; q++) {
    narrow_gradient(a, b + layers[q].deltas, layers[q], g);
    a = b + layers[q].values;
  }
  return sum(total * share) * (slope_of_cost * T(0.5));
}

// The same, bit for bit, written out for the notes' 2-2-1 network with one activation.
template <class T, int64_t CODE>
double narrow_2_2_1(const Training<T>& t, const T* w, const T* x, const Target<T>& g) {
  using P = Four<T>;
  T slope_of_cost = t.plan->cost == SQUARED_ERROR ? 2 : 1;
  P x_1 = load<P>(x), x_2 = load<P>(x + 4), y = load<P>(x + 8), share = load<P>(x + 12);
  auto [h_1, slope_1] = activated<CODE, true>(fma(x_2, w[1], fma(x_1, w[0], all<P>(w[2]))));
  auto [h_2, slope_2] = activated<CODE, true>(fma(x_2, w[5], fma(x_1, w[4], all<P>(w[6]))));
  auto [a, slope] = activated<CODE, true>(fma(h_2, w[9], fma(h_1, w[8], all<P>(w[10]))));
  P error = a - y, none = all<P>(0), delta = error * (share * slope_of_cost) * slope;
  P delta_1 = fma(delta, w[8], none) * slope_1, delta_2 = fma(delta, w[9], none) * slope_2;
  put(g, 0, sums(x_1 * delta_1, x_2 * delta_1, delta_1, none));
  put(g, 4, sums(x_1 * delta_2, x_2 * delta_2, delta_2, none));
  put(g, 8, sums(h_1 * delta, h_2 * delta, delta, none));
  return sum(error * error * share) * (slope_of_cost * T(0.5));
}

// The kernel that suits the network.
template <class T> using Narrow = double (*)(const Training<T>&, const T* w, const T* x, const Target<T>& g);

template <class T> Narrow<T> narrow_for(const Training<T>& t) {
  const Layer &first = t.layers[0], &last = t.layers[t.plan->layers - 1];
  bool notes = t.plan->layers == 2 && first.inputs == 2 && first.neurons == 2 && last.neurons == 1;
  if (notes && first.activation == SIGMOID && last.activation == SIGMOID) return narrow_2_2_1<T, SIGMOID>;
  if (notes && first.activation == TANH && last.activation == TANH) return narrow_2_2_1<T, TANH>;
  return narrow<T>;
}
