// Lays samples out in the lanes, batch after batch, block after block.
#pragma once
#include "formulas.hpp"

constexpr double TINY = 1e-30;  // in place of the sum of sample weights that are all 0

// Numbers from the first sample on of those in an order.
struct Order { const int64_t* samples; int64_t first, count; };

INLINE int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

// The sum of the samples' weights, which is their number where none are given; not 0, so that one can divide by it.
template <class T> INLINE double weight_of(const T* sample_weight, Order order) {
  if (!sample_weight) return double(order.count);
  double total = 0;
  for (int64_t k = 0; k < order.count; k++) total += sample_weight[order.samples[order.first + k]];
  return total > TINY ? total : TINY;
}

// Lanes for so many samples: whole steps, or fours of the narrow kernel.
template <class T> INLINE int64_t lanes_for(const Plan& plan, int64_t samples) {
  int64_t unit = plan.narrow ? 4 : STEP<T>;
  return (samples + unit - 1) & -unit;
}

// The length of a row of a sample's inputs, where those are needed too: else 0.
INLINE int64_t sample_row(const Layer& first) { return first.transposed >= 0 ? first.row : 0; }

// The numbers that a sample has once it is laid out.
template <class T> INLINE int64_t laid_numbers(const Training<T>& t) {
  return t.layers[0].inputs + t.layers[t.plan->layers - 1].neurons + 1 + sample_row(t.layers[0]);
}

// A block: rows of inputs, of targets, and of each sample's share in its batch, whose weights sum to `whole`; then,
// where they are needed, the inputs with a row per sample. Lanes left over repeat the last sample, with no share.
template <class T> void lay(const Training<T>& t, T* x, Order order, int64_t lanes, double whole) {
  int64_t inputs = t.layers[0].inputs, outputs = t.layers[t.plan->layers - 1].neurons, row = sample_row(t.layers[0]);
  T* transposed = x + (inputs + outputs + 1) * lanes;
  for (int64_t k = 0; k < lanes; k++) {
    int64_t sample = order.samples[order.first + smaller_of(k, order.count - 1)];
    const T *from = t.X + sample * inputs, *targets = t.Y + sample * outputs;
    if (row) {
      for (int64_t i = 0; i < inputs; i++) transposed[k * row + i] = from[i];
      transposed[k * row + inputs] = 1;
    } else
      for (int64_t i = 0; i < inputs; i++) x[i * lanes + k] = from[i];
    for (int64_t j = 0; j < outputs; j++) x[(inputs + j) * lanes + k] = targets[j];
    x[(inputs + outputs) * lanes + k] = k < order.count ? T((t.sample_weight ? t.sample_weight[sample] : 1) / whole) : 0;
  }
  if (!row) return;
  int64_t fours = inputs - inputs % 4;
  for (int64_t k = 0; k < lanes; k += 4)
    for (int64_t i = 0; i < fours; i += 4) transpose_four(transposed + k * row + i, row, x + i * lanes + k, lanes);
  for (int64_t i = fours; i < inputs; i++)
    for (int64_t k = 0; k < lanes; k++) x[i * lanes + k] = transposed[k * row + i];
}

template <class T> void lay_samples(const Training<T>& t, const int64_t* samples) {
  const Plan& plan = *t.plan;
  T* x = t.memory + plan.data;
  for (int64_t start = 0; start < plan.samples; start += plan.batch) {
    Order batch{samples, start, smaller_of(plan.batch, plan.samples - start)};
    double whole = weight_of(t.sample_weight, batch);
    for (int64_t first = 0; first < batch.count; first += plan.block) {
      Order block{samples, start + first, smaller_of(plan.block, batch.count - first)};
      int64_t lanes = lanes_for<T>(plan, block.count);
      lay(t, x, block, lanes, whole);
      x += laid_numbers(t) * lanes;
    }
  }
}
