// Lays out samples in the lanes.
#pragma once
#include "formulas.hpp"

constexpr double TINY = 1e-30;  // instead of the sum of sample weights that are all 0

// A range of samples in an order (null: their own).
struct Order {
  const int64_t* samples;
  int64_t first, count;
  INLINE int64_t operator[](int64_t k) const { return samples ? samples[first + k] : first + k; }
};

INLINE int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

// Part of a range.
INLINE Order part(Order order, int64_t first, int64_t most) {
  return {order.samples, order.first + first, smaller_of(most, order.count - first)};
}

// The sum of the samples' weights, by default their number; never 0, because it is a divisor.
template <class T> INLINE double weight_of(const T* sample_weight, Order order) {
  if (!sample_weight) return double(order.count);
  double total = 0;
  for (int64_t k = 0; k < order.count; k++) total += sample_weight[order[k]];
  return total > TINY ? total : TINY;
}

INLINE int64_t up_to(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// Transposes the samples' rows of numbers to rows of lanes, four by four if possible. Unused lanes repeat the last sample.
template <class T> void lay_rows(const T* from, int64_t numbers, Order order, int64_t lanes, T* x) {
  int64_t fours = numbers - numbers % 4;
  for (int64_t k = 0; k < lanes; k += 4) {
    const T* rows[4];
    for (int m = 0; m < 4; m++) rows[m] = from + order[smaller_of(k + m, order.count - 1)] * numbers;
    for (int64_t i = 0; i < fours; i += 4) transpose_four(rows[0] + i, rows[1] + i, rows[2] + i, rows[3] + i, x + i * lanes + k, lanes);
    for (int64_t i = fours; i < numbers; i++)
      for (int m = 0; m < 4; m++) x[i * lanes + k + m] = rows[m][i];
  }
}

// Rows of inputs (and with `ones` a row of ones), targets, and each sample's share in its batch, whose weights sum to
// `whole`; unused lanes have the share 0.
template <class T> void lay(const Training<T>& t, T* x, Order order, int64_t lanes, double whole, bool ones) {
  int64_t inputs = t.layers[0].inputs, outputs = t.layers[t.plan->layers - 1].neurons;
  T *y = x + (inputs + ones) * lanes, *shares = y + outputs * lanes;
  lay_rows(t.X, inputs, order, lanes, x);
  lay_rows(t.Y, outputs, order, lanes, y);
  for (int64_t k = 0; k < lanes; k++) {
    if (ones) x[inputs * lanes + k] = 1;
    shares[k] = 0;
    if (k < order.count) shares[k] = T((t.sample_weight ? t.sample_weight[order[k]] : 1) / whole);
  }
}
