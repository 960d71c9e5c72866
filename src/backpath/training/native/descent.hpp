// Trains one network: epochs of batches, each with its cost, its gradient and an update.
#pragma once
#include "samples.hpp"
#include "wide.hpp"

// β^t
INLINE double power(double base, double exponent) {
  double result = 1;
  for (int64_t t = int64_t(exponent); t > 0; t >>= 1, base *= base)
    if (t & 1) result *= base;
  return result;
}

// The weights without their padding: calls work(first, inputs) for each neuron.
template <class T, class Work> INLINE void for_neurons(const Training<T>& t, Work work) {
  for (int64_t q = 0; q < t.plan->layers; q++)
    for (int64_t j = 0; j < t.layers[q].neurons; j++) work(t.layers[q].weights + j * t.layers[q].row, t.layers[q].inputs);
}

// Adds the gradient of decay/2 Σ W², biases excepted; gives that.
template <class T> double decay(const Training<T>& t, const T* w, double decay) {
  double total = 0;
  auto squares = all<Step<T>>(0);
  T* g = t.gradient;
  for_neurons(t, [&](int64_t first, int64_t inputs) {
    int64_t k = first, whole = first + inputs - inputs % STEP<T>;
    for (; k < whole; k += STEP<T>) {
      auto x = load<Step<T>>(w + k);
      squares = fma(x, x, squares);
      store(g + k, fma(x, T(decay), load<Step<T>>(g + k)));
    }
    for (; k < first + inputs; k++) {
      total += double(w[k]) * w[k];
      g[k] = fma(w[k], T(decay), g[k]);
    }
  });
  return decay * 0.5 * (total + sum(squares));
}

// Scales the gradient down to the norm `most` where it is longer.
template <class T> void clip(const Training<T>& t, double most) {
  double squares = 0;
  for_neurons(t, [&](int64_t first, int64_t inputs) {
    for (int64_t k = first; k <= first + inputs; k++) squares += double(t.gradient[k]) * t.gradient[k];
  });
  double norm = root(squares);
  if (!(norm > most)) return;
  for (int64_t k = 0; k < t.plan->weights; k += STEP<T>) store(t.gradient + k, load<Step<T>>(t.gradient + k) * T(most / norm));
}

// Updates all weights, for the `updates`th time (see training.job.Solver).
template <class T> void update(const Training<T>& t, T* w, double updates) {
  using P = Step<T>;
  const Settings& s = *t.settings;
  int64_t count = t.plan->weights, solver = t.plan->solver;
  T *m = w + count, *v = m + count;
  T mu = s.momentum, beta_1 = s.beta_1, beta_2 = s.beta_2, epsilon = s.epsilon, rate = s.learning_rate;
  if (solver == ADAM) rate = s.learning_rate * root(1 - power(s.beta_2, updates)) / (1 - power(s.beta_1, updates));
  for (int64_t k = 0; k < count; k += STEP<T>) {
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

// Forward, cost and back over a block of samples: the kernel that suits the network.
template <class T> using Pass = double (*)(const Training<T>&, const T* w, const Block<T>&, const Target<T>& g);

template <class T> Pass<T> pass_for(const Training<T>& t) {
  if (!t.plan->narrow) return wide<T>;
  const Layer &first = t.layers[0], &last = t.layers[t.plan->layers - 1];
  bool notes = t.plan->layers == 2 && first.inputs == 2 && first.neurons == 2 && last.neurons == 1;
  if (notes && first.activation == SIGMOID && last.activation == SIGMOID) return narrow_2_2_1<T, SIGMOID>;
  if (notes && first.activation == TANH && last.activation == TANH) return narrow_2_2_1<T, TANH>;
  return any_narrow<T>;
}

// The cost of a batch, whose gradient goes to g; x is where its samples are laid out, or are to be, and moves on.
template <class T> double descend(const Training<T>& t, Pass<T> pass, const T* w, Order batch, double whole, T*& x, const Target<T>& g) {
  const Plan& plan = *t.plan;
  double cost = 0;
  for (int64_t first = 0; first < batch.count; first += plan.block) {
    Order block{batch.samples, batch.first + first, smaller_of(plan.block, batch.count - first)};
    int64_t lanes = lanes_for<T>(plan, block.count);
    if (!plan.laid) lay(t, x, block, lanes, whole);
    cost += pass(t, w, Block<T>{x, lanes}, Target<T>{g.to, g.factor, g.more || first > 0});
    if (plan.laid) x += laid_numbers(t) * lanes;
  }
  return cost;
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

// Trains for some epochs; gives those done, fewer if the last one's cost is not finite or training has converged.
// w: the weights, then what the solver remembers. order: of `ordered` samples, anew for each epoch or one for all.
template <class T>
int64_t train(const Training<T>& t, T* w, State& state, const int64_t* order, int64_t ordered, int64_t epochs, double* costs) {
  const Plan& plan = *t.plan;
  const Settings& s = *t.settings;
  int64_t stride = ordered > plan.samples ? plan.samples : 0, done = 0;
  Pass<T> pass = pass_for(t);
  Target<T> g{t.gradient, 1, false};
  if (plan.fused) g = {w, T(-s.learning_rate), true};
  for (bool over = false; done < epochs && !over; done++) {
    T* x = t.memory + plan.data;
    double total = 0;
    for (int64_t start = 0; start < plan.samples; start += plan.batch) {
      Order batch{order, done * stride + start, smaller_of(plan.batch, plan.samples - start)};
      double whole = weight_of(t.sample_weight, batch), cost = descend(t, pass, w, batch, whole, x, g) * s.share;
      if (s.l2 > 0 && whole > TINY) cost += decay(t, w, s.l2 / whole);
      if (s.clip > 0) clip(t, s.clip);
      state.updates += 1;
      if (!plan.fused) update(t, w, state.updates);
      total += cost * double(batch.count);
    }
    costs[done] = total / double(plan.samples);
    over = !is_finite(costs[done]) || has_converged(state, s, costs[done]);
  }
  state.finite = are_finite(w, plan.weights * (1 + (plan.solver != GD) + (plan.solver == ADAM)));
  return done;
}
