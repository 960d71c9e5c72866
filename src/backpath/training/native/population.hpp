// Loads a population's networks into the lanes of groups, trains them, and stores them again.
#pragma once
#include "tiny.hpp"

// The networks of a group, as columns of the population's arrays.
struct Columns { const int64_t* networks; int64_t count; };

// Loads rows from the columns of these networks; unused lanes keep their contents.
template <class T> void take(const Populated<T>& p, T* rows, const T* table, int64_t count, Columns group) {
  for (int64_t k = 0; k < count; k++)
    for (int64_t n = 0; n < group.count; n++) rows[k * STEP<T> + n] = table[k * p.population->networks + group.networks[n]];
}

template <class T> void give(const Populated<T>& p, const T* rows, T* table, int64_t count, int64_t lane, int64_t network) {
  for (int64_t k = 0; k < count; k++) table[k * p.population->networks + network] = rows[k * STEP<T> + lane];
}

// Stores a group's networks, except those that are no longer finite: they keep their last weights.
template <class T> void conclude(const Populated<T>& p, const Rows<T>& r, Columns group, int64_t begin, int64_t epochs) {
  const Population& of = *p.population;
  for (int64_t lane = 0; lane < group.count; lane++) {
    int64_t network = group.networks[lane];
    auto count = [&](int64_t row) -> int64_t& { return p.counts[row * of.networks + network]; };
    T fault = r.known(COST)[lane] - r.known(COST)[lane];
    for (int64_t k = 0; k < of.weights; k++) fault += r.w[k * STEP<T> + lane] - r.w[k * STEP<T> + lane];
    if (!(fault == 0)) {
      count(STATUS) = IS_DIVERGED;
      continue;
    }
    give(p, r.w, p.weights, of.weights, lane, network);
    give(p, r.m, p.moments, of.moments, lane, network);
    give(p, r.state, p.numbers, JUST_SOLVED, lane, network);
    int64_t solved = r.known(JUST_SOLVED)[lane], converged = r.known(JUST_CONVERGED)[lane];
    count(EPOCHS) = begin + epochs;
    if (solved >= 0 && count(SOLVED_AFTER) < 0) count(SOLVED_AFTER) = begin + solved;
    if (of.stop_when_solved && solved >= 0) count(STATUS) = IS_SOLVED, count(EPOCHS) = begin + solved;
    else if (converged >= 0) count(STATUS) = IS_CONVERGED, count(EPOCHS) = begin + converged;
  }
}

// Where the mask holds, the row records the epoch unless it has one; networks that stop get rate and μ 0.
template <class T> INLINE void note(const Rows<T>& r, int64_t row, Pack<Whole<T>, STEP<T>> holds, int64_t epoch, bool stop) {
  using P = Step<T>;
  P noted = load<P>(r.known(row));
  store(r.known(row), select(holds, select(noted < 0, all<P>(epoch), noted), noted));
  if (!stop) return;
  store(r.known(RATE), select(holds, all<P>(0), load<P>(r.known(RATE))));
  store(r.known(MU), select(holds, all<P>(0), load<P>(r.known(MU))));
}

// The results of an epoch's forward passes, before its last update.
template <class T> INLINE void judge(const Populated<T>& p, const Rows<T>& r, Columns group, int64_t begin, int64_t epoch) {
  const Population& of = *p.population;
  note(r, JUST_SOLVED, load<Step<T>>(r.known(WORST)) < T(of.solved_error), epoch, of.stop_when_solved);
  if (of.every == 0 || (begin + epoch) % of.every != 0) return;
  T *history = p.history + (begin + epoch) / of.every * of.networks, share = T(1) / T(of.samples);
  for (int64_t lane = 0; lane < group.count; lane++)
    if (r.known(RATE)[lane] != 0) history[group.networks[lane]] = r.known(COST)[lane] * share;
}

// The rule of training.job.Convergence for each lane, after an epoch's updates.
template <class T> void judge_converged(const Populated<T>& p, const Rows<T>& r, int64_t epoch) {
  using P = Step<T>;
  const Population& of = *p.population;
  P cost = load<P>(r.known(COST)) * (T(1) / T(of.samples)), best = load<P>(r.known(BEST));
  P waited = select(cost < best - of.tol, all<P>(0), load<P>(r.known(WAITED)) + 1);
  store(r.known(WAITED), waited);
  store(r.known(BEST), smaller(best, cost));
  note(r, JUST_CONVERGED, waited > of.patience - 1, epoch, true);
}

// Calls epoch(number, order) for each epoch, and then checks which networks have converged.
template <class T, class Epoch> INLINE void for_epochs(const Populated<T>& p, const Rows<T>& r, int64_t epochs, Order orders, Epoch epoch) {
  for (int64_t e = 0; e < epochs; e++) {
    epoch(e, orders.samples + e % orders.count * p.population->samples);
    if (p.population->tol >= 0) judge_converged(p, r, e + 1);
  }
}

template <class T> void train_group(const Populated<T>& p, const Rows<T>& r, Columns group, int64_t begin, int64_t epochs, Order orders) {
  const Population& of = *p.population;
  int64_t batches = (of.samples + of.batch - 1) / of.batch;
  for_epochs(p, r, epochs, orders, [&](int64_t epoch, const int64_t* order) INLINED {
    fill(r.known(COST), T(0), 1), fill(r.known(WORST), T(0), 1);
    for (int64_t start = 0, batch = 1; start < of.samples; start += of.batch, batch++) {
      int64_t end = smaller_of(of.samples, start + of.batch);
      for (int64_t first = start; first < end; first += of.block) {
        Order block{order, first, smaller_of(of.block, end - first)};
        backward(p, r, block, forward(p, r, block));
      }
      if (end == of.samples) judge(p, r, group, begin, epoch);
      update_group(p, r, T(1) / T(end - start), double((begin + epoch) * batches + batch));
    }
  });
}

template <int HIDDEN, int LANES, class T>
void train_lanes(const Populated<T>& p, const Rows<T>& r, Columns group, int64_t begin, int64_t epochs, Order orders) {
  Tiny<T, 2, HIDDEN, LANES> tiny(r.w);
  T share = T(1) / T(p.population->samples);
  for_epochs(p, r, epochs, orders, [&](int64_t epoch, const int64_t* order) INLINED {
    tiny.learn_all(p, order);
    store(r.known(COST), tiny.cost), store(r.known(WORST), tiny.worst);
    judge(p, r, group, begin, epoch);
    tiny.update(load<Pack<T, LANES>>(r.known(RATE)), share);
  });
  tiny.give(r.w);
}

// A few networks need less than a whole step.
template <int HIDDEN, class T>
void train_tiny(const Populated<T>& p, const Rows<T>& r, Columns group, int64_t begin, int64_t epochs, Order orders) {
  if (group.count <= 4) train_lanes<HIDDEN, 4>(p, r, group, begin, epochs, orders);
  else train_lanes<HIDDEN, STEP<T>>(p, r, group, begin, epochs, orders);
}

// The number of hidden neurons if `Tiny` supports such networks and their training, else 0.
template <class T> int64_t tiny_neurons(const Populated<T>& p) {
  const Population& of = *p.population;
  bool sizes = of.layers == 2 && p.sizes[0] == 2 && p.sizes[1] >= 2 && p.sizes[1] <= 4 && p.sizes[2] == 1;
  bool plain = of.solver == GD && of.batch == of.samples && (of.cost == SQUARED_ERROR || of.cost == HALF_SQUARED_ERROR);
  if (!sizes || !plain || p.activations[0] != SIGMOID || p.activations[1] != SIGMOID) return 0;
  for (int64_t k = 0; k < of.weights; k++)
    if (!p.free[k]) return 0;
  return p.sizes[1];
}

// Trains the networks in these columns for some epochs from epoch `begin` on, with one order of the samples or one for
// each epoch.
template <class T> void train_many(const Populated<T>& p, Columns networks, int64_t begin, int64_t epochs, Order orders) {
  const Population& of = *p.population;
  Rows<T> r(p, of.moments);
  int64_t tiny = tiny_neurons(p);
  fill(r.w, T(0), of.weights), fill(r.m, T(0), of.moments), fill(r.g, T(0), of.weights), fill(r.state, T(0), STATE_ROWS);
  for (int64_t low = 0; low < networks.count; low += STEP<T>) {
    Columns group{networks.networks + low, smaller_of(STEP<T>, networks.count - low)};
    take(p, r.w, p.weights, of.weights, group);
    take(p, r.m, p.moments, of.moments, group);
    take(p, r.state, p.numbers, JUST_SOLVED, group);
    fill(r.known(JUST_SOLVED), T(-1), 2);
    if (tiny == 2) train_tiny<2>(p, r, group, begin, epochs, orders);
    else if (tiny == 3) train_tiny<3>(p, r, group, begin, epochs, orders);
    else if (tiny == 4) train_tiny<4>(p, r, group, begin, epochs, orders);
    else train_group(p, r, group, begin, epochs, orders);
    conclude(p, r, group, begin, epochs);
  }
}

// The cost and the largest error of these networks.
template <class T> void evaluate_many(const Populated<T>& p, Columns networks, const int64_t* order) {
  const Population& of = *p.population;
  Rows<T> r(p, 0);
  for (int64_t low = 0; low < networks.count; low += STEP<T>) {
    Columns group{networks.networks + low, smaller_of(STEP<T>, networks.count - low)};
    take(p, r.w, p.weights, of.weights, group);
    fill(r.known(COST), T(0), 1), fill(r.known(WORST), T(0), 1);
    for (int64_t first = 0; first < of.samples; first += of.block)
      forward(p, r, Order{order, first, smaller_of(of.block, of.samples - first)});
    for (int64_t lane = 0; lane < group.count; lane++) {
      p.numbers[COST * of.networks + group.networks[lane]] = r.known(COST)[lane] / T(of.samples);
      p.numbers[WORST * of.networks + group.networks[lane]] = r.known(WORST)[lane];
    }
  }
}
