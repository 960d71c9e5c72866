// Trains one wide network, in phases whose units several threads may share (see team.hpp).
//
// There are two schedules for a batch; the choice depends only on the sizes of batch and network. Block by block: all
// threads work on a block's panels of samples, then on pieces of its gradient. In parts: each thread processes its share of
// the samples in separate blocks and sums a separate gradient. Then each range of weights adds the parts' gradients in their
// order and the penalty's, and is updated; if the gradient is clipped, all must be added before.
#pragma once
#include "descent.hpp"

constexpr int64_t RANGE = 512;  // weights that are updated in one unit; engines/layout.py knows it, too

enum Phase : int64_t { PANELS, GRADIENT, PARTS, SUMS, UPDATE };

template <class T> struct WideDescent {
  const Call<T>& call;
  Progress& at;
  const Training<T>& t = call.t;
  const Plan& plan = *t.plan;

  INLINE bool in_parts() const { return plan.parts > 1; }
  INLINE Order batch() const { return call.batch(at.epoch, at.start); }
  INLINE int64_t lanes_left(int64_t first) const { return up_to(batch().count - first, STEP<T>); }

  void begin_batch() {
    if (t.worst && at.start == 0) *t.worst = 0;
    at.first = 0, at.cost = 0, at.whole = weight_of(t.sample_weight, batch());
    at.phase = in_parts() ? PARTS : PANELS;
  }

  // A range of the batch's lanes in a member's working memory.
  Block<T> block(int64_t first, int64_t lanes, int64_t member) const {
    T *slot = t.memory + plan.slots + member * plan.slot, *x = slot + plan.data;
    if (plan.laid) x = t.memory + plan.data + (at.panel + first / PANEL<T>) * known_numbers(t);
    return {x, slot, smaller_of(lanes, lanes_left(first))};
  }
  Block<T> block() const { return block(at.first, plan.block, 0); }

  double worked_panel(Block<T> block, int64_t first, int64_t k) const {
    if (!plan.laid) {
      Order some = part(batch(), first + k * PANEL<T>, PANEL<T>);
      lay(t, const_cast<T*>(block.x) + k * known_numbers(t), some, up_to(some.count, STEP<T>), at.whole, true);
    }
    return panel(t, call.w, block, k);
  }

  INLINE int64_t panels(int64_t lanes) const { return (lanes + PANEL<T> - 1) / PANEL<T>; }

  // A small last batch has fewer parts.
  INLINE int64_t parts() const { return smaller_of(plan.parts, panels(lanes_left(0))); }

  // One part of the batch; its gradient is stored with the other parts'.
  void work_part(int64_t k, int64_t member) const {
    int64_t all = panels(lanes_left(0)), end = (k + 1) * all / parts() * PANEL<T>;
    Target<T> g{t.memory + plan.sums + k * plan.weights, 1, false};
    double cost = 0;
    for (int64_t first = k * all / parts() * PANEL<T>; first < end; first += plan.block, g.more = true) {
      Block<T> here = block(first, smaller_of(plan.block, end - first), member);
      for (int64_t p = 0; p < panels(here.lanes); p++) cost += worked_panel(here, first, p);
      for (int64_t q = 0; q < plan.layers; q++) layer_gradient(t, here, t.layers + q, 0, t.layers[q].inputs + 1, g);
    }
    t.costs[k] = cost;
  }

  // Adds the parts' gradients and the penalty's for a range of weights.
  void sum_gradients(int64_t k, int64_t first, int64_t end) const {
    if (in_parts()) sum_parts(first, end);
    double penalty = call.penalty(at.whole);
    t.costs[k] = penalty > 0 ? penalty / 2 * decay(t, call.w, T(penalty), first, end) : 0;
  }

  void sum_parts(int64_t first, int64_t end) const {
    const T* gradients = t.memory + plan.sums;
    int64_t count = parts();
    for (int64_t k = first; k < end; k += STEP<T>) {
      auto s = load<Step<T>>(gradients + k);
      for (int64_t p = 1; p < count; p++) s = s + load<Step<T>>(gradients + p * plan.weights + k);
      put(call.target(), k, s);
    }
  }

  INLINE bool clipped() const { return t.settings->clip > 0; }
  INLINE int64_t ranges() const { return (plan.weights + RANGE - 1) / RANGE; }

  int64_t units() const {
    switch (at.phase) {
      case PANELS: return panels(block().lanes);
      case GRADIENT: return pieces(t, block().lanes);
      case PARTS: return parts();
      default: return ranges();
    }
  }

  void unit(int64_t k, int64_t member) const {
    int64_t first = k * RANGE, end = smaller_of(plan.weights, first + RANGE);
    Target<T> g = call.target();
    g.more = g.more || at.first > 0;
    switch (at.phase) {
      case PANELS: t.costs[k] = worked_panel(block(), at.first, k); break;
      case GRADIENT: gradient_piece(t, block(), k, g); break;
      case PARTS: work_part(k, member); break;
      case SUMS: sum_gradients(k, first, end); break;
      case UPDATE:
        if (!clipped()) sum_gradients(k, first, end);
        if (!plan.fused) update(t, call.w, call.state.updates, first, end);
    }
  }

  // Opens the next phase; false at the end of the call.
  bool advance() {
    switch (at.phase) {
      case PANELS: at.phase = GRADIENT; return true;
      case GRADIENT:
        at.cost += sum_costs(panels(block().lanes));
        at.first += plan.block;
        if (at.first < batch().count) { at.phase = PANELS; return true; }
        return end_gradient();
      case PARTS: at.cost = sum_costs(parts()); return end_gradient();
      case SUMS: clip(t, t.settings->clip); at.phase = UPDATE; return add_penalty(), true;
      default: return end_batch();
    }
  }

  double sum_costs(int64_t count) const {
    double total = 0;
    for (int64_t k = 0; k < count; k++) total += t.costs[k];
    return total;
  }
  void add_penalty() { at.cost += sum_costs(ranges()); }

  bool end_gradient() {
    if (at.start + plan.batch >= plan.samples && call.has_solved(at.epoch)) return call.conclude(), false;
    at.cost *= t.settings->share;
    call.state.updates += 1;
    at.phase = clipped() ? SUMS : UPDATE;
    return plan.fused && !in_parts() ? end_batch() : true;
  }

  bool end_batch() {
    Order batch = this->batch();
    if (!plan.fused && !clipped()) add_penalty();
    at.total += at.cost * double(batch.count);
    at.panel += panels(up_to(batch.count, STEP<T>)), at.start += plan.batch;
    if (at.start >= plan.samples) {
      bool last = call.is_last(at.epoch, at.total / double(plan.samples));
      at.epoch += 1, at.start = 0, at.panel = 0, at.total = 0;
      if (last) return call.conclude(), false;
    }
    return begin_batch(), true;
  }
};

// Trains for some epochs; returns the number done, which is smaller if the last cost is not finite, training has
// converged, or it stops because the task is solved. With a team, several threads may call this after `begin`.
template <class T> int64_t train(const Call<T>& call, Team* team, Progress* progress) {
  if (call.t.plan->narrow) return train_narrow(call);
  WideDescent<T> task{call, *progress};
  if (team) return work_together(*team, task), progress->epoch;
  task.begin_batch();
  return work_alone(task), progress->epoch;
}

template <class T> void begin(const Call<T>& call, Team* team, Progress* progress) {
  WideDescent<T> task{call, *progress};
  task.begin_batch();
  open_phase(*team, 1, task.units());
}
