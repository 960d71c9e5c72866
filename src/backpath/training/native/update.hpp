// From the gradient to the update: decay, clipping, the solvers' rules; and the rule of convergence.
#pragma once
#include "samples.hpp"

// β^t
INLINE double power(double base, double exponent) {
  double result = 1;
  for (int64_t t = int64_t(exponent); t > 0; t >>= 1, base *= base)
    if (t & 1) result *= base;
  return result;
}

// Calls work(first, end) for the runs of weights in a range, with or without the biases: a narrow network's rows, one per
// neuron, or a wide network's panels.
template <bool BIASES, class T, class Work> INLINE void for_runs(const Training<T>& t, int64_t first, int64_t end, Work work) {
  for (const Layer* layer = t.layers; layer < t.layers + t.plan->layers; layer++) {
    int64_t together = t.plan->narrow ? 1 : STEP<T>, by = t.plan->narrow ? layer->row : (layer->inputs + 1) * STEP<T>;
    for (int64_t j = 0, run = layer->weights; j < layer->neurons && run < end; j += together, run += by) {
      int64_t run_end = run + (layer->inputs + BIASES) * together;
      if (run_end > first) work(run < first ? first : run, run_end < end ? run_end : end);
    }
  }
}

// Adds the gradient of decay/2 Σ W² over a range of weights, without the biases; returns Σ W².
template <class T> double decay(const Training<T>& t, const T* w, T decay, int64_t first, int64_t end) {
  double total = 0;
  auto squares = all<Step<T>>(0);
  T* g = t.gradient;
  for_runs<false>(t, first, end, [&](int64_t k, int64_t last) {
    for (; k + STEP<T> <= last; k += STEP<T>) {
      auto x = load<Step<T>>(w + k);
      squares = fma(x, x, squares);
      store(g + k, fma(x, decay, load<Step<T>>(g + k)));
    }
    for (; k < last; k++) {
      total += double(w[k]) * w[k];
      g[k] = fma(w[k], decay, g[k]);
    }
  });
  return total + sum(squares);
}

// Multiplies a range of weights, without the biases.
template <class T> void shrink(const Training<T>& t, T* w, T factor, int64_t first, int64_t end) {
  for_runs<false>(t, first, end, [&](int64_t k, int64_t last) {
    for (; k < last; k++) w[k] *= factor;
  });
}

// Scales the gradient down to the norm `most` if its norm is larger.
template <class T> void clip(const Training<T>& t, double most) {
  double squares = 0;
  for_runs<true>(t, 0, t.plan->weights, [&](int64_t k, int64_t last) {
    for (; k < last; k++) squares += double(t.gradient[k]) * t.gradient[k];
  });
  double norm = root(squares);
  if (!(norm > most)) return;
  for (int64_t k = 0; k < t.plan->weights; k += STEP<T>) store(t.gradient + k, load<Step<T>>(t.gradient + k) * T(most / norm));
}

// Updates the weights from `first` to `end`, for the `updates`th time (see training.job.Solver).
template <class T> void update(const Training<T>& t, T* w, double updates, int64_t first, int64_t end) {
  using P = Step<T>;
  const Settings& s = *t.settings;
  if (s.decay > 0) shrink(t, w, T(1 - s.learning_rate * s.decay), first, end);
  int64_t count = t.plan->weights, solver = t.plan->solver;
  T *m = w + count, *v = m + count;
  T mu = s.momentum, beta_1 = s.beta_1, beta_2 = s.beta_2, epsilon = s.epsilon, rate = s.learning_rate;
  if (solver == ADAM) rate = s.learning_rate * root(1 - power(s.beta_2, updates)) / (1 - power(s.beta_1, updates));
  for (int64_t k = first; k < end; k += STEP<T>) {
    P old = load<P>(w + k), g = load<P>(t.gradient + k), now;
    if (solver == GD) now = fma(g, -rate, old);
    else if (solver == MOMENTUM) {
      P velocity = fma(load<P>(m + k), mu, -(g * rate));
      store(m + k, velocity);
      now = s.nesterov ? fma(velocity, mu, fma(g, -rate, old)) : old + velocity;
    } else {
      P mean = fma(load<P>(m + k), beta_1, g * T(1 - s.beta_1));
      P square = fma(load<P>(v + k), beta_2, g * g * T(1 - s.beta_2));
      store(m + k, mean), store(v + k, square);
      now = old - mean * rate / (root(square) + epsilon);
    }
    store(w + k, t.free ? select(load<P>(t.free + k) > 0, now, old) : now);
  }
}

// The rule of training.job.Convergence.
INLINE bool has_converged(State& state, const Settings& s, double cost) {
  if (s.tol < 0) return false;
  state.waited = cost < state.best - s.tol ? 0 : state.waited + 1;
  if (cost < state.best) state.best = cost;
  state.converged = state.waited >= s.patience;
  return state.converged;
}

INLINE bool is_finite(double x) { return x - x == 0; }

template <class T> bool are_finite(const T* w, int64_t count) {
  auto fault = all<Step<T>>(0);
  for (int64_t k = 0; k < count; k += STEP<T>) fault = fault + (load<Step<T>>(w + k) - load<Step<T>>(w + k));
  return sum(fault) == 0;
}

