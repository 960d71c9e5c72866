// Trains many networks of the same sizes: a lane is a network.
//
// A block of networks goes through its epochs together: their weights are copied into rows, a row a weight, and back at
// the end. The samples are the same for all lanes. A lane that is not to train any more gets the learning rate 0.
#pragma once
#include "output.hpp"
#include "update.hpp"

// The rows behind those of Known: how many epochs after its beginning a block's network was first solved or converged.
constexpr int64_t JUST_SOLVED = 6, JUST_CONVERGED = 7, STATE_ROWS = 8;

// Where a block's rows are: weights, what the solver remembers, gradient, activations, deltas, targets, two to work
// with, and what is known of each network.
template <class T> struct Rows {
  T *w, *m, *g, *a, *d, *y, *spare, *state, *end;
  int64_t lanes;

  Rows(const Populated<T>& p, int64_t moments) {
    const Population& of = *p.population;
    int64_t neurons = 0;
    for (int64_t q = 1; q <= of.layers; q++) neurons += p.sizes[q];
    lanes = of.lanes;
    w = p.memory, m = w + of.weights * lanes, g = m + moments * lanes, a = g + of.weights * lanes;
    d = a + neurons * lanes, y = d + neurons * lanes, spare = y + p.sizes[of.layers] * lanes;
    state = spare + 2 * lanes, end = state + STATE_ROWS * lanes;
  }
  T* known(int64_t row) const { return state + row * lanes; }
};

template <class T> INLINE void fill(T* row, T value, int64_t lanes) {
  for (int64_t k = 0; k < lanes; k += STEP<T>) store(row + k, all<Step<T>>(value));
}

// u = W~ + Σ W x of layer 1: an input is the same number for all lanes.
template <class T> void first_net_inputs(T* u, const T* w, const T* x, int64_t inputs, int64_t neurons, int64_t lanes) {
  for (int64_t j = 0; j < neurons; j++, w += (inputs + 1) * lanes, u += lanes)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto s = load<Step<T>>(w + inputs * lanes + k);
      for (int64_t i = 0; i < inputs; i++) s = fma(load<Step<T>>(w + i * lanes + k), x[i], s);
      store(u + k, s);
    }
}

// u = W~ + Σ W a of the other layers
template <class T> void net_inputs(T* u, const T* w, const T* a, int64_t inputs, int64_t neurons, int64_t lanes) {
  for (int64_t j = 0; j < neurons; j++, w += (inputs + 1) * lanes, u += lanes)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto s = load<Step<T>>(w + inputs * lanes + k);
      for (int64_t i = 0; i < inputs; i++) s = fma(load<Step<T>>(w + i * lanes + k), load<Step<T>>(a + i * lanes + k), s);
      store(u + k, s);
    }
}

// ∂C/∂W += δ x and ∂C/∂W~ += δ of layer 1
template <class T> void add_first_gradients(T* g, const T* d, const T* x, int64_t inputs, int64_t neurons, int64_t lanes) {
  for (int64_t j = 0; j < neurons; j++, g += (inputs + 1) * lanes, d += lanes)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto delta = load<Step<T>>(d + k);
      for (int64_t i = 0; i < inputs; i++) {
        T* place = g + i * lanes + k;
        store(place, fma(delta, x[i], load<Step<T>>(place)));
      }
      T* bias = g + inputs * lanes + k;
      store(bias, load<Step<T>>(bias) + delta);
    }
}

// ∂C/∂W += δ a and ∂C/∂W~ += δ of the other layers
template <class T> void add_gradients(T* g, const T* d, const T* a, int64_t inputs, int64_t neurons, int64_t lanes) {
  for (int64_t j = 0; j < neurons; j++, g += (inputs + 1) * lanes, d += lanes)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto delta = load<Step<T>>(d + k);
      for (int64_t i = 0; i < inputs; i++) {
        T* place = g + i * lanes + k;
        store(place, fma(delta, load<Step<T>>(a + i * lanes + k), load<Step<T>>(place)));
      }
      T* bias = g + inputs * lanes + k;
      store(bias, load<Step<T>>(bias) + delta);
    }
}

// δ_i = σ′(u_i) Σ_j δ_j W_ji of the layer before, whose rows `before` hold σ′(u) until then
template <class T> void hidden_deltas(T* before, const T* d, const T* w, int64_t inputs, int64_t neurons, int64_t lanes) {
  for (int64_t i = 0; i < inputs; i++)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      auto s = all<Step<T>>(0);
      for (int64_t j = 0; j < neurons; j++)
        s = fma(load<Step<T>>(d + j * lanes + k), load<Step<T>>(w + (j * (inputs + 1) + i) * lanes + k), s);
      T* place = before + i * lanes + k;
      store(place, load<Step<T>>(place) * s);
    }
}

// The places that the way forward ends at: behind the last weight, and at the outputs' a and δ.
template <class T> struct Reached { T *w, *a, *d; };

// One sample (x, y) through all networks: a of every layer, σ′ of the hidden ones, δ of the output layer; its cost is
// added to the lanes' cost, and the worst error kept.
template <class T> Reached<T> forward(const Populated<T>& p, const Rows<T>& r, const T* x, const T* y) {
  const Population& of = *p.population;
  int64_t lanes = of.lanes, last = of.layers - 1, outputs = p.sizes[of.layers];
  Reached<T> now{r.w, r.a, r.d};
  first_net_inputs(now.d, now.w, x, p.sizes[0], p.sizes[1], lanes);
  now.w += p.sizes[1] * (p.sizes[0] + 1) * lanes;
  for (int64_t q = 1; q <= last; q++) {
    int64_t inputs = p.sizes[q], neurons = p.sizes[q + 1];
    activate(p.activations[q - 1], now.a, now.d, inputs * lanes);  // a layer's rows are one long row
    now.d += inputs * lanes;
    net_inputs(now.d, now.w, now.a, inputs, neurons, lanes);
    now.a += inputs * lanes;
    now.w += neurons * (inputs + 1) * lanes;
  }
  for (int64_t j = 0; j < outputs; j++) fill(r.y + j * lanes, y[j], lanes);
  output(Output<T>{of.cost, p.activations[last], outputs, lanes, now.a, now.d, r.y, r.known(COST), r.spare});
  for (int64_t j = 0; j < outputs; j++)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      T* worst = r.known(WORST) + k;
      store(worst, larger(absolute(load<Step<T>>(now.a + j * lanes + k) - y[j]), load<Step<T>>(worst)));
    }
  return now;
}

// Back through all networks, from where the way forward ended: the gradient's rows += δ a.
template <class T> void backward(const Populated<T>& p, const Rows<T>& r, Reached<T> at, const T* x) {
  int64_t lanes = r.lanes;
  for (int64_t q = p.population->layers - 1; q > 0; q--) {
    int64_t inputs = p.sizes[q], neurons = p.sizes[q + 1];
    at.a -= inputs * lanes, at.w -= neurons * (inputs + 1) * lanes;
    add_gradients(r.g + (at.w - r.w), at.d, at.a, inputs, neurons, lanes);
    hidden_deltas(at.d - inputs * lanes, at.d, at.w, inputs, neurons, lanes);
    at.d -= inputs * lanes;
  }
  add_first_gradients(r.g, at.d, x, p.sizes[0], p.sizes[1], lanes);
}

// One update of every free weight by `share` times the summed gradient, whose rows are 0 after it.
template <class T> void update_lanes(const Populated<T>& p, const Rows<T>& r, T share, double updates) {
  using P = Step<T>;
  const Population& of = *p.population;
  int64_t lanes = r.lanes;
  T *rate = r.known(RATE), *mu = r.known(MU), *v = r.m + of.weights * lanes;
  T beta_1 = of.beta_1, beta_2 = of.beta_2, epsilon = of.epsilon, step = 1;
  if (of.solver == ADAM) step = root(1 - power(of.beta_2, updates)) / (1 - power(of.beta_1, updates));
  for (int64_t w = 0; w < of.weights; w++)
    for (int64_t k = 0; k < lanes; k += STEP<T>) {
      int64_t place = w * lanes + k;
      P gradient = load<P>(r.g + place) * share, eta = load<P>(rate + k), now = load<P>(r.w + place);
      store(r.g + place, all<P>(0));
      if (!p.free[w]) continue;
      if (of.solver == GD) now = now - eta * gradient;
      else if (of.solver == MOMENTUM) {
        P velocity = fma(load<P>(mu + k), load<P>(r.m + place), -(eta * gradient));
        store(r.m + place, velocity);
        now = now + velocity;
      } else {
        P mean = fma(load<P>(r.m + place), beta_1, gradient * T(1 - of.beta_1));
        P square = fma(load<P>(v + place), beta_2, gradient * gradient * T(1 - of.beta_2));
        store(r.m + place, mean), store(v + place, square);
        now = now - eta * step * mean / (root(square) + epsilon);
      }
      store(r.w + place, now);
    }
}

// In the lanes where it holds, the row notes the epoch unless it has one; where they are to stop, rate and μ are 0.
template <class T> INLINE void note(const Rows<T>& r, int64_t row, int64_t k, Pack<Whole<T>, STEP<T>> holds, int64_t epoch, bool stop) {
  using P = Step<T>;
  P noted = load<P>(r.known(row) + k), rate = load<P>(r.known(RATE) + k), mu = load<P>(r.known(MU) + k);
  store(r.known(row) + k, select(holds, select(noted < 0, all<P>(epoch), noted), noted));
  if (!stop) return;
  store(r.known(RATE) + k, select(holds, all<P>(0), rate));
  store(r.known(MU) + k, select(holds, all<P>(0), mu));
}

template <class T> void judge_solved(const Populated<T>& p, const Rows<T>& r, int64_t epoch) {
  for (int64_t k = 0; k < r.lanes; k += STEP<T>) {
    auto below = load<Step<T>>(r.known(WORST) + k) < T(p.population->solved_error);
    note(r, JUST_SOLVED, k, below, epoch, p.population->stop_when_solved);
  }
}

// The rule of training.job.Convergence for each lane, after an epoch's updates.
template <class T> void judge_converged(const Populated<T>& p, const Rows<T>& r, int64_t epoch, T share) {
  using P = Step<T>;
  for (int64_t k = 0; k < r.lanes; k += STEP<T>) {
    P cost = load<P>(r.known(COST) + k) * share, best = load<P>(r.known(BEST) + k);
    P waited = select(cost < best - p.population->tol, all<P>(0), load<P>(r.known(WAITED) + k) + 1);
    store(r.known(WAITED) + k, waited);
    store(r.known(BEST) + k, smaller(best, cost));
    note(r, JUST_CONVERGED, k, waited >= p.population->patience, epoch, true);
  }
}
