// Trains one network: epochs of batches, each with its cost, its gradient and an update.
#pragma once
#include "narrow.hpp"
#include "team.hpp"
#include "update.hpp"
#include "wide.hpp"

// The task of a call. order: of `ordered` samples, one for each epoch or one for all; w: the weights, then the solver's
// memory.
template <class T> struct Call {
  const Training<T>& t;
  T* w;
  State& state;
  const int64_t* order;
  int64_t ordered, epochs;
  double* costs;

  INLINE Order batch(int64_t epoch, int64_t start) const {
    int64_t samples = t.plan->samples, stride = ordered > samples ? samples : 0;
    return {order, epoch * stride + start, smaller_of(t.plan->batch, samples - start)};
  }
  // Where the gradient goes: in plain gradient descent it is subtracted from the weights at once.
  INLINE Target<T> target() const {
    if (t.plan->fused) return {w, T(-t.settings->learning_rate), true};
    return {t.gradient, 1, false};
  }
  // The factor of ½ Σ W² in the cost of a batch with this weight.
  INLINE double penalty(double whole) const { return whole > TINY ? t.settings->l2 / whole : 0; }
  // Whether to stop before the last update of an epoch because the task is solved; records the first such epoch.
  INLINE bool has_solved(int64_t epoch) const {
    if (!t.worst || !(*t.worst < T(t.settings->solved_error))) return false;
    if (state.solved_after < 0) state.solved_after = double(epoch);
    return t.settings->stop_when_solved;
  }
  // Whether an epoch with this cost is the last one.
  INLINE bool is_last(int64_t epoch, double cost) const {
    costs[epoch] = cost;
    return !is_finite(cost) || has_converged(state, *t.settings, cost) || epoch + 1 == epochs;
  }
  void conclude() const {
    state.finite = are_finite(w, t.plan->weights * (1 + (t.plan->solver != GD) + (t.plan->solver == ADAM)));
  }
};

// Trains a narrow network; returns the number of epochs done.
template <class T> int64_t train_narrow(const Call<T>& call) {
  const Training<T>& t = call.t;
  const Plan& plan = *t.plan;
  int64_t numbers = (t.layers[0].inputs + t.layers[plan.layers - 1].neurons + 1) * plan.block;
  Narrow<T> kernel = narrow_for(t);
  for (int64_t epoch = 0;; epoch++) {
    T* x = t.memory + plan.data;
    double total = 0;
    for (int64_t start = 0; start < plan.samples; start += plan.batch) {
      Order batch = call.batch(epoch, start);
      double whole = weight_of(t.sample_weight, batch);
      if (!plan.laid) lay(t, x, batch, plan.block, whole, false);
      double cost = kernel(t, call.w, x, call.target());
      double penalty = call.penalty(whole);
      cost *= t.settings->share;
      if (penalty > 0) cost += penalty / 2 * decay(t, call.w, T(penalty), 0, plan.weights);
      if (t.settings->clip > 0) clip(t, t.settings->clip);
      call.state.updates += 1;
      if (!plan.fused) update(t, call.w, call.state.updates, 0, plan.weights);
      total += cost * double(batch.count);
      if (plan.laid) x += numbers;
    }
    if (call.is_last(epoch, total / double(plan.samples))) return call.conclude(), epoch + 1;
  }
}

// Lays all samples out, batch after batch.
template <class T> void lay_samples(const Training<T>& t, const int64_t* samples) {
  const Plan& plan = *t.plan;
  T* x = t.memory + plan.data;
  int64_t unit = plan.narrow ? plan.block : PANEL<T>;
  int64_t numbers = plan.narrow ? (t.layers[0].inputs + t.layers[plan.layers - 1].neurons + 1) * unit : known_numbers(t);
  for (int64_t start = 0; start < plan.samples; start += plan.batch) {
    Order batch{samples, start, smaller_of(plan.batch, plan.samples - start)};
    double whole = weight_of(t.sample_weight, batch);
    for (int64_t first = 0; first < batch.count; first += unit, x += numbers) {
      Order some = part(batch, first, unit);
      lay(t, x, some, plan.narrow ? unit : up_to(some.count, STEP<T>), whole, !plan.narrow);
    }
  }
}
