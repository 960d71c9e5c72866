// Many networks of the same sizes, trained one after the other as in `descent.hpp`, with the samples in the lanes.
#pragma once
#include "population.hpp"
#include "together.hpp"

// Trains one network for some epochs from epoch `begin` on; if it stops being finite, its weights are restored.
template <class T> void train_one(const Each<T>& e, int64_t network, int64_t begin, int64_t epochs, const int64_t* order) {
  const Populated<T>& p = *e.populated;
  const Population& of = *p.population;
  auto count = [&](int64_t row) -> int64_t& { return p.counts[row * of.networks + network]; };
  int64_t stride = of.weights + of.moments;
  T* w = e.weights + network * stride;
  for (int64_t k = 0; k < stride; k++) e.before[k] = w[k];
  Settings settings = *e.training->settings;
  settings.learning_rate = e.rates[network], settings.momentum = e.momenta[network];
  Training<T> own = *e.training;
  own.settings = &settings;
  State state = e.states[network];
  state.solved_after = -1;
  Progress progress{};
  int64_t done = train(Call<T>{own, w, state, order, of.samples, epochs, e.costs}, nullptr, &progress);
  for (int64_t epoch = 0; of.every > 0 && epoch < done; epoch++)
    if ((begin + epoch) % of.every == 0) p.history[(begin + epoch) / of.every * of.networks + network] = T(e.costs[epoch]);
  if (!state.finite || (done > 0 && !is_finite(e.costs[done - 1]))) {
    for (int64_t k = 0; k < stride; k++) w[k] = e.before[k];
    count(STATUS) = IS_DIVERGED;
    return;
  }
  e.states[network] = state;
  count(EPOCHS) = begin + done;
  if (state.solved_after >= 0 && count(SOLVED_AFTER) < 0) count(SOLVED_AFTER) = begin + int64_t(state.solved_after);
  if (of.stop_when_solved && state.solved_after >= 0) count(STATUS) = IS_SOLVED;
  else if (state.converged) count(STATUS) = IS_CONVERGED;
}

// Trains these networks for some epochs from epoch `begin` on, with one order of the samples or one for each epoch. In
// the second case all networks take an epoch before the next one begins, so that the samples are laid out once for all.
template <class T> void train_each(const Each<T>& e, Columns networks, int64_t begin, int64_t epochs, Order orders) {
  const Population& of = *e.populated->population;
  int64_t together = orders.count > 1 ? 1 : epochs;
  for (int64_t epoch = 0; epoch < epochs; epoch += together) {
    const int64_t* order = orders.samples + epoch % orders.count * of.samples;
    if (e.training->plan->laid) lay_samples(*e.training, order);
    for (int64_t n = 0; n < networks.count; n++)
      if (e.populated->counts[STATUS * of.networks + networks.networks[n]] == IS_TRAINING)
        train_one(e, networks.networks[n], begin + epoch, together, order);
  }
}
