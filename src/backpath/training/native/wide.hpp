// One network over panels of samples: forward, cost and back, then the gradient.
//
// A panel is two steps of samples; the last one of a batch is one step if that is enough, and its unused lanes have the
// share 0 in the average. The data of a panel are rows of inputs, a row of ones, rows of targets, and a row of shares. The
// results are, for each layer, rows of σ(u), a row of ones, and rows of δ. A block is a set of panels whose δ are
// transposed together.
#pragma once
#include "output.hpp"
#include "product.hpp"

template <class T> constexpr int PANEL = 2 * STEP<T>;

// The memory of a panel of samples: its data and its results.
template <class T> INLINE int64_t known_numbers(const Training<T>& t) {
  return (t.layers[0].inputs + t.layers[t.plan->layers - 1].neurons + 2) * PANEL<T>;
}

// Some panels: the samples of the first one, and the working memory.
template <class T> struct Block { const T* x; T* memory; int64_t lanes; };

// In the transposed rows: numbers for each panel of STEP neurons.
template <class T> INLINE int64_t by_panel(const Plan& plan) { return plan.block * STEP<T>; }

template <class T> INLINE T* working_memory(const Training<T>& t, Block<T> block, int64_t panel) {
  return block.memory + panel * t.plan->panel;
}

// The largest |A - y|, or `worst` if that is larger.
template <class T> T worst_error(T worst, const T* a, const T* y, int64_t count) {
  auto most = all<Step<T>>(worst);
  for (int64_t k = 0; k < count; k += STEP<T>) most = larger(absolute(load<Step<T>>(a + k) - load<Step<T>>(y + k)), most);
  for (int i = 0; i < STEP<T>; i++) worst = lane(most, i) > worst ? lane(most, i) : worst;
  return worst;
}

template <class T> INLINE void ones(T* row, int64_t lanes) {
  for (int64_t k = 0; k < lanes; k += STEP<T>) store(row + k, all<Step<T>>(1));
}

// The forward pass through the hidden layers, up to the net inputs of the output layer.
template <int LANES, class T> INLINE void forward(const Training<T>& t, const T* w, const T* x, T* b) {
  const Layer *layers = t.layers, &last = layers[t.plan->layers - 1];
  const T* a = x;
  for (const Layer* layer = layers; layer <= &last; layer++) {
    T *u = b + layer->deltas, *values = b + layer->values;
    net_inputs<LANES>(*layer, w, a, u);
    if (layer == &last) break;
    activate(layer->activation, values, u, layer->neurons * LANES);
    ones(values + layer->neurons * LANES, LANES);
    a = values;
  }
}

// One panel of a block: all activations and δ, also transposed; returns the panel's share of the batch's cost.
template <int LANES, class T> double panel(const Training<T>& t, const T* w, Block<T> block, int64_t index) {
  using P = Step<T>;
  const Layer *layers = t.layers, &last = layers[t.plan->layers - 1];
  const T* x = block.x + index * known_numbers(t);
  const T *y = x + (layers[0].inputs + 1) * LANES, *share = y + last.neurons * LANES;
  T *b = working_memory(t, block, index), *spare = b + t.plan->spare, *c = spare + 2 * LANES;
  for (int64_t k = 0; k < LANES; k += STEP<T>) store(c + k, all<P>(0));
  forward<LANES>(t, w, x, b);
  output(Output<T>{t.plan->cost, last.activation, last.neurons, LANES, b + last.values, b + last.deltas, y, c, spare});
  if (t.worst) *t.worst = worst_error(*t.worst, b + last.values, y, last.neurons * LANES);
  P total = all<P>(0);
  for (int64_t k = 0; k < LANES; k += STEP<T>) {  // each sample's share in the average
    P s = load<P>(share + k);
    total = fma(load<P>(c + k), s, total);
    for (int64_t j = 0; j < last.neurons; j++) {
      T* d = b + last.deltas + j * LANES + k;
      store(d, load<P>(d) * s);
    }
  }
  for (const Layer* layer = &last; layer > layers; layer--)
    hidden_deltas<LANES>(*layer, w, b + layer->deltas, b + layer[-1].deltas);
  int64_t lane = index * PANEL<T>;
  for (const Layer* layer = layers; layer <= &last; layer++)
    if (layer->transposed >= 0)
      transpose_panel<LANES>(
        b + layer->deltas, layer->neurons, block.memory + layer->transposed + lane * STEP<T>, by_panel<T>(*t.plan));
  return sum(total);
}

template <class T> double panel(const Training<T>& t, const T* w, Block<T> block, int64_t index) {
  bool whole = block.lanes - index * PANEL<T> > STEP<T>;
  return whole ? panel<PANEL<T>>(t, w, block, index) : panel<STEP<T>>(t, w, block, index);
}

// The gradient of a layer over a block, for the inputs from `first` to `end`.
template <class T>
void layer_gradient(const Training<T>& t, Block<T> block, const Layer* layer, int64_t first, int64_t end, Target<T> g) {
  Samples<T> a{block.x, known_numbers(t), block.lanes};
  if (layer > t.layers) a = {block.memory + layer[-1].values, t.plan->panel, block.lanes};
  if (layer->transposed >= 0) gradient(*layer, a, block.memory + layer->transposed, by_panel<T>(*t.plan), first, end, g);
  else gradient_of_few(*layer, a, Samples<T>{block.memory + layer->deltas, t.plan->panel, block.lanes}, first, end, g);
}

// The work of the gradient in pieces: some inputs of one layer at a time.
constexpr int64_t PIECE = 16384;  // roughly, in products of steps

template <class T> INLINE int64_t piece_rows(const Layer& layer, int64_t lanes) {
  int64_t row = (layer.neurons + STEP<T> - 1) / STEP<T> * lanes, rows = TILE_MOST;
  while (rows * row < PIECE) rows *= 2;
  return rows;
}

template <class T> INLINE int64_t pieces(const Training<T>& t, int64_t lanes) {
  int64_t count = 0;
  for (int64_t q = 0; q < t.plan->layers; q++) {
    int64_t rows = piece_rows<T>(t.layers[q], lanes);
    count += (t.layers[q].inputs + rows) / rows;
  }
  return count;
}

template <class T> void gradient_piece(const Training<T>& t, Block<T> block, int64_t index, Target<T> g) {
  for (const Layer* layer = t.layers;; layer++) {
    int64_t rows = piece_rows<T>(*layer, block.lanes), count = (layer->inputs + rows) / rows;
    if (index >= count) { index -= count; continue; }
    int64_t first = index * rows, end = layer->inputs + 1;
    return layer_gradient(t, block, layer, first, end - first < rows ? end : first + rows, g);
  }
}
