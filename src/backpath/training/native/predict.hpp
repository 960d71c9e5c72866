// Predicts rows with one network: forward only, panel by panel, with blocks of rows shared between threads.
#pragma once
#include "team.hpp"
#include "wide.hpp"

// Transposes a panel's outputs, rows of LANES numbers, to one row per sample.
template <int LANES, class T> INLINE void give_rows(const T* a, int64_t outputs, int64_t count, T* rows) {
  for (int64_t k = 0; k < count; k++)
    for (int64_t j = 0; j < outputs; j++) rows[k * outputs + j] = a[j * LANES + k];
}

// Uses the plan, the layers, the memory (a slot for each member) and X of Training.
template <class T> struct Prediction {
  const Training<T>& t;
  const T* w;
  int64_t count;
  T* outputs;

  INLINE int64_t units() const { return (count + t.plan->block - 1) / t.plan->block; }
  INLINE bool advance() const { return false; }

  void unit(int64_t k, int64_t member) const {
    int64_t first = k * t.plan->block, end = smaller_of(count, first + t.plan->block);
    for (; first < end; first += PANEL<T>) {
      int64_t some = smaller_of(PANEL<T>, end - first);
      if (some > STEP<T>) rows<PANEL<T>>(first, some, member);
      else rows<STEP<T>>(first, some, member);
    }
  }

  template <int LANES> void rows(int64_t first, int64_t some, int64_t member) const {
    const Layer& last = t.layers[t.plan->layers - 1];
    T *b = t.memory + member * t.plan->slot, *x = b + t.plan->data, *a = b + last.values;
    lay_rows(t.X, t.layers[0].inputs, Order{nullptr, first, some}, LANES, x);
    forward<LANES>(t, w, x, b);
    if (last.activation == SOFTMAX)
      softmax(Output<T>{0, SOFTMAX, last.neurons, LANES, a, b + last.deltas, nullptr, nullptr, b + t.plan->spare});
    else activate(last.activation, a, b + last.deltas, last.neurons * LANES);
    give_rows<LANES>(a, last.neurons, some, outputs + first * last.neurons);
  }
};
