// One network over whole steps of samples in the lanes: the net inputs, activations, δ and gradients of every layer.
#pragma once
#include "narrow.hpp"
#include "output.hpp"

// A sum of products goes to its place; there times what is there; or times a factor, to a gradient.
enum class Finish { PUT, TIMES, GRADIENT };

template <Finish HOW, class T, class P> INLINE void finish(const Target<T>& t, int64_t k, P s) {
  if constexpr (HOW == Finish::GRADIENT) put(t, k, s);
  else store(t.to + k, HOW == Finish::TIMES ? s * load<P>(t.to + k) : s);
}

// Σ_i w[r by_row + i by_term] × source_i for `count` rows r; the rows of the source are `stride` apart.
template <class T> struct Product {
  const T* w;
  int64_t count, by_row, by_term;
  const T* source;
  int64_t terms, stride, lanes;
  const T* bias;  // null: none
  int64_t by_target;
};

// A tile of ROWS sums by STEPS steps, so that each number loaded serves several sums.
template <Finish HOW, int ROWS, int STEPS, class T> INLINE void tile(const Product<T>& p, int64_t r, int64_t k, const Target<T>& t) {
  using P = Step<T>;
  P s[ROWS][STEPS];
  for (int m = 0; m < ROWS; m++)
    for (int n = 0; n < STEPS; n++) s[m][n] = all<P>(p.bias ? p.bias[(r + m) * p.by_row] : 0);
  const T *w = p.w + r * p.by_row, *source = p.source + k;
  for (int64_t i = 0; i < p.terms; i++, w += p.by_term, source += p.stride)
    for (int n = 0; n < STEPS; n++) {
      P x = load<P>(source + n * STEP<T>);
      for (int m = 0; m < ROWS; m++) s[m][n] = fma(x, w[m * p.by_row], s[m][n]);
    }
  for (int m = 0; m < ROWS; m++)
    for (int n = 0; n < STEPS; n++) finish<HOW>(t, (r + m) * p.by_target + k + n * STEP<T>, s[m][n]);
}

template <Finish HOW, class T> void product(const Product<T>& p, const Target<T>& t) {
  int64_t whole = p.count - p.count % 4, pairs = p.lanes - p.lanes % (2 * STEP<T>);
  for (int64_t k = 0; k < pairs; k += 2 * STEP<T>)
    for (int64_t r = 0; r < whole; r += 4) tile<HOW, 4, 2>(p, r, k, t);
  for (int64_t k = pairs; k < p.lanes; k += STEP<T>)
    for (int64_t r = 0; r < whole; r += 4) tile<HOW, 4, 1>(p, r, k, t);
  for (int64_t k = 0; k < p.lanes; k += STEP<T>)
    for (int64_t r = whole; r < p.count; r++) tile<HOW, 1, 1>(p, r, k, t);
}

// [a_1 a_2 … 1] of each sample in a row, from rows of one input each.
template <class T> void transpose_inputs(const T* a, int64_t inputs, int64_t row, T* transposed, int64_t lanes) {
  int64_t whole = inputs - inputs % 4;
  for (int64_t i = 0; i < whole; i += 4)
    for (int64_t k = 0; k < lanes; k += 4) transpose_four(a + i * lanes + k, lanes, transposed + k * row + i, row);
  for (int64_t k = 0; k < lanes; k++) {
    for (int64_t i = whole; i < inputs; i++) transposed[k * row + i] = a[i * lanes + k];
    transposed[k * row + inputs] = 1;
  }
}

// g_ji = factor Σ_lanes δ_j a_i with the inputs of a neuron in the lanes: no sums over lanes.
template <class T> void transposed_gradient(const Layer& layer, const T* transposed, const T* delta, int64_t lanes, const Target<T>& g) {
  bool aside = layer.inputs % STEP<T> == 0;  // the bias would take a step of its own
  Target<T> t{g.to + layer.weights, g.factor, g.more};
  product<Finish::GRADIENT>(
    Product<T>{delta, layer.neurons, lanes, 1, transposed, lanes, layer.row, aside ? layer.inputs : layer.row, nullptr, layer.row}, t);
  if (!aside) return;
  for (int64_t j = 0; j < layer.neurons; j++) {
    auto s = all<Step<T>>(0);
    for (int64_t k = 0; k < lanes; k += STEP<T>) s = s + load<Step<T>>(delta + j * lanes + k);
    T &place = t.to[j * layer.row + layer.inputs], total = sum(s);
    place = g.more ? fma(total, g.factor, place) : total * g.factor;
  }
}

// The same from rows of one input each, with sums over the lanes.
template <class T> void gradient(const Layer& layer, const T* a, const T* delta, int64_t lanes, const Target<T>& g) {
  using P = Step<T>;
  int64_t whole = layer.inputs - layer.inputs % 4, left = layer.inputs - whole;
  for (int64_t j = 0; j < layer.neurons; j++) {
    const T* d = delta + j * lanes;
    int64_t place = layer.weights + j * layer.row;
    for (int64_t i = 0; i <= whole; i += 4) {
      P s[4] = {all<P>(0), all<P>(0), all<P>(0), all<P>(0)};
      int64_t here = i < whole ? 4 : left;
      for (int64_t k = 0; k < lanes; k += STEP<T>) {
        P x = load<P>(d + k);
        const T* p = a + i * lanes + k;
        for (int m = 0; m < 4; m++)
          if (m < here) s[m] = fma(load<P>(p + m * lanes), x, s[m]);
          else if (m == here) s[m] = s[m] + x;
      }
      put(g, place + i, sums(s[0], s[1], s[2], s[3]));
    }
  }
}

// Forward, cost and back; gives the block's share of the batch's cost.
template <class T> double wide(const Training<T>& t, const T* w, const Block<T>& block, const Target<T>& g) {
  using P = Step<T>;
  const Layer *layers = t.layers, &last = layers[t.plan->layers - 1];
  int64_t lanes = block.lanes;
  T* b = t.memory;
  const T *a = block.x, *y = block.x + layers[0].inputs * lanes, *share = y + last.neurons * lanes;
  T *spare = b + t.plan->spare, *c = spare + 2 * lanes;
  for (int64_t k = 0; k < lanes; k += STEP<T>) store(c + k, all<P>(0));
  for (const Layer* layer = layers; layer <= &last; layer++) {  // u_j = W~_j + Σ_i W_ji a_i
    T* u = b + layer->deltas;
    const T* weights = w + layer->weights;
    product<Finish::PUT>(
      Product<T>{weights, layer->neurons, layer->row, 1, a, layer->inputs, lanes, lanes, weights + layer->inputs, lanes},
      Target<T>{u, 1, false});
    T* values = b + layer->values;
    if (layer < &last) activate(layer->activation, values, u, layer->neurons * lanes);
    else output(Output<T>{t.plan->cost, layer->activation, layer->neurons, lanes, values, u, y, c, spare});
    a = values;
  }
  P total = all<P>(0);
  for (int64_t k = 0; k < lanes; k += STEP<T>) {  // each sample's share in the average
    P s = load<P>(share + k);
    total = fma(load<P>(c + k), s, total);
    for (int64_t j = 0; j < last.neurons; j++) {
      T* d = b + last.deltas + j * lanes + k;
      store(d, load<P>(d) * s);
    }
  }
  for (const Layer* layer = &last; layer > layers; layer--)  // δ_i = σ′(u_i) Σ_j W_ji δ_j
    product<Finish::TIMES>(
      Product<T>{w + layer->weights, layer->inputs, 1, layer->row, b + layer->deltas, layer->neurons, lanes, lanes, nullptr, lanes},
      Target<T>{b + layer[-1].deltas, 1, false});
  a = block.x;
  for (const Layer* layer = layers; layer <= &last; layer++) {
    const T* delta = b + layer->deltas;
    if (layer->transposed >= 0) {
      const T* transposed = share + lanes;  // laid out with the samples
      if (layer > layers) {
        transpose_inputs(a, layer->inputs, layer->row, b + layer->transposed, lanes);
        transposed = b + layer->transposed;
      }
      transposed_gradient(*layer, transposed, delta, lanes, g);
    } else gradient(*layer, a, delta, lanes, g);
    a = b + layer->values;
  }
  return sum(total);
}
