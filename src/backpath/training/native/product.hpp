// The three products of a wide layer, in tiles of sums that stay in registers.
//
// All data are in panels, so that a tile reads memory sequentially. A panel of samples has a row of LANES numbers per
// neuron, one for each sample; a panel of weights has a row of STEP numbers per input, one for each neuron. Every sum adds
// its terms in order with fused products, so the bits do not depend on the size of the tiles.
#pragma once
#include "narrow.hpp"

#if defined(__AVX512F__)
constexpr int TILE_ROWS = 8, TILE_STEPS = 2;
#else
constexpr int TILE_ROWS = 4, TILE_STEPS = 1;
#endif
constexpr int64_t TILE_MOST = 8;  // the most rows of a tile
constexpr int64_t CACHED_TERMS = 128;  // terms whose rows stay in the first-level cache while all tiles use them

template <class T, int ROWS, int STEPS> using Tile = Step<T>[ROWS][STEPS];

// s[r][c] += Σ_k weights[k by_term + r by_row] × rows[k by_row_of.. ]
template <int BY_ROW, int BY_TERM, int STRIDE, class T, int ROWS, int STEPS>
INLINE void add_products(Tile<T, ROWS, STEPS>& s, const T* weights, const T* rows, int64_t terms, int64_t apart) {
  for (int64_t k = 0; k < terms; k++, weights += BY_TERM, rows += STRIDE) {
    Step<T> x[STEPS];
    UNROLLED for (int c = 0; c < STEPS; c++) x[c] = load<Step<T>>(rows + c * apart);
    UNROLLED for (int r = 0; r < ROWS; r++)
      UNROLLED for (int c = 0; c < STEPS; c++) s[r][c] = fma(x[c], weights[r * BY_ROW], s[r][c]);
  }
}

template <int COUNT> struct Count { static constexpr int count = COUNT; };

// Calls work(Count<R>, first) for the rows in tiles of R, then for the remaining ones in tiles of R/2, …, 1.
template <int R = TILE_ROWS, class Work> INLINE void in_tiles(int64_t first, int64_t end, Work work) {
  for (; first + R <= end; first += R) work(Count<R>{}, first);
  if constexpr (R > 1)
    if (first < end) in_tiles<R / 2>(first, end, work);
}

// u_j = W~_j + Σ_i W_ji a_i for one panel of samples
template <int LANES, class T> void net_inputs(const Layer& layer, const T* w, const T* a, T* u) {
  constexpr int V = STEP<T>, STEPS = LANES / V, AT_ONCE = STEPS < TILE_STEPS ? STEPS : TILE_STEPS;
  for (int64_t first = 0; first < layer.inputs; first += CACHED_TERMS) {
    int64_t terms = layer.inputs - first < CACHED_TERMS ? layer.inputs - first : CACHED_TERMS;
    in_tiles(0, layer.neurons, [&](auto rows, int64_t j) {
      constexpr int R = rows.count;
      const T* weights = w + layer.weights + j / V * (layer.inputs + 1) * V + j % V;
      for (int c = 0; c < STEPS; c += AT_ONCE) {
        T* target = u + j * LANES + c * V;
        Step<T> s[R][AT_ONCE];
        UNROLLED for (int r = 0; r < R; r++)
          UNROLLED for (int n = 0; n < AT_ONCE; n++)
            s[r][n] = first ? load<Step<T>>(target + r * LANES + n * V) : all<Step<T>>(weights[layer.inputs * V + r]);
        add_products<1, V, LANES, T, R, AT_ONCE>(s, weights + first * V, a + first * LANES + c * V, terms, V);
        UNROLLED for (int r = 0; r < R; r++)
          UNROLLED for (int n = 0; n < AT_ONCE; n++) store(target + r * LANES + n * V, s[r][n]);
      }
    });
  }
}

// δ_i = σ′(u_i) Σ_j W_ji δ_j for one panel of samples, where the rows d hold σ′(u) before
template <int LANES, class T> void hidden_deltas(const Layer& layer, const T* w, const T* delta, T* d) {
  constexpr int V = STEP<T>, STEPS = LANES / V, AT_ONCE = STEPS < TILE_STEPS ? STEPS : TILE_STEPS;
  in_tiles(0, layer.inputs, [&](auto rows, int64_t i) {
    constexpr int R = rows.count;
    for (int c = 0; c < STEPS; c += AT_ONCE) {
      Step<T> s[R][AT_ONCE];
      UNROLLED for (int r = 0; r < R; r++)
        UNROLLED for (int n = 0; n < AT_ONCE; n++) s[r][n] = all<Step<T>>(0);
      const T* weights = w + layer.weights + i * V;
      for (int64_t j = 0; j < layer.neurons; j += V, weights += (layer.inputs + 1) * V)
        add_products<V, 1, LANES, T, R, AT_ONCE>(
          s, weights, delta + j * LANES + c * V, layer.neurons - j < V ? layer.neurons - j : V, V);
      UNROLLED for (int r = 0; r < R; r++)
        UNROLLED for (int n = 0; n < AT_ONCE; n++) {
          T* target = d + (i + r) * LANES + (c + n) * V;
          store(target, s[r][n] * load<Step<T>>(target));
        }
    }
  });
}

// Rows of samples in a block: panel after panel, `apart` numbers apart; the last panel may have fewer lanes.
template <class T> struct Samples { const T* first; int64_t apart, lanes; };

// Calls work(Count<lanes of a panel>, panel, its first lane in the block) for each panel.
template <class T, class Work> INLINE void for_panels(int64_t lanes, Work work) {
  constexpr int V = STEP<T>;
  int64_t lane = 0, panel = 0;
  for (; lane + 2 * V <= lanes; lane += 2 * V, panel++) work(Count<2 * V>{}, panel, lane);
  if (lane < lanes) work(Count<V>{}, panel, lane);
}

// g_ji = factor Σ_samples δ_j a_i for the inputs from `first` to `end`; the last input is the biases' ones. δ has a row of
// STEP neurons per sample, and `by_panel` numbers for each panel of neurons.
template <class T>
void gradient(const Layer& layer, Samples<T> a, const T* transposed, int64_t by_panel, int64_t first, int64_t end, Target<T> g) {
  constexpr int V = STEP<T>;
  int64_t panel = (layer.inputs + 1) * V, panels = (layer.neurons + V - 1) / V;
  in_tiles(first, end, [&](auto rows, int64_t i) {
    auto tile = [&](auto steps, int64_t j) {
      constexpr int R = rows.count, C = steps.count;
      Step<T> s[R][C];
      UNROLLED for (int r = 0; r < R; r++)
        UNROLLED for (int c = 0; c < C; c++) s[r][c] = all<Step<T>>(0);
      for_panels<T>(a.lanes, [&](auto width, int64_t p, int64_t lane) {
        constexpr int LANES = width.count;
        add_products<LANES, 1, V, T, R, C>(
          s, a.first + p * a.apart + i * LANES, transposed + j * by_panel + lane * V, LANES, by_panel);
      });
      UNROLLED for (int r = 0; r < R; r++)
        UNROLLED for (int c = 0; c < C; c++) put(g, layer.weights + (j + c) * panel + (i + r) * V, s[r][c]);
    };
    int64_t j = 0;
    for (; j + TILE_STEPS <= panels; j += TILE_STEPS) tile(Count<TILE_STEPS>{}, j);
    if (j < panels) tile(Count<1>{}, j);
  });
}

// The same for few neurons: sums over the lanes, without transposing the rows.
template <class T>
void gradient_of_few(const Layer& layer, Samples<T> a, Samples<T> delta, int64_t first, int64_t end, Target<T> g) {
  constexpr int V = STEP<T>;
  for (int64_t j = 0; j < layer.neurons; j++)
    for (int64_t i = first; i < end; i += 4) {
      int64_t last = end - 1 - i < 3 ? end - 1 - i : 3;  // the rows after it are not used
      Step<T> s[4] = {all<Step<T>>(0), all<Step<T>>(0), all<Step<T>>(0), all<Step<T>>(0)};
      for_panels<T>(a.lanes, [&](auto width, int64_t p, int64_t) {
        constexpr int LANES = width.count;
        const T *d = delta.first + p * delta.apart + j * LANES, *values = a.first + p * a.apart + i * LANES;
        for (int k = 0; k < LANES; k += V)
          for (int n = 0; n < 4; n++)
            s[n] = fma(load<Step<T>>(values + (n < last ? n : last) * LANES + k), load<Step<T>>(d + k), s[n]);
      });
      auto four = sums(s[0], s[1], s[2], s[3]);
      T* target = g.to + layer.weights + i * V + j;
      for (int n = 0; n <= last; n++)
        target[n * V] = g.more ? fma(lane(four, n), g.factor, target[n * V]) : lane(four, n) * g.factor;
    }
}

// Transposes rows of LANES numbers, one per neuron, to rows of STEP numbers, one per sample; there is room for a multiple
// of four rows.
template <int LANES, class T> void transpose_panel(T* delta, int64_t neurons, T* transposed, int64_t by_panel) {
  constexpr int V = STEP<T>;
  for (int64_t k = neurons * LANES; k < (neurons + 3) / 4 * 4 * LANES; k += V) store(delta + k, all<Step<T>>(0));
  for (int64_t j = 0; j < neurons; j += 4) {
    T* target = transposed + j / V * by_panel + j % V;
    const T* rows = delta + j * LANES;
    for (int64_t k = 0; k < LANES; k += 4, rows += 4)
      transpose_four(rows, rows + LANES, rows + 2 * LANES, rows + 3 * LANES, target + k * V, V);
  }
}
