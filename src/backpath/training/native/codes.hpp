// The codes of the tables in maths/activations.py and maths/costs.py, of the solvers, and what Python hands over.
// A test holds all of this and the Python side together.
#pragma once
#include <stdint.h>

enum Activation : int64_t {
  SIGMOID = 0, TANH = 1, RELU = 2, LEAKY_RELU = 3, ELU = 4, GELU = 5, SILU = 6, SOFTPLUS = 7, IDENTITY = 8,
  SOFTMAX = 10, EXP = 11
};
enum Cost : int64_t {
  SQUARED_ERROR = 0, HALF_SQUARED_ERROR = 1, BINARY_CROSS_ENTROPY = 2, CATEGORICAL_CROSS_ENTROPY = 3, HUBER = 4,
  ABSOLUTE_ERROR = 5, POISSON = 6
};
enum Solver : int64_t { GD = 0, MOMENTUM = 1, ADAM = 2 };

// One layer of one network, whose weights start at place `weights`. Those of a narrow network are `neurons` rows of `row`
// numbers, filled up with zeros. Those of a wide one lie in panels of STEP neurons: a row of STEP numbers for each input,
// then that of the biases. The rest are places in the working memory, which for a wide network is that of a panel of
// samples (see wide.hpp): of the rows of σ(u); of those of u, then σ′(u), then δ; and in that of a block, of δ transposed
// (-1: not needed).
struct Layer { int64_t inputs, neurons, activation, weights, row, values, deltas, transposed; };

// What to do, and where in the working memory things are.
//   weights        length of the padded weights
//   block          samples that go through at a time
//   spare, data    places of three rows to work with, and of the samples
//   laid           all samples are laid out there, batch after batch, by `lay_samples`
//   narrow         by the kernel of four lanes
//   fused          the gradient is subtracted from the weights at once
// and for wide networks:
//   slots, slot    where the working memories of blocks start, one a thread, and how long one is
//   panel          length of the working memory of one panel of samples
//   parts          in which a batch is worked through, each with a gradient of its own; 1: all work on every block
//   sums           where the gradients of the parts start
struct Plan {
  int64_t cost, solver, layers, weights, samples, batch, block, spare, data, laid, narrow, fused;
  int64_t slots, slot, panel, parts, sums;
};

// The solver's settings (see training.job); tol < 0: none; clip 0: none; `share` scales the reported costs. Where `worst` of
// Training is given, a network is solved once all its errors |A - y| are below `solved_error`.
struct Settings {
  double learning_rate, momentum, nesterov, beta_1, beta_2, epsilon, l2, tol, patience, share, clip, solved_error,
    stop_when_solved, decay;
};

// Where training stands; `finite` is 0 once a weight is not; after how many of a call's epochs it was first solved, or -1.
struct State { double updates, best, waited, converged, finite, solved_after; };

// How far a call is: in which batch, from which of its samples on, and which panel of the samples laid out is its first.
struct Progress { int64_t epoch, start, first, panel, phase; double whole, cost, total; };

// Threads that share a call (see team.hpp); `patient`: there is a core for each; `give_way` lets others have one.
struct Team { int64_t ticket, done, members, finished, patient; const void* give_way; };

// One network's training. `free` is 1 where a weight may change (null: everywhere), sample_weight null if all are 1;
// `costs` are those of a block's panels, or of a batch's parts; `worst` gets an epoch's largest error, if one thread works
// on blocks (null: not needed).
template <class T> struct Training {
  const Plan* plan;
  const Settings* settings;
  const Layer* layers;
  T *memory, *gradient;
  const T *free, *X, *Y, *sample_weight;
  double* costs;
  T* worst;
};

// Many networks of the same sizes. A column of each array is a network:
//   weights, moments   (weights, networks), (0, 1 or 2 × weights, networks)
//   numbers            (Known, networks)
//   counts             (Counted, networks)
//   history            (records, networks): the costs of every epoch that `every` divides (0: none)
struct Population {
  int64_t layers, weights, moments, networks, samples, cost, solver, batch, every, stop_when_solved, block;
  double solved_error, tol, patience, beta_1, beta_2, epsilon;
};
template <class T> struct Populated {
  const Population* population;
  const int64_t *sizes, *activations, *free;
  T *memory, *weights, *moments, *numbers;
  int64_t* counts;
  T* history;
  const T *X, *Y;
};
// Many networks, each with its samples in the lanes. A row of `weights` is a network's: padded, then what the solver
// remembers; `before` is room for one, `costs` for those of a call's epochs.
template <class T> struct Each {
  const Populated<T>* populated;
  const Training<T>* training;
  const double *rates, *momenta;
  T *weights, *before;
  State* states;
  double* costs;
};
enum Known : int64_t { RATE = 0, MU = 1, COST = 2, WORST = 3, BEST = 4, WAITED = 5 };
enum Counted : int64_t { EPOCHS = 0, SOLVED_AFTER = 1, STATUS = 2 };
enum Status : int64_t { IS_TRAINING = 0, IS_SOLVED = 1, IS_CONVERGED = 2, IS_DIVERGED = 3 };
