// A population's networks into the lanes of `many.hpp`, block after block, and back.
#pragma once
#include "many.hpp"

// The networks of a block: columns of the population's arrays.
struct Columns { const int64_t* networks; int64_t count; };

// Rows from the columns of these networks; what lanes are left keep what they had.
template <class T> void take(const Populated<T>& p, T* rows, const T* table, int64_t count, Columns block) {
  for (int64_t k = 0; k < count; k++)
    for (int64_t n = 0; n < block.count; n++)
      rows[k * p.population->lanes + n] = table[k * p.population->networks + block.networks[n]];
}

template <class T> void give(const Populated<T>& p, const T* rows, T* table, int64_t count, int64_t lane, int64_t network) {
  for (int64_t k = 0; k < count; k++) table[k * p.population->networks + network] = rows[k * p.population->lanes + lane];
}

// A block's networks go back. One that is not finite any more does not: it keeps the weights it had.
template <class T> void conclude(const Populated<T>& p, const Rows<T>& r, Columns block, int64_t begin, int64_t epochs) {
  const Population& of = *p.population;
  for (int64_t lane = 0; lane < block.count; lane++) {
    int64_t network = block.networks[lane];
    auto count = [&](int64_t row) -> int64_t& { return p.counts[row * of.networks + network]; };
    T fault = r.known(COST)[lane] - r.known(COST)[lane];
    for (int64_t k = 0; k < of.weights; k++) fault += r.w[k * of.lanes + lane] - r.w[k * of.lanes + lane];
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

// The costs of the lanes that still train.
template <class T> void record(const Populated<T>& p, const Rows<T>& r, Columns block, int64_t epoch) {
  T* history = p.history + epoch / p.population->every * p.population->networks;
  for (int64_t lane = 0; lane < block.count; lane++)
    if (r.known(RATE)[lane] != 0) history[block.networks[lane]] = r.known(COST)[lane] * (T(1) / T(p.population->samples));
}

template <class T> void train_block(const Populated<T>& p, const Rows<T>& r, Columns block, int64_t begin, int64_t epochs, const int64_t* orders, int64_t order_count) {
  const Population& of = *p.population;
  int64_t batches = (of.samples + of.batch - 1) / of.batch;
  T share = T(1) / T(of.samples);
  for (int64_t epoch = 0; epoch < epochs; epoch++) {
    fill(r.known(COST), T(0), of.lanes);
    fill(r.known(WORST), T(0), of.lanes);
    const int64_t* order = orders + epoch % order_count * of.samples;
    for (int64_t first = 0; first < of.samples; first += of.batch) {
      int64_t last = smaller_of(of.samples, first + of.batch);
      for (int64_t k = first; k < last; k++) {
        const T* x = p.X + order[k] * p.sizes[0];
        backward(p, r, forward(p, r, x, p.Y + order[k] * p.sizes[of.layers]), x);
      }
      if (last == of.samples) {
        judge_solved(p, r, epoch);
        if (of.every > 0 && (begin + epoch) % of.every == 0) record(p, r, block, begin + epoch);
      }
      update_lanes(p, r, T(1) / T(last - first), double((begin + epoch) * batches + first / of.batch + 1));
    }
    if (of.tol >= 0) judge_converged(p, r, epoch + 1, share);
  }
}

// Trains the networks in these columns for some epochs, the first of them epoch `begin`, in one order of the samples
// or as many as there are epochs.
template <class T>
void train_many(const Populated<T>& p, Columns networks, int64_t begin, int64_t epochs, const int64_t* orders, int64_t order_count) {
  const Population& of = *p.population;
  Rows<T> r(p, of.moments);
  for (int64_t low = 0; low < networks.count; low += of.lanes) {
    Columns block{networks.networks + low, smaller_of(of.lanes, networks.count - low)};
    take(p, r.w, p.weights, of.weights, block);
    take(p, r.m, p.moments, of.moments, block);
    take(p, r.state, p.numbers, JUST_SOLVED, block);
    fill(r.known(JUST_SOLVED), T(-1), of.lanes);
    fill(r.known(JUST_CONVERGED), T(-1), of.lanes);
    for (int64_t k = 0; k < of.weights; k++) fill(r.g + k * of.lanes, T(0), of.lanes);
    train_block(p, r, block, begin, epochs, orders, order_count);
    conclude(p, r, block, begin, epochs);
  }
}

// The cost and the worst error of these networks.
template <class T> void evaluate_many(const Populated<T>& p, Columns networks) {
  const Population& of = *p.population;
  Rows<T> r(p, 0);
  for (int64_t low = 0; low < networks.count; low += of.lanes) {
    Columns block{networks.networks + low, smaller_of(of.lanes, networks.count - low)};
    take(p, r.w, p.weights, of.weights, block);
    fill(r.known(COST), T(0), of.lanes);
    fill(r.known(WORST), T(0), of.lanes);
    for (int64_t s = 0; s < of.samples; s++) forward(p, r, p.X + s * p.sizes[0], p.Y + s * p.sizes[of.layers]);
    for (int64_t lane = 0; lane < block.count; lane++) {
      p.numbers[COST * of.networks + block.networks[lane]] = r.known(COST)[lane] / T(of.samples);
      p.numbers[WORST * of.networks + block.networks[lane]] = r.known(WORST)[lane];
    }
  }
}
