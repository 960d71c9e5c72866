// Many tiny networks with one hidden layer and one output, sigmoid and squared errors. A group's weights and gradients stay
// in registers, and samples are processed in fours. The results are those of `many.hpp`, bit for bit.
#pragma once
#include "many.hpp"

template <class T, int INPUTS, int HIDDEN, int LANES> struct Tiny {
  using P = Pack<T, LANES>;
  static constexpr int ROW = INPUTS + 1, OUT = HIDDEN * ROW, WEIGHTS = OUT + HIDDEN + 1;
  P w[WEIGHTS], g[WEIGHTS], cost, worst;

  INLINE explicit Tiny(const T* rows) {
    UNROLLED for (int k = 0; k < WEIGHTS; k++) w[k] = load<P>(rows + k * STEP<T>);
  }
  INLINE void give(T* rows) const {
    UNROLLED for (int k = 0; k < WEIGHTS; k++) store(rows + k * STEP<T>, w[k]);
  }

  // σ and σ′ for all samples
  template <int SAMPLES> static INLINE void activate(const P* u, P* value, P* slope) {
    auto wide = sigmoid(joined<SAMPLES>(u));
    taken_apart(wide.value, value), taken_apart(wide.slope, slope);
  }

  // Some samples forward through all networks, and backward.
  template <int SAMPLES> INLINE void learn(const Populated<T>& p, const int64_t* order) {
    const T* x[SAMPLES];
    P u[SAMPLES], a[HIDDEN][SAMPLES], d[HIDDEN][SAMPLES], value[SAMPLES], slope[SAMPLES];
    T slope_of_cost = p.population->cost == SQUARED_ERROR ? 2 : 1;
    UNROLLED for (int z = 0; z < SAMPLES; z++) x[z] = p.X + order[z] * INPUTS;
    UNROLLED for (int j = 0; j < HIDDEN; j++) {
      UNROLLED for (int z = 0; z < SAMPLES; z++) {
        u[z] = w[j * ROW + INPUTS];
        UNROLLED for (int i = 0; i < INPUTS; i++) u[z] = fma(w[j * ROW + i], x[z][i], u[z]);
      }
      activate<SAMPLES>(u, a[j], d[j]);
    }
    UNROLLED for (int z = 0; z < SAMPLES; z++) {
      u[z] = w[OUT + HIDDEN];
      UNROLLED for (int j = 0; j < HIDDEN; j++) u[z] = fma(w[OUT + j], a[j][z], u[z]);
    }
    activate<SAMPLES>(u, value, slope);
    UNROLLED for (int z = 0; z < SAMPLES; z++) {
      P error = value[z] - p.Y[order[z]], delta = error * slope_of_cost * slope[z];
      cost = cost + error * error * (slope_of_cost * T(0.5)), worst = larger(absolute(error), worst);
      UNROLLED for (int j = 0; j < HIDDEN; j++) {
        P before = w[OUT + j] * delta * d[j][z];
        UNROLLED for (int i = 0; i < INPUTS; i++) g[j * ROW + i] = fma(before, x[z][i], g[j * ROW + i]);
        g[j * ROW + INPUTS] = g[j * ROW + INPUTS] + before;
        g[OUT + j] = fma(delta, a[j][z], g[OUT + j]);
      }
      g[OUT + HIDDEN] = g[OUT + HIDDEN] + delta;
    }
  }

  INLINE void learn_all(const Populated<T>& p, const int64_t* order) {
    UNROLLED for (int k = 0; k < WEIGHTS; k++) g[k] = all<P>(0);
    cost = worst = all<P>(0);
    int64_t z = 0;
    for (; z + 4 <= p.population->samples; z += 4) learn<4>(p, order + z);
    for (; z < p.population->samples; z++) learn<1>(p, order + z);
  }

  INLINE void update(P rate, T share) {
    UNROLLED for (int k = 0; k < WEIGHTS; k++) w[k] = descended(w[k], g[k] * share, rate);
  }
};
