// Many networks of the same sizes, forward and back: a lane is a network.
//
// A group has as many networks as a step has lanes. A row, one step, is one number of each network, such as a weight. The
// samples are processed in blocks; a quantity that depends on the sample, such as a net input, has one step per sample.
// The sums over samples run from the first to the last, independently of the sizes of blocks and tiles.
#pragma once
#include "output.hpp"
#include "update.hpp"

// The rows after Known: the epoch of a call in which each network of the group was first solved or converged.
constexpr int64_t JUST_SOLVED = 6, JUST_CONVERGED = 7, STATE_ROWS = 8;

// The layout of a group's rows: weights, the solver's memory, gradients, and the state of each network; then per sample
// activations, deltas, targets, costs, and two scratch rows.
template <class T> struct Rows {
  T *w, *m, *g, *state, *a, *d, *y, *c, *spare;

  Rows(const Populated<T>& p, int64_t moments) {
    const Population& of = *p.population;
    int64_t neurons = 0, block = of.block * STEP<T>;
    for (int64_t q = 1; q <= of.layers; q++) neurons += p.sizes[q];
    w = p.memory, m = w + of.weights * STEP<T>, g = m + moments * STEP<T>, state = g + of.weights * STEP<T>;
    a = state + STATE_ROWS * STEP<T>, d = a + neurons * block, y = d + neurons * block;
    c = y + p.sizes[of.layers] * block, spare = c + block;
  }
  T* known(int64_t row) const { return state + row * STEP<T>; }
};

template <class T> INLINE void fill(T* rows, T value, int64_t count) {
  for (int64_t k = 0; k < count * STEP<T>; k += STEP<T>) store(rows + k, all<Step<T>>(value));
}

// Calls work(constant size, first) for pieces of 0 … count - 1: of SIZE while they fit, then of half of that.
template <int SIZE, int LEAST, class Work> INLINE void in_tiles(int64_t count, Work work, int64_t first = 0) {
  for (; first + SIZE <= count; first += SIZE) work(Constant<SIZE>{}, first);
  if constexpr (SIZE > LEAST) in_tiles<SIZE / 2, LEAST>(count, work, first);
}
constexpr int TILE = REGISTER_BYTES == 64 ? 4 : 2;  // TILE × 4 sums fit into the registers

// The inputs of a layer for each sample: the sample's own numbers, the same for all networks, or rows.
template <class T> struct Shared {
  const T* X;
  const int64_t* order;
  int64_t inputs;
  INLINE const T* sample(int64_t z) const { return X + order[z] * inputs; }
  INLINE Step<T> input(const T* sample, int64_t i) const { return all<Step<T>>(sample[i]); }
};
template <class T> struct Own {
  const T* rows;
  int64_t samples;
  INLINE const T* sample(int64_t z) const { return rows + z * STEP<T>; }
  INLINE Step<T> input(const T* sample, int64_t i) const { return load<Step<T>>(sample + i * samples * STEP<T>); }
};

// Weights as a matrix: the element in row r and column i is in row r by_row + i by_column; a bias for each row, or none.
template <class T> struct Matrix {
  const T* w;
  int64_t rows, columns, by_row, by_column;
  const T* bias;
};

// Calls finish(r, z, Σ_i w_ri input_i) for every row and sample.
template <class T, class In, class Finish> INLINE void products(const Matrix<T>& w, const In& in, int64_t samples, Finish finish) {
  using P = Step<T>;
  int64_t by_row = w.by_row * STEP<T>, by_column = w.by_column * STEP<T>;
  in_tiles<4, 1>(samples, [&](auto across, int64_t z) INLINED {
    constexpr int SAMPLES = across.code;
    const T* sample[SAMPLES];
    UNROLLED for (int n = 0; n < SAMPLES; n++) sample[n] = in.sample(z + n);
    in_tiles<TILE, 1>(w.rows, [&](auto down, int64_t r) INLINED {
      constexpr int ROWS = down.code;
      const T *weights = w.w + r * by_row, *bias = w.bias + r * by_row;
      P s[ROWS][SAMPLES];
      UNROLLED for (int m = 0; m < ROWS; m++)
        UNROLLED for (int n = 0; n < SAMPLES; n++) s[m][n] = w.bias ? load<P>(bias + m * by_row) : all<P>(0);
      for (int64_t i = 0; i < w.columns; i++, weights += by_column)
        UNROLLED for (int n = 0; n < SAMPLES; n++) {
          P x = in.input(sample[n], i);
          UNROLLED for (int m = 0; m < ROWS; m++) s[m][n] = fma(load<P>(weights + m * by_row), x, s[m][n]);
        }
      UNROLLED for (int m = 0; m < ROWS; m++)
        UNROLLED for (int n = 0; n < SAMPLES; n++) finish(r + m, z + n, s[m][n]);
    });
  });
}

// g_ji += Σ δ_j a_i over the samples, bias last
template <class T, class In> INLINE void add_gradients(T* g, const T* delta, int64_t neurons, const In& in, int64_t inputs, int64_t samples) {
  using P = Step<T>;
  int64_t row = (inputs + 1) * STEP<T>, by_delta = samples * STEP<T>;
  in_tiles<TILE, 1>(neurons, [&](auto down, int64_t j) INLINED {
    constexpr int ROWS = down.code;
    const T* d = delta + j * by_delta;
    T* to = g + j * row;
    in_tiles<TILE, 1>(inputs, [&](auto across, int64_t i) INLINED {
      constexpr int COLUMNS = across.code;
      P s[ROWS][COLUMNS];
      UNROLLED for (int m = 0; m < ROWS; m++)
        UNROLLED for (int n = 0; n < COLUMNS; n++) s[m][n] = load<P>(to + m * row + (i + n) * STEP<T>);
      for (int64_t z = 0; z < samples; z++) {
        const T* sample = in.sample(z);
        UNROLLED for (int n = 0; n < COLUMNS; n++) {
          P x = in.input(sample, i + n);
          UNROLLED for (int m = 0; m < ROWS; m++) s[m][n] = fma(load<P>(d + m * by_delta + z * STEP<T>), x, s[m][n]);
        }
      }
      UNROLLED for (int m = 0; m < ROWS; m++)
        UNROLLED for (int n = 0; n < COLUMNS; n++) store(to + m * row + (i + n) * STEP<T>, s[m][n]);
    });
    P s[ROWS];
    UNROLLED for (int m = 0; m < ROWS; m++) s[m] = load<P>(to + m * row + inputs * STEP<T>);
    for (int64_t z = 0; z < samples; z++)
      UNROLLED for (int m = 0; m < ROWS; m++) s[m] = s[m] + load<P>(d + m * by_delta + z * STEP<T>);
    UNROLLED for (int m = 0; m < ROWS; m++) store(to + m * row + inputs * STEP<T>, s[m]);
  });
}

// The outputs' δ in the rows d, which hold u before; each network's cost so far, and its largest error.
template <class T> void outputs(const Populated<T>& p, const Rows<T>& r, Order block, T* a, T* d) {
  using P = Step<T>;
  const Population& of = *p.population;
  int64_t outputs = p.sizes[of.layers], row = block.count * STEP<T>, activation = p.activations[of.layers - 1];
  P cost = load<P>(r.known(COST)), worst = load<P>(r.known(WORST));
  bool by_error = of.cost != BINARY_CROSS_ENTROPY && of.cost != CATEGORICAL_CROSS_ENTROPY && of.cost != POISSON;
  if (by_error && activation != SOFTMAX)
    for_activation(activation, [&](auto constant) INLINED {
      for (int64_t z = 0; z < block.count; z++)
        for (int64_t j = 0; j < outputs; j++) {
          T* delta = d + j * row + z * STEP<T>;
          auto [value, slope] = activated<constant.code>(load<P>(delta));
          P error = value - p.Y[block.samples[block.first + z] * outputs + j];
          auto of_output = of_error(of.cost, error);
          cost = cost + of_output.value, worst = larger(absolute(error), worst);
          store(delta, of_output.slope * slope);
        }
    });
  else {
    for (int64_t j = 0; j < outputs; j++)
      for (int64_t z = 0; z < block.count; z++) store(r.y + j * row + z * STEP<T>, all<P>(p.Y[block.samples[block.first + z] * outputs + j]));
    fill(r.c, T(0), block.count);
    output(Output<T>{of.cost, activation, outputs, row, a, d, r.y, r.c, r.spare});
    for (int64_t z = 0; z < row; z += STEP<T>) {
      cost = cost + load<P>(r.c + z);
      for (int64_t j = 0; j < outputs * row; j += row) worst = larger(absolute(load<P>(a + j + z) - load<P>(r.y + j + z)), worst);
    }
  }
  store(r.known(COST), cost), store(r.known(WORST), worst);
}

// The offsets after the last layer's rows of weights, activations and deltas.
template <class T> struct Behind { T *w, *a, *d; };

// A block forward through all networks: a of every layer, σ′ of the hidden layers, δ of the output layer.
template <class T> Behind<T> forward(const Populated<T>& p, const Rows<T>& r, Order block) {
  int64_t layers = p.population->layers, row = block.count * STEP<T>;
  Behind<T> now{r.w, r.a, r.d};
  for (int64_t q = 0; q < layers; q++) {
    int64_t inputs = p.sizes[q], neurons = p.sizes[q + 1];
    Matrix<T> w{now.w, neurons, inputs, inputs + 1, 1, now.w + inputs * STEP<T>};
    auto through = [&](const auto& in) INLINED {
      products(w, in, block.count, [&](int64_t j, int64_t z, Step<T> u) INLINED { store(now.d + j * row + z * STEP<T>, u); });
    };
    if (q == 0) through(Shared<T>{p.X, block.samples + block.first, inputs});
    else through(Own<T>{now.a - inputs * row, block.count});
    if (q < layers - 1) activate(p.activations[q], now.a, now.d, neurons * row);
    else outputs(p, r, block, now.a, now.d);
    now.w += neurons * (inputs + 1) * STEP<T>, now.a += neurons * row, now.d += neurons * row;
  }
  return now;
}

// Back through all networks: δ_i = σ′(u_i) Σ_j W_ji δ_j, and the gradients' rows += δ a.
template <class T> void backward(const Populated<T>& p, const Rows<T>& r, Order block, Behind<T> now) {
  int64_t row = block.count * STEP<T>;
  for (int64_t q = p.population->layers - 1; q >= 0; q--) {
    int64_t inputs = p.sizes[q], neurons = p.sizes[q + 1];
    now.w -= neurons * (inputs + 1) * STEP<T>, now.a -= neurons * row, now.d -= neurons * row;
    T* g = r.g + (now.w - r.w);
    if (q == 0) return add_gradients(g, now.d, neurons, Shared<T>{p.X, block.samples + block.first, inputs}, inputs, block.count);
    add_gradients(g, now.d, neurons, Own<T>{now.a - inputs * row, block.count}, inputs, block.count);
    products(Matrix<T>{now.w, inputs, neurons, 1, inputs + 1, nullptr}, Own<T>{now.d, block.count}, block.count,
             [&](int64_t i, int64_t z, Step<T> s) INLINED {
               T* slope = now.d - inputs * row + i * row + z * STEP<T>;
               store(slope, s * load<Step<T>>(slope));
             });
  }
}

template <class P> INLINE P descended(P w, P gradient, P rate) { return fma(-rate, gradient, w); }

// One update of every free weight by `share` times the summed gradient, whose rows are then reset to 0.
template <class T> void update_group(const Populated<T>& p, const Rows<T>& r, T share, double updates) {
  using P = Step<T>;
  const Population& of = *p.population;
  P rate = load<P>(r.known(RATE)), mu = load<P>(r.known(MU));
  T beta_1 = of.beta_1, beta_2 = of.beta_2, epsilon = of.epsilon;
  T *m = r.m, *v = r.m + of.weights * STEP<T>;
  if (of.solver == ADAM) rate = rate * T(root(1 - power(of.beta_2, updates)) / (1 - power(of.beta_1, updates)));
  for (int64_t w = 0, k = 0; w < of.weights; w++, k += STEP<T>) {
    P gradient = load<P>(r.g + k) * share, now = load<P>(r.w + k);
    store(r.g + k, all<P>(0));
    if (!p.free[w]) continue;
    if (of.solver == GD) now = descended(now, gradient, rate);
    else if (of.solver == MOMENTUM) {
      P velocity = fma(mu, load<P>(m + k), -(rate * gradient));
      store(m + k, velocity);
      now = now + velocity;
    } else {
      P mean = fma(load<P>(m + k), beta_1, gradient * T(1 - of.beta_1));
      P square = fma(load<P>(v + k), beta_2, gradient * gradient * T(1 - of.beta_2));
      store(m + k, mean), store(v + k, square);
      now = now - rate * mean / (root(square) + epsilon);
    }
    store(r.w + k, now);
  }
}
